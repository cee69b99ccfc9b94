using System.ComponentModel;
using IngestTools.Sandbox.NamedOptions;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>The options of ICA. Those that are not set stay as they are. An empty word, or 0 for StopsAfter, sets a thing back.</summary>
internal sealed record IcaSettings
{
    [Secret]
    [Description("the API key that is valid; default \"test\"")]
    public string? ApiKey { get; init; }

    [Description("seconds for which a token is valid; default 3600")]
    public double? TokenSeconds { get; init; }

    [Description("microseconds that an item of a linking batch takes; default 5")]
    public double? LinkUs { get; init; }

    [Description("milliseconds that a linking batch waits before its first item; default 20")]
    public double? QueueMs { get; init; }

    [Description("data with an id like this (* stands for any text) cannot be linked; can be given several times")]
    public string[]? LinkFails { get; init; }

    [Description("data with an id like this cannot be linked the first time in each project; can be given several times")]
    public string[]? LinkFailsOnce { get; init; }

    [Description("a folder with an id like this is linked in part; can be given several times")]
    public string[]? LinksPartly { get; init; }

    [Description("data with an id like this belongs to a project that does not share it; can be given several times")]
    public string[]? IsNotShared { get; init; }

    [Description("data with an id like this does not exist; can be given several times")]
    public string[]? IsMissing { get; init; }

    [Description("the user has no right to a project with an id like this; can be given several times")]
    public string[]? Forbids { get; init; }

    [Description("a project with an id like this does not exist; can be given several times")]
    public string[]? HasNoProject { get; init; }

    [Description("the job of a linking batch stops after this many items; 0 for never")]
    public int? StopsAfter { get; init; }

    [Description("the maximum number of rows in a page; default 1000")]
    public int? MaxPageSize { get; init; }

    [Description("what the last page has as its next token; default Null")]
    public IcaCursorEnd? CursorEnd { get; init; }

    [Description("each page names its own token as the next one")]
    public bool? RepeatsToken { get; init; }

    [Description("a linking batch does not name its job")]
    public bool? HidesJob { get; init; }

    [Description("the word that replaces the status of every job")]
    public string? SaysOfJobs { get; init; }

    [Description("the word that replaces the status of every item that was linked")]
    public string? SaysOfLinked { get; init; }

    public void ApplyTo(IcaOptions options)
    {
        options.ApiKeys = ApiKey is { } key ? [key] : options.ApiKeys;
        options.TimePerItem = LinkUs is { } link ? TimeSpan.FromMicroseconds(link) : options.TimePerItem;
        options.QueueTime = QueueMs is { } queue ? TimeSpan.FromMilliseconds(queue) : options.QueueTime;
        options.StopsAfter = StopsAfter is { } items
            ? items == 0
                ? null
                : items
            : options.StopsAfter;
        options.TokenLifetime = TokenSeconds is { } lifetime ? TimeSpan.FromSeconds(lifetime) : options.TokenLifetime;
        options.MaxPageSize = MaxPageSize ?? options.MaxPageSize;
        options.CursorEnd = CursorEnd ?? options.CursorEnd;
        options.RepeatsToken = RepeatsToken ?? options.RepeatsToken;
        options.HidesJob = HidesJob ?? options.HidesJob;
        options.SaysOfJobs = SaysOfJobs is { } job
            ? job.Length == 0
                ? null
                : job
            : options.SaysOfJobs;
        options.SaysOfLinked = SaysOfLinked is { } item
            ? item.Length == 0
                ? null
                : item
            : options.SaysOfLinked;
        ApplyRulesTo(options);
    }

    private void ApplyRulesTo(IcaOptions options)
    {
        options.LinkFails = Rule(LinkFails) ?? options.LinkFails;
        options.LinkFailsOnce = Rule(LinkFailsOnce) ?? options.LinkFailsOnce;
        options.LinksPartly = Rule(LinksPartly) ?? options.LinksPartly;
        options.IsNotShared = Rule(IsNotShared) ?? options.IsNotShared;
        options.IsMissing = Rule(IsMissing) ?? options.IsMissing;
        options.Forbids = Rule(Forbids) ?? options.Forbids;
        options.HasNoProject = Rule(HasNoProject) ?? options.HasNoProject;
    }

    private static Func<string, bool>? Rule(string[]? patterns) => patterns is null ? null : IcaOptions.IdsLike(patterns);
}
