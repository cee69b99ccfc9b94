using IngestTools.Logging;
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
    /// The maximum number of reasons that are kept apart. Where each file has a reason of its own, the later ones are counted together.
    /// </summary>
    private const int MaxReasons = 1000;

    private readonly Dictionary<string, Reason> _reasons = new(StringComparer.Ordinal);
    private Reason? _others;

    /// <summary>The uploads that failed.</summary>
    public long Count { get; private set; }

    /// <summary>The error that most files have, and how many have it; null where none failed.</summary>
    public (IngestException Error, long Count)? Commonest =>
        _reasons.Values.MaxBy(reason => reason.Count) is { } most ? (most.First, most.Count) : null;

    /// <summary>The first error of each reason and the number of files that have the reason, the most common first. Last are the
    /// reasons that were not kept apart, as one.</summary>
    public IEnumerable<(IngestException Error, long Count)> ReadErrors() => Ordered().Select(reason => (reason.First, reason.Count));

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
        Reason reason = FindReason(failed, error);
        reason.Count++;
        if (reason.Count > (reason.IsForAll ? 1 : ReportedEach))
            return null;
        reason.Reported++;
        // It is not about one file.
        return WithTarget(error, reason.IsForAll ? failed.Shortcode ?? failed.Hierarchy : failed.Path);
    }

    /// <summary>What was not reported one by one: one sentence for each reason, the most common first.</summary>
    public IEnumerable<(IngestException Error, string Message)> ReadFolded() =>
        from reason in Ordered()
        where reason.Count > reason.Reported
        select (reason.First, Describe(reason));

    /// <summary>Each reason once, the commonest first. Last are the reasons that were not kept apart, as one.</summary>
    public IEnumerable<UploadFailureReason> ReadReasons() =>
        from reason in Ordered()
        select new UploadFailureReason(
            reason.First.ErrorId,
            reason.Count,
            reason == _others ? $"Other reasons, the first: {reason.First.Message}" : reason.First.Message
        );

    private IEnumerable<Reason> Ordered()
    {
        IEnumerable<Reason> ordered = _reasons.Values.OrderByDescending(reason => reason.Count);
        return _others is null ? ordered : ordered.Append(_others);
    }

    private Reason FindReason(UploadResult failed, IngestException error)
    {
        string key = KeyOf(failed, error);
        if (_reasons.TryGetValue(key, out Reason? reason))
            return reason;
        if (_reasons.Count == MaxReasons)
            return _others ??= new Reason(error, isForAll: false);
        reason = new Reason(error, isForAll: TargetFailure.IsForEveryFile(error));
        _reasons.Add(key, reason);
        return reason;
    }

    /// <summary>The error that is in the result, where it names the target already.</summary>
    private static IngestException WithTarget(IngestException error, string? target) =>
        Equals(error.Target, target) ? error : error.With(target: target);

    private string Describe(Reason reason)
    {
        long more = reason.Count - reason.Reported;
        if (reason == _others)
            return $"{Quantity.Of(more, "more file")} failed for other reasons than the first {MaxReasons:N0}.";
        return reason.IsForAll
            ? $"{reason.Count:N0} files were not sent for one reason ({reason.First.ErrorId}), which each result has as its Error."
            : $"{more:N0} more {(more == 1 ? "file" : "files")} failed for the same reason, {reason.Count:N0} in all: "
                + $"{reason.First.Message}";
    }

    /// <summary>The reason without the file that it is reported for.</summary>
    private static string KeyOf(UploadResult failed, IngestException error) =>
        $"{error.ErrorId} {error.StatusCode} {RepeatedText.WithoutNames(error.Message, failed.Path, failed.RemoteName)}";

    private sealed class Reason(IngestException first, bool isForAll)
    {
        public IngestException First => first;

        public bool IsForAll => isForAll;

        public long Count { get; set; }

        public long Reported { get; set; }
    }
}
