using IngestTools.Connections;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>What this connection knows of a project and no route of the server tells: left-over files, and whether the mapping was saved.</summary>
internal sealed class ProjectMemory : IDisposable
{
    private readonly object _lock = new();
    private UploadedNames? _leftOvers;
    private long _uploadsSinceStart;
    private long _savedRows = -1;

    public static ProjectMemory Of(IngestConnection connection, Shortcode shortcode) =>
        (ProjectMemory)connection.Memory.GetOrAdd($"project {shortcode}", static _ => new ProjectMemory());

    /// <summary>A file was uploaded, and no ingest was started since.</summary>
    public void Uploaded() => Interlocked.Increment(ref _uploadsSinceStart);

    /// <summary>What the next run should ingest: what was uploaded, and what the last run left over. Null where it is not known by name.</summary>
    public UploadedNames? Expect(UploadedNames? uploads)
    {
        lock (_lock)
        {
            if (uploads is null)
                return Interlocked.Read(ref _uploadsSinceStart) == 0 ? _leftOvers : null;
            if (_leftOvers is null)
                return uploads;
            // A left-over that was sent again is one file, not two.
            SeenKeys sent = new();
            foreach (string name in uploads.Read())
                sent.Add(name);
            foreach (string name in _leftOvers.Read().Where(name => !sent.Contains(name)))
                uploads.Add(name);
            return uploads;
        }
    }

    /// <summary>A run was started, or the project finalized: what was known of left-overs and of the mapping no longer holds.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _leftOvers = null;
            _savedRows = -1;
            Interlocked.Exchange(ref _uploadsSinceStart, 0);
        }
    }

    /// <summary>A run ended with these files left over.</summary>
    public void Ended(UploadedNames leftOvers)
    {
        lock (_lock)
            _leftOvers = leftOvers.Count > 0 ? leftOvers : null;
    }

    /// <summary>A mapping of so many rows was saved.</summary>
    public void Saved(long rows)
    {
        lock (_lock)
            _savedRows = rows;
    }

    /// <summary>Files known to lie on the server without having been ingested, and the first of them where its name is known.</summary>
    public (long Count, string? First) Waiting()
    {
        lock (_lock)
            return ((_leftOvers?.Count ?? 0) + Interlocked.Read(ref _uploadsSinceStart), _leftOvers?.Read().FirstOrDefault());
    }

    /// <summary>Rows in the mapping that was saved last; null where none was since the last run.</summary>
    public long? SavedRows()
    {
        lock (_lock)
            return _savedRows < 0 ? null : _savedRows;
    }

    public void Dispose() => _leftOvers?.Dispose();
}
