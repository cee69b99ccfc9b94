using IngestTools.Connections;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// What this connection knows of a project and no route of the server tells: the run that it started last, files that were uploaded since,
/// and whether the mapping was saved.
/// </summary>
internal sealed class ProjectMemory : IDisposable
{
    private readonly object _lock = new();
    private BulkIngestRun? _run;
    private long _uploadsSinceStart;
    private long? _savedRows;

    /// <summary>The run that was started last; null where none was since the project was finalized.</summary>
    public BulkIngestRun? Run
    {
        get
        {
            lock (_lock)
                return _run;
        }
    }

    /// <summary>Files that were uploaded and not yet asked to be ingested.</summary>
    public long UploadsSinceStart => Interlocked.Read(ref _uploadsSinceStart);

    /// <summary>Rows in the mapping that was saved last; null where none was since the last run.</summary>
    public long? SavedRows
    {
        get
        {
            lock (_lock)
                return _savedRows;
        }
    }

    public static ProjectMemory Of(IngestConnection connection, Shortcode shortcode) =>
        (ProjectMemory)connection.Memory.GetOrAdd($"project {shortcode}", static _ => new ProjectMemory());

    /// <summary>A file was uploaded.</summary>
    public void Uploaded() => Interlocked.Increment(ref _uploadsSinceStart);

    /// <summary>
    /// What the next run should ingest: what was uploaded, and what the last run left over. Null where it is not known by name.
    /// </summary>
    public UploadedNames? Expect(UploadedNames? uploads)
    {
        UploadedNames? leftOvers = Run?.LeftOvers;
        if (uploads is null)
            return leftOvers is { Count: > 0 } && UploadsSinceStart == 0 ? leftOvers : null;
        if (leftOvers is null or { Count: 0 })
            return uploads;
        // A left-over that was sent again is one file, not two.
        foreach (UploadedName file in leftOvers.ReadFiles())
            uploads.Add(file.Name, file.Sha256, file.Path);
        return uploads;
    }

    /// <summary>A run was started: it takes up what lies on the server, and the mapping will change.</summary>
    /// <param name="run">The run; null where what it should ingest is not known.</param>
    public void Started(BulkIngestRun? run)
    {
        lock (_lock)
        {
            _run = run;
            _savedRows = null;
            Interlocked.Exchange(ref _uploadsSinceStart, 0);
        }
    }

    /// <summary>A mapping with a number of rows was saved.</summary>
    public void Saved(long rows)
    {
        lock (_lock)
            _savedRows = rows;
    }

    public void Dispose() => _run?.Dispose();
}
