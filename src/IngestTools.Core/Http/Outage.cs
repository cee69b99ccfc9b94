using System.Globalization;
using System.Runtime.CompilerServices;
using IngestTools.Connections;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace IngestTools.Http;

/// <summary>
/// Waits while a connection's server is down: it cannot be reached, or the circuit breaker is open. Such a request was not sent, so that
/// every kind of operation may be sent again, and it does not count as an attempt.
/// </summary>
/// <remarks>
/// The operations of one call share one wait. When it has passed, they fail at once until the server is back, so that a call with 10,000
/// files does not wait 10,000 times. The logger identifies the call: each cmdlet and each scheduled run has its own. A later call waits
/// anew.
/// </remarks>
internal sealed class Outage
{
    /// <summary>The longest pause between two attempts. The circuit breaker pauses for as long.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    /// <summary>A shorter outage is not reported.</summary>
    private static readonly TimeSpan ReportAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A failure that is older says nothing about the present, unless an operation still waits.
    /// </summary>
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromSeconds(30);

    private static readonly ResiliencePropertyKey<OutageWaiter> WaiterKey = new("outage waiter");

    private readonly Outage? _outer;
    private readonly string _server;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly object _lock = new();
    private volatile bool _isWaitedFor;
    private volatile Downtime? _current;

    private Outage(string server, TimeSpan timeout, bool isWaitedFor, TimeProvider time)
    {
        _server = server;
        _timeout = timeout;
        _isWaitedFor = isWaitedFor;
        _time = time;
    }

    private Outage(Outage outer)
    {
        _outer = outer;
        _server = outer._server;
        _time = outer._time;
    }

    /// <summary>Whether an operation would wait now.</summary>
    public bool IsWaitedFor => _outer?.IsWaitedFor ?? (_isWaitedFor && _timeout > TimeSpan.Zero);

    /// <summary>
    /// The outages of a connection's server. Without a timeout of the user's own, a server that never answered is not waited for: its
    /// address may be wrong.
    /// </summary>
    public static Outage Of(ConnectionSettings settings, TimeProvider time) =>
        new(
            $"{settings.Service} at {settings.Uri!.Authority}",
            settings.OutageTimeout ?? IngestConnection.DefaultOutageTimeout,
            isWaitedFor: settings.OutageTimeout is not null,
            time
        );

    /// <summary>Outages that nobody waits for.</summary>
    public static Outage NotWaitedFor(TimeProvider time) => new("", TimeSpan.Zero, isWaitedFor: false, time);

    /// <summary>Outages of a request within an operation, such as a sign-in: the operation waits, and does all of it again.</summary>
    public static Outage LeftTo(Outage outer) => new(outer);

    /// <summary>Whether a failure is that of a server that is down.</summary>
    public static bool IsUnreachable(Exception? failure) => failure is BrokenCircuitException or IngestException { IsUnreachable: true };

    /// <summary>Begins a pipeline with the wait for outages, around whatever sends requests.</summary>
    public ResiliencePipelineBuilder<T> CreatePipeline<T>()
    {
        ResiliencePipelineBuilder<T> builder = new() { TimeProvider = _time };
        return _outer is null ? builder.AddRetry(CreateRetry<T>()) : builder;
    }

    /// <summary>Makes a context in which an operation can wait.</summary>
    public static ResilienceContext Enter(OutageWaiter waiter, CancellationToken cancellationToken)
    {
        ResilienceContext context = ResilienceContextPool.Shared.Get(waiter.Name, cancellationToken);
        context.Properties.Set(WaiterKey, waiter);
        return context;
    }

    /// <summary>The operation of a context.</summary>
    public static OutageWaiter WaiterOf(ResilienceContext context) => context.Properties.GetValue(WaiterKey, null!);

    /// <summary>The operation has ended.</summary>
    public void Leave(OutageWaiter waiter, ResilienceContext context)
    {
        ResilienceContextPool.Shared.Return(context);
        if (waiter.Wait is null)
            return;
        lock (_lock)
            waiter.Wait.Leave();
    }

    /// <summary>
    /// The server answered a request that was sent at this time, with whatever status, and no sign-in that it needed was kept from its
    /// server.
    /// </summary>
    public void Answered(long sentAt, ILogger logger)
    {
        if (!_isWaitedFor)
            _isWaitedFor = true;
        // A server that shuts down still answers what it took before. An open breaker closes when it finds the answers good.
        if (_current is { IsCircuitOpen: false } current && sentAt >= current.LastFailure)
            End(current, logger);
    }

    /// <summary>The circuit breaker opened.</summary>
    public void CircuitOpened()
    {
        lock (_lock)
            Fail(_time.GetTimestamp()).IsCircuitOpen = true;
    }

    /// <summary>The circuit breaker closed.</summary>
    public void CircuitClosed(ILogger logger)
    {
        if (_current is { } current)
            End(current, logger);
    }

    /// <summary>
    /// The error of an operation that waited, or belongs to a call that did: says since when the server is down and how long the call
    /// waited.
    /// </summary>
    public IngestException Explain(OutageWaiter waiter, IngestException error) =>
        waiter.GaveUpOn is not { } downtime
            ? error
            : error.With(
                message: $"{error.Message} {_server} has been unavailable since {downtime.Clock}; this call waited "
                    + $"{Seconds(_timeout)} for it.",
                advice: $"{error.Advice} A connection with a longer -OutageTimeout waits longer.".TrimStart()
            );

    private RetryStrategyOptions<T> CreateRetry<T>() =>
        new()
        {
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = arguments =>
                ValueTask.FromResult(
                    IsUnreachable(arguments.Outcome.Exception)
                        && IsWaitedFor
                        && MayWait(WaiterOf(arguments.Context), arguments.Outcome.Exception!)
                ),
            DelayGenerator = arguments =>
                ValueTask.FromResult<TimeSpan?>(PauseBefore(WaiterOf(arguments.Context), arguments.Outcome.Exception!)),
            OnRetry = arguments =>
            {
                OutageWaiter waiter = WaiterOf(arguments.Context);
                IngestDiagnostics.Retries.Add(1);
                waiter.Pausing(wasTried: arguments.Outcome.Exception is not BrokenCircuitException);
                if (waiter.Logger.IsEnabled(LogLevel.Debug))
                {
                    waiter.Logger.LogDebug(
                        "'{Operation}' waits {Delay:0.0} s for {Server}: {Reason}",
                        waiter.Name,
                        arguments.RetryDelay.TotalSeconds,
                        _server,
                        Reason(arguments.Outcome.Exception!)
                    );
                }

                return default;
            },
        };

    private bool MayWait(OutageWaiter waiter, Exception failure)
    {
        bool isToReport;
        bool mayWait;
        Downtime downtime;
        lock (_lock)
        {
            long now = _time.GetTimestamp();
            downtime = Fail(now);
            Join(waiter, downtime, now);
            CallWait wait = waiter.Wait!;
            mayWait = _time.GetElapsedTime(wait.Since, now) < _timeout;
            if (!mayWait)
                waiter.GaveUpOn = downtime;
            bool isLong = downtime.IsCircuitOpen || _time.GetElapsedTime(downtime.Since, now) >= ReportAfter;
            isToReport = isLong && !IsReported(downtime, wait);
            if (isToReport)
                downtime.ReportedTo = wait;
        }

        if (isToReport)
        {
            waiter.Logger.LogWarning(
                "{Server} has been unavailable since {Since}. {Wait} {Reason}",
                _server,
                downtime.Clock,
                mayWait ? $"Waiting up to {Seconds(_timeout)} for it to come back." : $"This call waited {Seconds(_timeout)} for it.",
                Reason(failure)
            );
        }

        return mayWait;
    }

    /// <summary>Counts a failure to the current downtime. A new one begins where there is none, or the last failure was long ago.</summary>
    private Downtime Fail(long now)
    {
        Downtime? current = _current;
        if (current is null || (current.Waiters == 0 && _time.GetElapsedTime(current.LastFailure, now) > ForgetAfter))
            _current = current = new Downtime(now, _time.GetLocalNow()) { IsCircuitOpen = current?.IsCircuitOpen == true };
        current.LastFailure = now;
        return current;
    }

    private static void Join(OutageWaiter waiter, Downtime downtime, long now)
    {
        CallWait wait = downtime.Waits.GetValue(waiter.Logger, _ => new CallWait(downtime, now));
        if (ReferenceEquals(waiter.Wait, wait))
            return;
        waiter.Wait?.Leave();
        wait.Enter();
        waiter.Wait = wait;
        waiter.Pauses = 0;
    }

    /// <summary>Whether a person who waits with this call was informed: by this call, or by another that still waits.</summary>
    private static bool IsReported(Downtime downtime, CallWait wait) =>
        ReferenceEquals(downtime.ReportedTo, wait) || downtime.ReportedTo is { Waiters: > 0 };

    /// <summary>Full jitter, as for other retries; never beyond the end of the wait, which ends with one last attempt.</summary>
    private TimeSpan PauseBefore(OutageWaiter waiter, Exception failure)
    {
        TimeSpan pause = failure is BrokenCircuitException circuit
            ? (circuit.RetryAfter ?? LongestPause) + TimeSpan.FromMilliseconds(Random.Shared.Next(10, 500))
            : Random.Shared.NextDouble() * Min(LongestPause, FirstPause * Math.Pow(2, Math.Min(waiter.Pauses++, 10)));
        TimeSpan left = _timeout - _time.GetElapsedTime(waiter.Wait!.Since);
        // The attempt that finds the outage long enough to report it must not be the one that ends the wait.
        if (_current is { } current && _time.GetElapsedTime(current.Since) is var down && down < ReportAfter)
            left = Min(left, ReportAfter - down);
        return left < TimeSpan.Zero ? TimeSpan.Zero : Min(pause, left);
    }

    private void End(Downtime downtime, ILogger logger)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_current, downtime))
                return;
            _current = null;
        }

        if (downtime.ReportedTo is not null)
            logger.LogInformation("{Server} is back after {Elapsed}.", _server, Seconds(_time.GetElapsedTime(downtime.Since)));
    }

    private static string Reason(Exception failure) =>
        (failure is BrokenCircuitException ? failure.InnerException ?? failure : failure).Message;

    private static string Seconds(TimeSpan time) =>
        time < TimeSpan.FromMinutes(2)
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s")
            : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min");

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>One outage.</summary>
    internal sealed class Downtime(long since, DateTimeOffset clock)
    {
        public long Since { get; } = since;

        public string Clock { get; } = clock.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

        public long LastFailure { get; set; } = since;

        public bool IsCircuitOpen { get; set; }

        /// <summary>How many operations wait.</summary>
        public int Waiters { get; set; }

        /// <summary>The waits, by the logger of their call.</summary>
        public ConditionalWeakTable<ILogger, CallWait> Waits { get; } = new();

        /// <summary>The wait whose call reported the outage last.</summary>
        public CallWait? ReportedTo { get; set; }
    }

    /// <summary>The wait that the operations of one call share.</summary>
    internal sealed class CallWait(Downtime downtime, long since)
    {
        public long Since { get; } = since;

        public int Waiters { get; private set; }

        public void Enter()
        {
            Waiters++;
            downtime.Waiters++;
        }

        public void Leave()
        {
            Waiters--;
            downtime.Waiters--;
        }
    }
}

/// <summary>An operation that may wait for an outage to end.</summary>
internal abstract class OutageWaiter(string name, ILogger logger)
{
    public string Name { get; } = name;

    public ILogger Logger { get; } = logger;

    /// <summary>The wait of its call; null where it met no outage.</summary>
    public Outage.CallWait? Wait { get; set; }

    /// <summary>The outage that its call no longer waits for.</summary>
    public Outage.Downtime? GaveUpOn { get; set; }

    public int Pauses { get; set; }

    /// <summary>
    /// A pause begins. <paramref name="wasTried"/> says whether an attempt preceded it: an open breaker holds back the attempt itself.
    /// </summary>
    public abstract void Pausing(bool wasTried);
}
