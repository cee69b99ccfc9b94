namespace IngestTools.Uploads;

/// <summary>Counts results, and keeps none of them.</summary>
public sealed class UploadTotals
{
    private readonly HashSet<(string?, string?, string?, string?)> _places = [];
    private readonly long[] _files = new long[Enum.GetValues<UploadStatus>().Length];
    private long _bytes;

    /// <summary>Counts a result.</summary>
    public void Add(UploadResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        _files[(int)result.Status]++;
        if (result.Status is UploadStatus.Uploaded or UploadStatus.Planned)
            _bytes += result.Length;
        // The summary names the place only where there is one.
        if (_places.Count < 2)
            _places.Add((result.Shortcode, result.Hierarchy, result.Connection, result.Server));
    }

    /// <summary>The sum of all results so far.</summary>
    /// <param name="failures">Their failures.</param>
    /// <param name="duration">How long the call took.</param>
    /// <param name="job">The call's id in the journal; null where it recorded nothing.</param>
    public UploadSummary Sum(FailureTally failures, TimeSpan duration, string? job)
    {
        ArgumentNullException.ThrowIfNull(failures);
        (string? shortcode, string? hierarchy, string? connection, string? server) = _places.Count == 1 ? _places.Single() : default;
        return new UploadSummary
        {
            Shortcode = shortcode,
            Hierarchy = hierarchy,
            Uploaded = _files[(int)UploadStatus.Uploaded],
            Planned = _files[(int)UploadStatus.Planned],
            Skipped = _files[(int)UploadStatus.Skipped],
            Failed = _files[(int)UploadStatus.Failed],
            Bytes = _bytes,
            Duration = duration,
            Failures = [.. failures.ReadReasons()],
            Job = job,
            Connection = connection,
            Server = server,
        };
    }
}
