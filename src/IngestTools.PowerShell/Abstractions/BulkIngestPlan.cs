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

    /// <summary>The uploads that failed, by their reasons.</summary>
    internal FailureTally Failures { get; } = new();

    internal UploadResult? FirstFailed { get; private set; }

    /// <summary>The first two local files that were sent under one name; null where all names differ.</summary>
    internal (string First, UploadResult Second)? Collision { get; private set; }

    /// <summary>Deletes what was remembered, unless a transaction has it.</summary>
    public void Dispose() => _names?.Dispose();

    internal bool IsFor(IngestConnection connection, string shortcode) =>
        Connection == connection && string.Equals(Shortcode, shortcode, StringComparison.OrdinalIgnoreCase);

    internal void Add(UploadResult upload)
    {
        if (upload.IsOnServer)
        {
            AddOnServer(upload);
        }
        else if (upload.Status == UploadStatus.Failed)
        {
            Failures.Add(upload);
            FirstFailed ??= upload;
        }
    }

    /// <summary>The names that were uploaded, for the transaction to own; null where that is not known.</summary>
    internal UploadedNames? TakeNames()
    {
        UploadedNames? names = _names;
        _names = null;
        return names;
    }

    /// <summary>A name that two local files have is one file on the server: the one that was sent last.</summary>
    private void AddOnServer(UploadResult upload)
    {
        _names ??= new UploadedNames();
        if (_names.Add(upload.RemoteName, upload.Sha256, upload.Path, upload.Status == UploadStatus.Skipped))
        {
            UploadedCount++;
            return;
        }

        UploadedName first = _names.ReadFiles().First(file => file.Name == upload.RemoteName);
        bool isSameContent = first.Sha256 is not null && first.Sha256 == upload.Sha256;
        if (!isSameContent && first.Path != upload.Path)
            Collision ??= (first.Path ?? first.Name, upload);
    }
}
