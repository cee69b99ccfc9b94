using System.Collections.Concurrent;

namespace IngestTools.Sandbox;

/// <summary>What every imitated service shares: the clock, the end, chance, and the signal that something changed.</summary>
internal sealed class SandboxEnvironment : IDisposable
{
    /// <summary>The maximum time to wait for work that ignores the end.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _work = new();
    private readonly Random _random;

    public SandboxEnvironment(SandboxOptions options, ILogger logger)
    {
        Logger = logger;
        Clock = options.Clock;
        DataFolder = options.DataFolder;
        Seed = options.Seed ?? Random.Shared.Next();
        _random = new Random(Seed);
    }

    public TimeProvider Clock { get; }

    public ILogger Logger { get; }

    public string? DataFolder { get; }

    public int Seed { get; }

    public ChangeSignal Changes { get; } = new();

    /// <summary>Cancelled when the sandbox ends: nothing may outlive it.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public void Stop() => _stopping.Cancel();

    /// <summary>
    /// Work that continues after its request was answered. The sandbox waits for it when it ends, so that nothing writes to its data
    /// afterwards.
    /// </summary>
    public void Track(Task work)
    {
        _work.TryAdd(work, true);
        work.ContinueWith(
            done => _work.TryRemove(done, out _),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }

    /// <summary>Ends when all tracked work has ended. Called after <see cref="Stop"/>.</summary>
    public async Task WaitForWorkAsync() =>
        await Task.WhenAll(_work.Keys).WaitAsync(EndLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public void Dispose() => _stopping.Dispose();

    public Task DelayAsync(TimeSpan delay) => delay > TimeSpan.Zero ? Task.Delay(delay, Clock, Stopping) : Task.CompletedTask;

    /// <summary>Characters chosen at random; System.Random is not safe for threads when seeded.</summary>
    public string NextString(string alphabet, int length)
    {
        lock (_random)
            return new string(_random.GetItems<char>(alphabet, length));
    }

    public void Shuffle<T>(T[] values)
    {
        lock (_random)
            _random.Shuffle(values);
    }
}
