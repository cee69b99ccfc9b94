using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IngestTools.Http;

/// <summary>The sources that OpenTelemetry listens to. Both are named IngestTools.</summary>
public static class IngestDiagnostics
{
    /// <summary>The name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string Name = "IngestTools";

    internal static readonly ActivitySource Activities = new(Name);

    internal static readonly Meter Meter = new(Name);

    internal static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "ingesttools.requests",
        "{request}",
        "Requests that were sent."
    );

    internal static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "ingesttools.retries",
        "{request}",
        "Requests that were sent again."
    );

    internal static readonly Counter<long> UploadedFiles = Meter.CreateCounter<long>(
        "ingesttools.uploaded_files",
        "{file}",
        "Files that were uploaded."
    );

    internal static readonly Counter<long> UploadedBytes = Meter.CreateCounter<long>(
        "ingesttools.uploaded_bytes",
        "By",
        "Bytes in the files that were uploaded."
    );
}
