using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>The control routes below /sandbox/ica: what the service knows, and what a test from another process may set.</summary>
internal sealed class IcaControl(IcaState state)
{
    public Task? TryAnswer(HttpContext context, string[] route) => (context.Request.Method, route) switch
    {
        ("GET", ["batches"]) => Answer.Stream(context, state.Batches.Select(static b => new
        {
            b.Id,
            b.ProjectId,
            b.JobId,
            b.JobStatus,
            Items = b.DataIds.Count,
            First = b.DataIds.Count > 0 ? b.DataIds[0] : null,
        })),
        ("POST", ["batches", var id, "stop"]) => Stop(context, id),
        ("POST", ["tokens", "expire"]) => ExpireTokens(context),
        ("GET", ["tokens"]) => Answer.Json(context, Status200OK, new { state.Tokens.Issued }),
        ("POST", ["options"]) => ControlBody.TakeAsync<Settings>(context, settings => settings.ApplyTo(state.Options)),
        _ => null,
    };

    private Task Stop(HttpContext context, string id)
    {
        if (!Guid.TryParse(id, out Guid batchId) || state.Batches.FirstOrDefault(b => b.Id == batchId) is not { } batch)
            return Answer.Json(context, Status404NotFound, new { error = $"There is no batch '{id}'." });
        batch.Stop();
        return Answer.Empty(context, Status204NoContent);
    }

    private Task ExpireTokens(HttpContext context)
    {
        state.Tokens.ExpireAll();
        return Answer.Empty(context, Status204NoContent);
    }

    /// <summary>What can be set from outside; what is left out stays as it is. An empty word, or 0 for stopsAfter, sets a thing back.</summary>
    private sealed record Settings(
        double? LinkUs, double? QueueMs, int? StopsAfter, double? TokenSeconds, int? MaxPageSize,
        string[]? IsMissing, string[]? IsNotShared, string[]? LinkFails, string[]? LinksPartly, string[]? Forbids, string[]? HasNoProject,
        IcaCursorEnd? CursorEnd, bool? RepeatsToken, bool? HidesJob, string? SaysOfJobs, string? SaysOfLinked)
    {
        public void ApplyTo(IcaOptions options)
        {
            options.TimePerItem = LinkUs is { } link ? TimeSpan.FromMicroseconds(link) : options.TimePerItem;
            options.QueueTime = QueueMs is { } queue ? TimeSpan.FromMilliseconds(queue) : options.QueueTime;
            options.StopsAfter = StopsAfter is { } items ? items == 0 ? null : items : options.StopsAfter;
            options.TokenLifetime = TokenSeconds is { } lifetime ? TimeSpan.FromSeconds(lifetime) : options.TokenLifetime;
            options.MaxPageSize = MaxPageSize ?? options.MaxPageSize;
            options.IsMissing = Rule(IsMissing) ?? options.IsMissing;
            options.IsNotShared = Rule(IsNotShared) ?? options.IsNotShared;
            options.LinkFails = Rule(LinkFails) ?? options.LinkFails;
            options.LinksPartly = Rule(LinksPartly) ?? options.LinksPartly;
            options.Forbids = Rule(Forbids) ?? options.Forbids;
            options.HasNoProject = Rule(HasNoProject) ?? options.HasNoProject;
            options.CursorEnd = CursorEnd ?? options.CursorEnd;
            options.RepeatsToken = RepeatsToken ?? options.RepeatsToken;
            options.HidesJob = HidesJob ?? options.HidesJob;
            options.SaysOfJobs = SaysOfJobs is { } job ? job.Length == 0 ? null : job : options.SaysOfJobs;
            options.SaysOfLinked = SaysOfLinked is { } item ? item.Length == 0 ? null : item : options.SaysOfLinked;
        }

        private static Func<string, bool>? Rule(string[]? patterns) => patterns is null ? null : IcaOptions.IdsLike(patterns);
    }
}
