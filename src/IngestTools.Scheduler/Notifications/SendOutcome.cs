namespace IngestTools.Scheduler.Notifications;

/// <summary>What became of an attempt to report a run.</summary>
/// <param name="Reason">Why it failed; null where it was sent.</param>
/// <param name="IsFinal">Whether another attempt would fail in the same way.</param>
internal sealed record SendOutcome(string? Reason, bool IsFinal)
{
    public static SendOutcome Sent { get; } = new(null, true);
}
