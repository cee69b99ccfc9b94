using System.ComponentModel;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>The options of DSP-INGEST. Those that are not set stay as they are.</summary>
internal sealed record DspIngestSettings
{
    [Description("the release of DSP-INGEST; default current")]
    public DspIngestRelease? Release { get; init; }

    [Description("milliseconds that the ingest of a file takes; default 2")]
    public double? IngestMs { get; init; }

    [Description("milliseconds that a finalize takes after its answer; default 20")]
    public double? FinalizeMs { get; init; }

    [Description("files with a name like this (* stands for any text) fail to ingest and are left over; can be given several times")]
    public string[]? IngestFails { get; init; }

    [Description("files with a name like this are left over by their first ingest in each project; can be given several times")]
    public string[]? IngestFailsOnce { get; init; }

    [Description("the server reports a wrong checksum for files with a name like this; can be given several times")]
    public string[]? CorruptsChecksum { get; init; }

    [Description("the server has the route of assets; default true")]
    public bool? HasAssetsRoute { get; init; }

    [Description("the health check reports that the server is up; default true")]
    public bool? IsHealthy { get; init; }

    public void ApplyTo(DspIngestOptions options)
    {
        options.Release = Release ?? options.Release;
        if (IngestMs is { } ingest)
            options.IngestTimePerFile = TimeSpan.FromMilliseconds(ingest);
        if (FinalizeMs is { } finalize)
            options.FinalizeDelay = TimeSpan.FromMilliseconds(finalize);
        options.IngestFails = Rule(IngestFails) ?? options.IngestFails;
        options.IngestFailsOnce = Rule(IngestFailsOnce) ?? options.IngestFailsOnce;
        options.CorruptsChecksum = Rule(CorruptsChecksum) ?? options.CorruptsChecksum;
        options.HasAssetsRoute = HasAssetsRoute ?? options.HasAssetsRoute;
        options.IsHealthy = IsHealthy ?? options.IsHealthy;
    }

    private static Func<string, bool>? Rule(string[]? patterns) => patterns is null ? null : DspIngestOptions.FilesLike(patterns);
}
