using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Http.Handlers;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace IngestTools.Http;

/// <summary>
/// The one way to a service. An operation passes the pipeline of its kind, and then in each attempt: signing in, the guard, the judging of
/// the answer, the log.
/// </summary>
internal sealed class IngestHttp
{
    private static readonly ProductInfoHeaderValue UserAgent = new("IngestTools", ReadVersion());

    private readonly ResiliencePipelines _pipelines;
    private readonly HttpMessageInvoker _attempts;
    private readonly HttpMessageInvoker _kept;
    private readonly HttpMessageInvoker _fresh;
    private readonly IAuthenticator _authenticator;
    private readonly Outage _outage;

    /// <param name="service">The service.</param>
    /// <param name="transport">What requests go through.</param>
    /// <param name="authenticator">Has the credentials.</param>
    /// <param name="maxAttempts">How often an operation is sent at most.</param>
    /// <param name="attemptTimeout">How long one attempt may take.</param>
    /// <param name="outage">Waits for outages.</param>
    public IngestHttp(
        IngestService service,
        HttpTransport transport,
        IAuthenticator authenticator,
        int maxAttempts,
        TimeSpan attemptTimeout,
        Outage outage
    )
    {
        Service = service;
        Text = transport.Text;
        _authenticator = authenticator;
        _outage = outage;
        _pipelines = new ResiliencePipelines(service, maxAttempts, attemptTimeout, outage, transport.Time);
        HttpMessageHandler attempts = CreateAttempts(transport.Kept);
        _attempts = CreateInvoker(attempts);
        _kept = CreateInvoker(CreateChain(attempts));
        _fresh = CreateInvoker(CreateChain(CreateAttempts(transport.Fresh)));

        ResilienceHandler CreateChain(HttpMessageHandler attempts) =>
            new(_pipelines.For) { InnerHandler = new FirstAttemptHandler { InnerHandler = attempts } };

        SignInHandler CreateAttempts(HttpMessageHandler handler) =>
            new(service, Text, authenticator, outage)
            {
                InnerHandler = new GuardHandler(transport.RateLimiter)
                {
                    InnerHandler = new AnswerHandler(service, transport, authenticator, outage)
                    {
                        InnerHandler = new LoggingHandler(Text) { InnerHandler = handler },
                    },
                },
            };

        // The transport belongs to the connection.
        static HttpMessageInvoker CreateInvoker(HttpMessageHandler handler) => new(handler, disposeHandler: false);
    }

    public IngestService Service { get; }

    /// <summary>The door for what the server answers.</summary>
    public ServerText Text { get; }

    /// <summary>
    /// The guard: asked right before each request that changes something. What it throws ends the operation, with the request unsent.
    /// </summary>
    public Func<OperationKind, CancellationToken, ValueTask>? BeforeWrite { get; set; }

    /// <summary>Does an operation and reads its answer, which is one JSON object.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="type">How the object is read.</param>
    /// <param name="logger">The logger of the call.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="whatIsWrong">Says what is wrong with the object; null takes any.</param>
    /// <exception cref="IngestException">The operation failed, for as often as it may be sent.</exception>
    public Task<T> SendJsonAsync<T>(
        HttpOperation operation,
        JsonTypeInfo<T> type,
        Func<T, string?>? whatIsWrong,
        ILogger logger,
        CancellationToken cancellationToken
    )
        where T : class => SendAsync<T>(operation, JsonBody.Reader(this, operation, type, whatIsWrong), logger, cancellationToken);

    /// <summary>Does an operation and reads its answer.</summary>
    /// <typeparam name="T">What <paramref name="read"/> gives.</typeparam>
    /// <exception cref="IngestException">The operation failed, for as often as it may be sent.</exception>
    public async Task<T> SendAsync<T>(HttpOperation operation, AnswerReader read, ILogger logger, CancellationToken cancellationToken)
        where T : class => (T)await SendAsync(operation, read, logger, cancellationToken).ConfigureAwait(false);

    /// <summary>Does an operation and reads its answer.</summary>
    /// <returns>What <paramref name="read"/> gives.</returns>
    /// <exception cref="IngestException">The operation failed, for as often as it may be sent.</exception>
    public async Task<object> SendAsync(HttpOperation operation, AnswerReader read, ILogger logger, CancellationToken cancellationToken)
    {
        using Activity? activity = IngestDiagnostics.Activities.StartActivity(operation.Name, ActivityKind.Client);
        activity?.SetTag("ingest.service", Service.ToString()).SetTag("url.full", Redaction.Of(operation.Uri));
        RequestContext context = new(operation, read, logger, cancellationToken) { BeforeWrite = BeforeWrite };
        ResilienceContext resilience = Outage.Enter(context, cancellationToken);
        try
        {
            using HttpRequestMessage request = CreateRequest(operation);
            context.AttachTo(request);
            request.SetResilienceContext(resilience);
            if (operation.IsUpload && _pipelines.IsCircuitClosed)
            {
                // The pipeline costs more than the handlers do, so only an upload whose first attempt failed enters it.
                Task<HttpResponseMessage> first = _attempts.SendAsync(request, cancellationToken);
                await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (first.IsCompletedSuccessfully)
                {
                    await _pipelines.CountAsync(first.Result, resilience).ConfigureAwait(false);
                    return context.Complete(first.Result);
                }

                context.FirstAttempt = first;
            }

            HttpMessageInvoker chain = operation.Kind == OperationKind.Once ? _fresh : _kept;
            return context.Complete(await chain.SendAsync(request, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            throw Explain(context, e, activity);
        }
        finally
        {
            _outage.Leave(context, resilience);
        }
    }

    /// <summary>Signs in ahead of the first operation, where that takes a request of its own.</summary>
    /// <exception cref="IngestException">It could not be signed in; the first operation would fail for the same reason.</exception>
    public async Task SignInAsync(ILogger logger, CancellationToken cancellationToken)
    {
        SignIn signIn = new(logger);
        ResilienceContext context = Outage.Enter(signIn, cancellationToken);
        try
        {
            ResiliencePipeline<RequestCredentials?> pipeline = _outage.CreatePipeline<RequestCredentials?>().Build();
            await pipeline
                .ExecuteAsync(
                    static (context, authenticator) => authenticator.GetAsync(Outage.WaiterOf(context).Logger, context.CancellationToken),
                    context,
                    _authenticator
                )
                .ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            throw _outage.Explain(signIn, e);
        }
        finally
        {
            _outage.Leave(signIn, context);
        }
    }

    /// <summary>The error of an answer that could not be understood: <paramref name="what"/> says how.</summary>
    public IngestException Unreadable(
        HttpOperation operation,
        string what,
        HttpStatusCode? status,
        string? body = null,
        Exception? cause = null
    ) => HttpFailure.Unreadable(Service, operation, what, status, body, Text, cause);

    private static string ReadVersion() =>
        typeof(IngestHttp).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private static HttpRequestMessage CreateRequest(HttpOperation operation)
    {
        HttpRequestMessage request = new(operation.Method, operation.Uri)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = operation.IsUpload ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.UserAgent.Add(UserAgent);
        if (operation.Accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", operation.Accept);
        if (operation.ExpectContinue)
            request.Headers.ExpectContinue = true;
        return request;
    }

    /// <summary>What the caller gets in place of what ended the pipeline.</summary>
    private Exception Explain(RequestContext context, Exception exception, Activity? activity)
    {
        IngestException? error = exception switch
        {
            IngestException own => own,
            TimeoutRejectedException timeout => TimedOut(context, timeout),
            BrokenCircuitException circuit => CircuitOpen(context.Operation, circuit),
            _ => null,
        };
        activity?.SetStatus(ActivityStatusCode.Error, error?.Message);
        if (context.Canceled.IsCancellationRequested)
            return context.IsSent ? new OperationCanceledException(context.Canceled) : new NotSentException(context.Canceled);
        if (error is null)
            ExceptionDispatchInfo.Throw(exception);
        return Final(context, _outage.Explain(context, error));
    }

    private IngestException TimedOut(RequestContext context, TimeoutRejectedException e) =>
        new(ErrorId.TimedOut, $"{Service} did not answer '{context.Name}' within {e.Timeout.TotalSeconds:0.#} s.", e)
        {
            Service = Service,
            Operation = context.Name,
            IsTransient = true,
            Advice = "Try again later, or connect with a longer -TimeoutSec.",
            Target = context.Operation.Target,
            MayHaveActed = context.IsSent,
        };

    private IngestException CircuitOpen(HttpOperation operation, BrokenCircuitException e)
    {
        IngestException? last = e.InnerException as IngestException;
        string reason = last?.Message ?? "see the errors before";
        return new IngestException(ErrorId.CircuitOpen, $"{Service} failed so often that '{operation.Name}' was not sent: {reason}", e)
        {
            Service = Service,
            Operation = operation.Name,
            IsTransient = true,
            Advice = "Wait until Test-IngestService reports that the service is healthy, then send again what is missing.",
            Target = operation.Target,
            IsUnreachable = true,
            ServerMessage = last?.ServerMessage,
            StatusCode = last?.StatusCode,
        };
    }

    /// <summary>An operation that must not be done twice, and may have been done, ends as unknown.</summary>
    private static IngestException Final(RequestContext context, IngestException error)
    {
        if (context.Operation.Kind != OperationKind.Once || !error.MayHaveActed)
            return error.After(context.Attempts);
        return error
            .With(
                ErrorId.OutcomeUnknown,
                $"'{context.Name}' was sent, and whether the server acted is not known: {error.Message}",
                "It was not sent again, since that could do it twice. Look at the server's state first."
            )
            .After(context.Attempts);
    }

    /// <summary>A sign-in ahead of the first operation.</summary>
    private sealed class SignIn(ILogger logger) : OutageWaiter("sign in", logger)
    {
        public override void Pausing(bool wasTried) { }
    }
}
