using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace IngestTools.Http;

/// <summary>
/// The one HTTP pipeline. An operation passes the wait for outages, total timeout, retry, circuit breaker and attempt timeout, in this order; what is sent
/// again depends on the operation's <see cref="OperationKind"/>.
/// </summary>
internal sealed class IngestHttp : IDisposable
{
    /// <summary>The first pause before sending again; the next ones double, each with full jitter.</summary>
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>The breaker opens when half of at least this number of requests failed within the window: a few bad answers in a long upload are not an outage.</summary>
    private const int BreakerThroughput = 20;

    private const double BreakerRatio = 0.5;

    private static readonly TimeSpan BreakerWindow = TimeSpan.FromSeconds(30);

    /// <summary>The longest time that the pipeline counts.</summary>
    private static readonly TimeSpan LongestTime = TimeSpan.FromHours(24);

    private static readonly ProductInfoHeaderValue UserAgent = new("IngestTools", typeof(IngestHttp).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    private readonly HttpMessageInvoker _invoker;
    private readonly HttpMessageInvoker _freshInvoker;
    private readonly IAuthenticator _authenticator;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline<object> _pipeline;
    private readonly ResiliencePipeline<object> _uploadPipeline;
    private readonly int _maxAttempts;
    private readonly RequestRateLimiter? _rateLimiter;
    private readonly Outage _outage;
    private RequestCredentials? _known;

    /// <param name="service">The service.</param>
    /// <param name="handler">Sends requests over connections that it keeps.</param>
    /// <param name="freshHandler">
    /// Sends each request over a connection of its own, for what must not be sent twice: a load balancer may have cut a connection that was idle, and a
    /// request that goes into such a connection ends with nobody knowing whether the server has seen it.
    /// </param>
    /// <param name="text">Cleans the server's words.</param>
    /// <param name="authenticator">Signs requests.</param>
    /// <param name="maxAttempts">How often a request is sent at most.</param>
    /// <param name="attemptTimeout">How long one attempt may take.</param>
    /// <param name="outage">Waits for outages.</param>
    /// <param name="time">The clock.</param>
    /// <param name="rateLimiter">Keeps requests below a rate; null where there is none.</param>
    public IngestHttp(
        IngestService service,
        HttpMessageHandler handler,
        HttpMessageHandler freshHandler,
        ServerText text,
        IAuthenticator authenticator,
        int maxAttempts,
        TimeSpan attemptTimeout,
        Outage outage,
        TimeProvider time,
        RequestRateLimiter? rateLimiter = null)
    {
        Service = service;
        Text = text;
        _invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        _freshInvoker = new HttpMessageInvoker(freshHandler, disposeHandler: false);
        _authenticator = authenticator;
        _maxAttempts = maxAttempts;
        _outage = outage;
        _rateLimiter = rateLimiter;
        _time = time;
        // Both pipelines share the breaker: an outage is one of the service, not of a kind of request.
        ResiliencePipeline<object> breaker = new ResiliencePipelineBuilder<object> { TimeProvider = time }.AddCircuitBreaker(CreateBreaker()).Build();
        attemptTimeout = Clamp(attemptTimeout);
        TimeSpan total = Clamp((attemptTimeout + HttpFailure.LongestRetryAfter) * maxAttempts);
        _pipeline = new ResiliencePipelineBuilder<object> { TimeProvider = time }
            .AddPipeline(outage.Pipeline)
            .AddTimeout(total)
            .AddRetry(CreateRetry())
            .AddPipeline(breaker)
            .AddTimeout(attemptTimeout)
            .Build();
        _uploadPipeline = new ResiliencePipelineBuilder<object> { TimeProvider = time }
            .AddPipeline(outage.Pipeline)
            .AddRetry(CreateRetry())
            .AddPipeline(breaker)
            .Build();
    }

    public IngestService Service { get; }

    /// <summary>The door for what the server answers.</summary>
    public ServerText Text { get; }

    /// <summary>Asked right before each request that changes something; what it throws ends the operation, with the request unsent. Null asks nobody.</summary>
    public Func<OperationKind, CancellationToken, ValueTask>? BeforeChange { get; set; }

    /// <summary>
    /// Does an operation and reads its answer. Reading is part of the attempt: an answer that breaks off, or cannot be understood, is as good as none.
    /// </summary>
    /// <typeparam name="T">What <paramref name="read"/> gives.</typeparam>
    /// <exception cref="IngestException">The operation failed, for as often as it may be sent.</exception>
    public async Task<T> SendAsync<T>(
        HttpOperation operation, Func<HttpResponseMessage, CancellationToken, ValueTask<object>> read, ILogger logger, CancellationToken cancellationToken)
        where T : class
    {
        using Activity? activity = IngestDiagnostics.Activities.StartActivity(operation.Name, ActivityKind.Client);
        activity?.SetTag("ingest.service", Service.ToString()).SetTag("url.full", Redaction.Of(operation.Uri));
        operation.Text = Text;
        Call call = new(this, operation, read, logger, cancellationToken);
        ResilienceContext context = Outage.Enter(call, cancellationToken);
        Outcome<object> outcome = await (operation.IsUpload ? _uploadPipeline : _pipeline)
            .ExecuteOutcomeAsync(static (context, call) => call.Http.AttemptAsync(call, context.CancellationToken), context, call).ConfigureAwait(false);
        _outage.Leave(call, context);
        if (outcome.Exception is null)
            return (T)outcome.Result!;
        IngestException? error = ErrorOf(operation, outcome.Exception);
        activity?.SetStatus(ActivityStatusCode.Error, error?.Message);
        if (cancellationToken.IsCancellationRequested)
            throw operation.IsSent ? new OperationCanceledException(cancellationToken) : new NotSentException(cancellationToken);
        if (error is null)
            ExceptionDispatchInfo.Throw(outcome.Exception);
        throw Final(operation, _outage.Explain(call, error!));
    }

    /// <summary>Signs in ahead of the first operation, where that takes a request of its own.</summary>
    /// <exception cref="IngestException">It could not be signed in; the first operation would fail for the same reason.</exception>
    public async Task SignInAsync(ILogger logger, CancellationToken cancellationToken)
    {
        SignIn signIn = new(logger);
        ResilienceContext context = Outage.Enter(signIn, cancellationToken);
        Outcome<object> outcome = await _outage.Pipeline.ExecuteOutcomeAsync(
            static async (context, state) =>
            {
                try
                {
                    await state.Http._authenticator.GetAsync(state.Logger, context.CancellationToken).ConfigureAwait(false);
                    return Outcome.FromResult<object>(state);
                }
                catch (Exception e)
                {
                    return Outcome.FromException<object>(e);
                }
            },
            context, (Http: this, Logger: logger)).ConfigureAwait(false);
        _outage.Leave(signIn, context);
        if (outcome.Exception is IngestException error)
            throw _outage.Explain(signIn, error);
        outcome.ThrowIfException();
    }

    public void Dispose()
    {
        _invoker.Dispose();
        _freshInvoker.Dispose();
    }

    private static TimeSpan Clamp(TimeSpan time) => time < LongestTime ? time : LongestTime;

    /// <summary>One request, or two where the token had ended and could be renewed. What goes wrong is returned, not thrown: it is often only the next attempt's reason.</summary>
    private async ValueTask<Outcome<object>> AttemptAsync(Call call, CancellationToken cancellationToken)
    {
        HttpOperation operation = call.Operation;
        operation.IsSent = false;
        ProgressWatch? watch = null;
        try
        {
            if (operation.Slot is { } slot)
                await slot.EnterAsync(cancellationToken).ConfigureAwait(false);
            for (bool renewed = false; ; renewed = true)
            {
                operation.Attempts++;
                operation.IsSent = false;
                IngestDiagnostics.Requests.Add(1);
                RequestCredentials? signature = operation.RequestCredentials
                    ?? (operation.SignsIn ? await SignAsync(_authenticator.GetAsync(call.Logger, cancellationToken)).ConfigureAwait(false) : null);
                // After the sign-in, whose time is not that of the upload.
                watch?.Dispose();
                watch = operation.IsUpload ? new ProgressWatch(ProgressWatch.TimeLimit, _time, cancellationToken) : null;
                using HttpRequestMessage request = CreateRequest(operation, watch);
                signature?.Sign(request);
                Know(signature);
                if (_rateLimiter is not null)
                    await _rateLimiter.WaitAsync(cancellationToken).ConfigureAwait(false);
                // Last, after all that can take its time: each pause and each sign-in has gone by.
                if (operation.Kind != OperationKind.Safe && await ObjectionAsync(call, watch?.Token ?? cancellationToken).ConfigureAwait(false) is { } objection)
                    return Outcome.FromException<object>(objection);
                watch?.Moved(0);
                Log(call.Logger, request);
                operation.IsSent = true;
                long sentAt = _time.GetTimestamp();
                HttpResponseMessage response = await (operation.Kind == OperationKind.Once ? _freshInvoker : _invoker).SendAsync(request, watch?.Token ?? cancellationToken).ConfigureAwait(false);
                object? answer = null;
                try
                {
                    Log(call.Logger, request, response);
                    bool mayRenew = signature is not null && operation.RequestCredentials is null;
                    bool isRefusal = mayRenew && _authenticator.IsRefusal(response);
                    IngestException error;
                    if (isRefusal || !operation.IsAnswer(response.StatusCode))
                    {
                        error = await HttpFailure.FromAnswerAsync(Service, operation, response, _time, cancellationToken).ConfigureAwait(false);
                    }
                    else
                    {
                        try
                        {
                            answer = await call.Read(response, watch?.Token ?? cancellationToken).ConfigureAwait(false);
                            _outage.Answered(sentAt, call.Logger);
                            return Outcome.FromResult(answer);
                        }
                        catch (IngestException e) when (mayRenew && e.ErrorId == ErrorId.NotSignedIn)
                        {
                            // A page to sign in on, with the status of success.
                            (error, isRefusal) = (e, true);
                        }
                        catch (Exception e) when (e is not (IngestException or OperationCanceledException or HttpRequestException or IOException))
                        {
                            string why = e is InvalidDataException ? Text.Words(e.Message)!.TrimEnd('.') : "its content is not what it should be";
                            error = HttpFailure.Unreadable(Service, operation, $"something that cannot be read ({why})", response.StatusCode, body: null, e);
                        }
                    }

                    if (!isRefusal || renewed || !await SignAsync(_authenticator.RenewAsync(signature!, call.Logger, cancellationToken)).ConfigureAwait(false))
                    {
                        _outage.Answered(sentAt, call.Logger);
                        return Outcome.FromException<object>(error);
                    }

                    call.Logger.LogInformation("{Service} no longer accepted the sign-in; it was renewed, and '{Operation}' is sent again.", Service, operation.Name);
                }
                finally
                {
                    if (!ReferenceEquals(answer, response))
                        response.Dispose();
                }
            }
        }
        catch (Exception e)
        {
            return Outcome.FromException<object>(Understand(operation, e, watch, cancellationToken));
        }
        finally
        {
            watch?.Dispose();
        }
    }

    /// <summary>Runs the guard. Returns its objection, or null where the request may be sent. The guard does not count against the attempt's timeout.</summary>
    private async ValueTask<Exception?> ObjectionAsync(Call call, CancellationToken ofAttempt)
    {
        if (BeforeChange is not { } ask)
            return null;
        try
        {
            await ask(call.Operation.Kind, call.Ended).ConfigureAwait(false);
            return ofAttempt.IsCancellationRequested && !call.Ended.IsCancellationRequested ? new LateConsentException() : null;
        }
        catch (Exception e) when (!call.Ended.IsCancellationRequested)
        {
            return e;
        }
    }

    /// <summary>What fails while signing in has made its own attempts, and left the operation itself unsent.</summary>
    private static async ValueTask<T> SignAsync<T>(ValueTask<T> signing)
    {
        try
        {
            return await signing.ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            throw e.BeforeSending();
        }
    }

    /// <summary>What the request carries is what a server may repeat.</summary>
    private void Know(RequestCredentials? signature)
    {
        if (signature is null || ReferenceEquals(signature, _known))
            return;
        foreach (string secret in signature.Secrets)
            Text.Secrets.Add(secret);
        _known = signature;
    }

    private static void Log(ILogger logger, HttpRequestMessage request, HttpResponseMessage? response = null)
    {
        if (!logger.IsEnabled(LogLevel.Debug))
            return;
        if (response is null)
            logger.LogDebug("{Method} {Uri} ({Headers})", request.Method, Redaction.Of(request.RequestUri), Redaction.Of(request.Headers));
        else
            logger.LogDebug("{Status} from {Uri} ({Headers})", (int)response.StatusCode, Redaction.Of(request.RequestUri), Redaction.Of(response.Headers));
    }

    private static HttpRequestMessage CreateRequest(HttpOperation operation, ProgressWatch? watch)
    {
        HttpRequestMessage request = new(operation.Method, operation.Uri)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = operation.IsUpload ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower,
            Content = operation.Content(watch),
        };
        request.Headers.UserAgent.Add(UserAgent);
        if (operation.Accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", operation.Accept);
        if (operation.ExpectContinue)
            request.Headers.ExpectContinue = true;
        return request;
    }

    /// <summary>The error that an exception of an attempt means.</summary>
    private Exception Understand(HttpOperation operation, Exception exception, ProgressWatch? watch, CancellationToken cancellationToken)
    {
        if (FindIngestException(exception) is { } own)
            return own;
        if (cancellationToken.IsCancellationRequested)
            return exception as OperationCanceledException ?? new OperationCanceledException(exception.Message, exception, cancellationToken);
        if (watch?.HasEnded == true)
            return watch.NoProgress(Service, operation, exception);
        if (exception is HttpRequestException or IOException)
            return HttpFailure.FromException(Service, operation, exception);
        if (exception is not OperationCanceledException)
            return HttpFailure.Unexpected(Service, operation, exception);
        // The handler's own limit for making a connection.
        return new IngestException(ErrorId.TimedOut, $"No connection to {operation.Uri.Authority} came about within the time given.", exception)
        {
            Service = Service,
            Operation = operation.Name,
            IsTransient = true,
            Advice = "Check the address in -Uri, the proxy, and the firewall between.",
            Target = operation.Target,
            IsUnreachable = true,
        };
    }

    /// <summary>An error that the body threw while it was sent (a file that changed) comes back wrapped.</summary>
    private static IngestException? FindIngestException(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is IngestException found)
                return found;
        }

        return null;
    }

    private IngestException? ErrorOf(HttpOperation operation, Exception exception) => exception switch
    {
        IngestException error => error,
        TimeoutRejectedException timeout => TimedOut(operation, timeout),
        BrokenCircuitException circuit => CircuitOpen(operation, circuit),
        _ => null,
    };

    private IngestException TimedOut(HttpOperation operation, TimeoutRejectedException e) =>
        new(ErrorId.TimedOut, $"{Service} did not answer '{operation.Name}' within {e.Timeout.TotalSeconds:0.#} s.", e)
        {
            Service = Service,
            Operation = operation.Name,
            IsTransient = true,
            Advice = "Try again later, or connect with a longer -TimeoutSec.",
            Target = operation.Target,
            MayHaveActed = operation.IsSent,
        };

    private IngestException CircuitOpen(HttpOperation operation, BrokenCircuitException e) =>
        new(ErrorId.CircuitOpen, $"{Service} failed so often that '{operation.Name}' was not sent: {(e.InnerException as IngestException)?.Message ?? "see the errors before"}", e)
        {
            Service = Service,
            Operation = operation.Name,
            IsTransient = true,
            Advice = "Wait until Test-IngestService reports that the service is healthy, then send again what is missing.",
            Target = operation.Target,
            IsUnreachable = true,
            ServerMessage = (e.InnerException as IngestException)?.ServerMessage,
            StatusCode = (e.InnerException as IngestException)?.StatusCode,
        };

    /// <summary>An operation that must not be done twice, and may have been done, ends as unknown.</summary>
    private static IngestException Final(HttpOperation operation, IngestException error)
    {
        if (operation.Kind != OperationKind.Once || !error.MayHaveActed)
            return error.After(operation.Attempts);
        return error.With(
            ErrorId.OutcomeUnknown,
            $"'{operation.Name}' was sent, and whether the server acted is not known: {error.Message}",
            "It was not sent again, since that could do it twice. Look at the server's state first.").After(operation.Attempts);
    }

    private RetryStrategyOptions<object> CreateRetry() => new()
    {
        // The attempts are counted in MayBeSentAgain.
        MaxRetryAttempts = int.MaxValue,
        ShouldHandle = arguments => ValueTask.FromResult(MayBeSentAgain(CallOf(arguments.Context), arguments.Outcome.Exception)),
        DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(DelayBefore(Math.Max(1, CallOf(arguments.Context).Failures), arguments.Outcome.Exception)),
        OnRetry = arguments =>
        {
            IngestDiagnostics.Retries.Add(1);
            Call call = CallOf(arguments.Context);
            // What is sent again was not done, so an end during the pause leaves nothing open.
            call.Operation.IsSent = false;
            call.Operation.Slot?.Pause(isAttempt: true);
            call.Logger.LogInformation(
                "'{Operation}' is sent again in {Delay:0.0} s: {Reason}", call.Operation.Name, arguments.RetryDelay.TotalSeconds, arguments.Outcome.Exception?.Message);
            return default;
        },
    };

    private static Call CallOf(ResilienceContext context) => (Call)Outage.WaiterOf(context);

    private bool MayBeSentAgain(Call call, Exception? exception)
    {
        if (exception is BrokenCircuitException || (_outage.IsWaitedFor && Outage.IsUnreachable(exception)))
            return false;
        if (exception is LateConsentException)
            return true;
        if (++call.Failures >= _maxAttempts)
            return false;
        if (exception is TimeoutRejectedException)
            return call.Operation.Kind != OperationKind.Once || !call.Operation.IsSent;
        return exception is IngestException { IsTransient: true, IsBeforeSending: false } error
            && call.Operation.IsFinal?.Invoke(error.ErrorId) != true
            && (call.Operation.Kind != OperationKind.Once || !error.MayHaveActed);
    }

    /// <summary>Full jitter: anything from nothing to the exponential delay, so that clients that failed together do not return together.</summary>
    private static TimeSpan DelayBefore(int failures, Exception? exception)
    {
        if (exception is IngestException { RetryAfter: { } asked })
            return asked + TimeSpan.FromMilliseconds(Random.Shared.Next(0, 250));
        double longest = Math.Min(LongestDelay.TotalMilliseconds, FirstDelay.TotalMilliseconds * Math.Pow(2, failures - 1));
        return TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * longest);
    }

    private CircuitBreakerStrategyOptions<object> CreateBreaker() => new()
    {
        FailureRatio = BreakerRatio,
        MinimumThroughput = BreakerThroughput,
        SamplingDuration = BreakerWindow,
        BreakDuration = Outage.LongestPause,
        ShouldHandle = static arguments => ValueTask.FromResult(IsOutage(arguments.Outcome.Exception)),
        OnOpened = arguments =>
        {
            _outage.CircuitOpened();
            CallOf(arguments.Context).Logger.LogInformation(
                "{Service} keeps failing; nothing is sent for {Pause:0} s. {Reason}", Service, arguments.BreakDuration.TotalSeconds, arguments.Outcome.Exception?.Message);
            return default;
        },
        OnClosed = arguments =>
        {
            _outage.CircuitClosed(CallOf(arguments.Context).Logger);
            return default;
        },
    };

    /// <summary>Whether a failure is one of the service as a whole. A refused request is none, nor is one that was asked to wait.</summary>
    private static bool IsOutage(Exception? exception) => exception is TimeoutRejectedException
        or IngestException { ErrorId: ErrorId.ServerError or ErrorId.ConnectionFailed or ErrorId.TimedOut };

    /// <summary>An operation on its way through the pipeline.</summary>
    private sealed class Call(
        IngestHttp http, HttpOperation operation, Func<HttpResponseMessage, CancellationToken, ValueTask<object>> read, ILogger logger, CancellationToken ended)
        : OutageWaiter(operation.Name, logger)
    {
        public IngestHttp Http { get; } = http;

        public HttpOperation Operation { get; } = operation;

        public Func<HttpResponseMessage, CancellationToken, ValueTask<object>> Read { get; } = read;

        public int Failures { get; set; }

        /// <summary>Ends the operation as a whole; an attempt may end before.</summary>
        public CancellationToken Ended { get; } = ended;

        public override void Pausing(bool wasTried)
        {
            // What is sent again was not done, so an end during the pause leaves nothing open.
            Operation.IsSent = false;
            if (wasTried)
                Operation.Attempts--;
            Operation.Slot?.Pause(isAttempt: !wasTried);
        }
    }

    /// <summary>A sign-in ahead of the first operation.</summary>
    private sealed class SignIn(ILogger logger) : OutageWaiter("sign in", logger)
    {
        public override void Pausing(bool wasTried)
        {
        }
    }

    /// <summary>Who was asked before a request said yes when the time of the attempt was over. Nothing was sent, and the service had no part in it.</summary>
    private sealed class LateConsentException() : Exception("The request was permitted too late to be sent; it is tried again.");
}
