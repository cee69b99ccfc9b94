using IngestTools.Http.Handlers;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace IngestTools.Http;

/// <summary>
/// What is done about failed attempts, by the kind of the operation: wait for outages, total timeout, retry, circuit breaker, attempt
/// timeout, in this order. An upload has no timeouts here.
/// </summary>
internal sealed class ResiliencePipelines
{
    /// <summary>The first pause before sending again; the next ones double, each with full jitter.</summary>
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The breaker opens when half of at least this number of requests failed within the window: a few bad answers in a long upload are not
    /// an outage.
    /// </summary>
    private const int BreakerThroughput = 20;

    private const double BreakerRatio = 0.5;

    private static readonly TimeSpan BreakerWindow = TimeSpan.FromSeconds(30);

    /// <summary>The longest time that a pipeline counts.</summary>
    private static readonly TimeSpan LongestTime = TimeSpan.FromHours(24);

    private readonly IngestService _service;
    private readonly int _maxAttempts;
    private readonly Outage _outage;
    private readonly CircuitBreakerStateProvider _breakerState = new();
    private readonly ResiliencePipeline<HttpResponseMessage> _breaker;
    private readonly ResiliencePipeline<HttpResponseMessage> _repeatable;
    private readonly ResiliencePipeline<HttpResponseMessage> _once;
    private readonly ResiliencePipeline<HttpResponseMessage> _upload;

    /// <param name="service">The service.</param>
    /// <param name="maxAttempts">How often an operation is sent at most.</param>
    /// <param name="attemptTimeout">How long one attempt may take.</param>
    /// <param name="outage">Waits for outages.</param>
    /// <param name="time">The clock.</param>
    public ResiliencePipelines(IngestService service, int maxAttempts, TimeSpan attemptTimeout, Outage outage, TimeProvider time)
    {
        _service = service;
        _maxAttempts = maxAttempts;
        _outage = outage;
        // All kinds share the breaker: an outage is one of the service, not of a kind of request.
        _breaker = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddCircuitBreaker(CreateBreaker())
            .Build();
        HttpTimeoutStrategyOptions ofAttempt = new() { Timeout = Clamp(attemptTimeout) };
        HttpTimeoutStrategyOptions total = new() { Timeout = Clamp((ofAttempt.Timeout + HttpFailure.LongestRetryAfter) * maxAttempts) };
        _repeatable = Create(CreateRetry(static (_, _) => true));
        _once = Create(CreateRetry(HasNotActed));
        _upload = outage.CreatePipeline<HttpResponseMessage>().AddRetry(CreateRetry(static (_, _) => true)).AddPipeline(_breaker).Build();

        ResiliencePipeline<HttpResponseMessage> Create(HttpRetryStrategyOptions retry) =>
            outage
                .CreatePipeline<HttpResponseMessage>()
                .AddTimeout(total)
                .AddRetry(retry)
                .AddPipeline(_breaker)
                .AddTimeout(ofAttempt)
                .Build();
    }

    /// <summary>Whether the circuit breaker lets all requests pass.</summary>
    public bool IsCircuitClosed => _breakerState.CircuitState == CircuitState.Closed;

    /// <summary>The pipeline of a request's operation.</summary>
    public ResiliencePipeline<HttpResponseMessage> For(HttpRequestMessage request) =>
        RequestContext.Of(request).Operation switch
        {
            { IsUpload: true } => _upload,
            { Kind: OperationKind.Once } => _once,
            _ => _repeatable,
        };

    /// <summary>Lets the circuit breaker count a first attempt that succeeded. It waits only where this closes the circuit.</summary>
    public ValueTask<Outcome<HttpResponseMessage>> CountAsync(HttpResponseMessage response, ResilienceContext context) =>
        _breaker.ExecuteOutcomeAsync(static (_, response) => ValueTask.FromResult(Outcome.FromResult(response)), context, response);

    private static TimeSpan Clamp(TimeSpan time) => time < LongestTime ? time : LongestTime;

    private HttpRetryStrategyOptions CreateRetry(Func<RequestContext, Exception, bool> mayBeRepeated) =>
        new()
        {
            // The attempts are counted in MayBeSentAgain.
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = arguments =>
                ValueTask.FromResult(
                    arguments.Outcome.Exception is { } failure
                        && MayBeSentAgain(RequestContext.Of(arguments.Context), failure, mayBeRepeated)
                ),
            DelayGenerator = static arguments =>
                ValueTask.FromResult<TimeSpan?>(DelayBefore(RequestContext.Of(arguments.Context), arguments.Outcome.Exception)),
            OnRetry = static arguments =>
            {
                IngestDiagnostics.Retries.Add(1);
                RequestContext context = RequestContext.Of(arguments.Context);
                context.Retrying();
                context.Logger.LogInformation(
                    "'{Operation}'{Target} is sent again in {Delay:0.0} s: {Reason}",
                    context.Name,
                    context.Operation.Target is string target ? $" of {target}" : "",
                    arguments.RetryDelay.TotalSeconds,
                    arguments.Outcome.Exception?.Message
                );
                return default;
            },
        };

    private bool MayBeSentAgain(RequestContext context, Exception failure, Func<RequestContext, Exception, bool> mayBeRepeated)
    {
        if (failure is BrokenCircuitException || (_outage.IsWaitedFor && Outage.IsUnreachable(failure)))
            return false;
        if (failure is LateConsentException)
            return true;
        if (++context.Failures >= _maxAttempts || !mayBeRepeated(context, failure))
            return false;
        if (failure is TimeoutRejectedException)
            return true;
        return failure is IngestException { IsTransient: true, IsBeforeSending: false } error
            && context.Operation.IsFinal?.Invoke(error.ErrorId) != true;
    }

    /// <summary>Whether the server cannot have done what was asked, or said that it did not.</summary>
    private static bool HasNotActed(RequestContext context, Exception failure) =>
        failure is IngestException error ? !error.MayHaveActed : !context.IsSent;

    /// <summary>
    /// Full jitter: anything from nothing to the exponential delay, so that clients that failed together do not return together.
    /// </summary>
    private static TimeSpan DelayBefore(RequestContext context, Exception? failure)
    {
        if (failure is IngestException { RetryAfter: { } asked })
            return asked + TimeSpan.FromMilliseconds(Random.Shared.Next(0, 250));
        TimeSpan exponential = FirstDelay * Math.Pow(2, Math.Max(1, context.Failures) - 1);
        return Random.Shared.NextDouble() * (exponential < LongestDelay ? exponential : LongestDelay);
    }

    private HttpCircuitBreakerStrategyOptions CreateBreaker() =>
        new()
        {
            FailureRatio = BreakerRatio,
            MinimumThroughput = BreakerThroughput,
            SamplingDuration = BreakerWindow,
            BreakDuration = Outage.LongestPause,
            StateProvider = _breakerState,
            ShouldHandle = static arguments => ValueTask.FromResult(IsOutage(arguments.Outcome.Exception)),
            OnOpened = arguments =>
            {
                _outage.CircuitOpened();
                RequestContext
                    .Of(arguments.Context)
                    .Logger.LogInformation(
                        "{Service} keeps failing; nothing is sent for {Pause:0} s. {Reason}",
                        _service,
                        arguments.BreakDuration.TotalSeconds,
                        arguments.Outcome.Exception?.Message
                    );
                return default;
            },
            OnClosed = arguments =>
            {
                _outage.CircuitClosed(RequestContext.Of(arguments.Context).Logger);
                return default;
            },
        };

    /// <summary>
    /// Whether a failure is one of the service as a whole. A refused request is not, nor is one that the server asked to send later.
    /// </summary>
    private static bool IsOutage(Exception? failure) =>
        failure
            is TimeoutRejectedException
                or IngestException { ErrorId: ErrorId.ServerError or ErrorId.ConnectionFailed or ErrorId.TimedOut };
}
