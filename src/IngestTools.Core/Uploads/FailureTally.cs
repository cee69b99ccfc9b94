using IngestTools.Uploads;

namespace IngestTools;

/// <summary>
/// Counts failed uploads by their reason, so that one reason is reported once: a wrong token for 2,000 files is one error, and 2,000
/// answers of the same words are a few errors and a count. Every file's result has the reason.
/// </summary>
public sealed class FailureTally
{
    /// <summary>The number of files that are reported one by one for each reason.</summary>
    public const int ReportedEach = 10;

    /// <summary>
    /// The maximum number of reasons that are kept apart. Where each file has a reason of its own, the later ones are reported one by one.
    /// </summary>
    private const int MaxReasons = 1000;

    private readonly Dictionary<string, Reason> _reasons = new(StringComparer.Ordinal);

    /// <summary>The uploads that failed.</summary>
    public long Count { get; private set; }

    /// <summary>The error that most files have, and how many have it; null where none failed.</summary>
    public (IngestException Error, long Count)? Commonest =>
        _reasons.Values.MaxBy(reason => reason.Count) is { } most ? (most.First, most.Count) : null;

    /// <summary>The first error of each reason and the number of files that have the reason, the most common first.</summary>
    public IEnumerable<(IngestException Error, long Count)> ReadErrors() =>
        from reason in _reasons.Values
        orderby reason.Count descending
        select (reason.First, reason.Count);

    /// <summary>Counts a failed upload.</summary>
    /// <param name="failed">Its result.</param>
    /// <returns>The error to report; null where its reason has been reported often enough.</returns>
    public IngestException? Add(UploadResult failed)
    {
        ArgumentNullException.ThrowIfNull(failed);
        Count++;
        // A result that was read from a file has lost its reason.
        if (failed.Error is not { } error)
            return null;
        string key = KeyOf(failed, error);
        if (!_reasons.TryGetValue(key, out Reason? reason))
        {
            if (_reasons.Count == MaxReasons)
                return WithTarget(error, failed.Path);
            _reasons.Add(key, reason = new Reason(error, IsForAll: TargetFailure.IsForEveryFile(error)));
        }

        reason.Count++;
        if (reason.Count > (reason.IsForAll ? 1 : ReportedEach))
            return null;
        reason.Reported++;
        // It is not about one file.
        return WithTarget(error, reason.IsForAll ? failed.Shortcode ?? failed.Hierarchy : failed.Path);
    }

    /// <summary>What was not reported one by one: one sentence for each reason, the most common first.</summary>
    public IEnumerable<(IngestException Error, string Message)> ReadFolded() =>
        from reason in _reasons.Values
        where reason.Count > reason.Reported
        orderby reason.Count descending
        select (reason.First, Describe(reason));

    /// <summary>Each reason once, the commonest first.</summary>
    public IEnumerable<UploadFailureReason> ReadReasons() =>
        from reason in ReadErrors()
        select new UploadFailureReason(reason.Error.ErrorId, reason.Count, reason.Error.Message);

    /// <summary>The error that is in the result, where it names the target already.</summary>
    private static IngestException WithTarget(IngestException error, string? target) =>
        Equals(error.Target, target) ? error : error.With(target: target);

    private static string Describe(Reason reason)
    {
        long more = reason.Count - reason.Reported;
        return reason.IsForAll
            ? $"{reason.Count:N0} files were not sent for one reason ({reason.First.ErrorId}), which each result has as its Error."
            : $"{more:N0} more {(more == 1 ? "file" : "files")} failed for the same reason, {reason.Count:N0} in all: "
                + $"{reason.First.Message}";
    }

    /// <summary>The reason without the file that it is reported for.</summary>
    private static string KeyOf(UploadResult failed, IngestException error)
    {
        string reason = Without(error.Message, Http.Redaction.EscapeControls(failed.Path));
        return $"{error.ErrorId} {error.StatusCode} {Without(reason, Http.Redaction.EscapeControls(failed.RemoteName))}";
    }

    private static string Without(string text, string part) => part.Length == 0 ? text : text.Replace(part, "", StringComparison.Ordinal);

    private sealed record Reason(IngestException First, bool IsForAll)
    {
        public long Count { get; set; }

        public long Reported { get; set; }
    }
}
