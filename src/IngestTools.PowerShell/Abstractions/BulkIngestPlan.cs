using IngestTools.Connections;
using IngestTools.Uploads;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A bulk ingest that is to be started: the project, and what is known of its uploads.</summary>
internal sealed class BulkIngestPlan(IngestConnection connection, string shortcode) : IDisposable
{
    private UploadedNames? _names;

    internal IngestConnection Connection { get; } = connection;

    internal string Shortcode { get; } = shortcode;

    /// <summary>Whether the user named the project, and not what was uploaded to it.</summary>
    internal bool IsAskedFor { get; set; }

    internal long UploadedCount { get; private set; }

    internal long FailedCount { get; private set; }

    internal UploadResult? FirstFailed { get; private set; }

    /// <summary>Deletes what was remembered, unless a transaction has it.</summary>
    public void Dispose() => _names?.Dispose();

    internal bool IsFor(IngestConnection connection, string shortcode) =>
        Connection == connection && string.Equals(Shortcode, shortcode, StringComparison.OrdinalIgnoreCase);

    internal void Add(UploadResult upload)
    {
        if (upload.Status == UploadStatus.Uploaded)
        {
            UploadedCount++;
            (_names ??= new UploadedNames()).Add(upload.RemoteName);
        }
        else if (upload.Status == UploadStatus.Failed)
        {
            FailedCount++;
            FirstFailed ??= upload;
        }
    }

    /// <summary>The names that were uploaded, for the transaction to own; null where that is not known.</summary>
    internal UploadedNames? TakeNames()
    {
        UploadedNames? names = _names;
        _names = null;
        return names;
    }}
