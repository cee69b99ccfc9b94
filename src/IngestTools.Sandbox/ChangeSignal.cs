namespace IngestTools.Sandbox;

/// <summary>Lets a test await a condition on the sandbox's state: every change of state pulses, and waiters look again.</summary>
internal sealed class ChangeSignal
{
    private TaskCompletionSource? _waiters;

    /// <summary>Says that something changed. Costs one read while nobody waits, so hot paths may call it.</summary>
    public void Pulse()
    {
        if (Volatile.Read(ref _waiters) is not null)
            Interlocked.Exchange(ref _waiters, null)?.TrySetResult();
    }

    /// <summary>Returns as soon as <paramref name="condition"/> holds.</summary>
    public async Task WaitUntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before the condition is looked at: a change in between is then not missed.
            Task changed = NextPulse();
            if (condition())
                return;
            await changed.WaitAsync(cancellationToken);
        }
    }

    private Task NextPulse()
    {
        TaskCompletionSource own = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _waiters, own, null) ?? own).Task;
    }
}
