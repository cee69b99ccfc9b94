using Microsoft.Extensions.Logging;
using Polly;

namespace IngestTools.Http;

/// <summary>Reads an answer. An answer that is streamed is the response itself.</summary>
internal delegate ValueTask<object> AnswerReader(HttpResponseMessage response, CancellationToken cancellationToken);

/// <summary>How far an operation is. Its request carries this from handler to handler.</summary>
internal sealed class RequestContext(HttpOperation operation, AnswerReader read, ILogger logger, CancellationToken canceled)
    : OutageWaiter(operation.Name, logger)
{
    private static readonly HttpRequestOptionsKey<RequestContext> Key = new("IngestTools.RequestContext");

    public HttpOperation Operation => operation;

    public AnswerReader Read => read;

    /// <summary>The guard of requests that change something; null without a guard.</summary>
    public Func<OperationKind, CancellationToken, ValueTask>? BeforeWrite { get; init; }

    /// <summary>Cancels the operation as a whole. An attempt may end before.</summary>
    public CancellationToken Canceled => canceled;

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; private set; }

    /// <summary>How many attempts failed.</summary>
    public int Failures { get; set; }

    /// <summary>Whether the current attempt has given its request to the network: before that the server cannot have acted.</summary>
    public bool IsSent { get; private set; }

    /// <summary>The clock's timestamp when the current request was sent.</summary>
    public long SentAt { get; private set; }

    /// <summary>What the request carries to prove who sends it; null for nothing.</summary>
    public RequestCredentials? Credentials { get; set; }

    /// <summary>Whether the credentials are renewed if the server refuses them.</summary>
    public bool MayRenew { get; set; }

    /// <summary>The attempt that was made before the pipeline was entered; null for none.</summary>
    public Task<HttpResponseMessage>? FirstAttempt { private get; set; }

    /// <summary>What was read.</summary>
    public object? Answer { private get; set; }

    /// <summary>The context that a request carries.</summary>
    public static RequestContext Of(HttpRequestMessage request) =>
        request.Options.TryGetValue(Key, out RequestContext? context)
            ? context
            : throw new InvalidOperationException("The request has no context.");

    /// <summary>The operation that runs in a pipeline.</summary>
    public static RequestContext Of(ResilienceContext context) => (RequestContext)Outage.WaiterOf(context);

    /// <summary>Puts this on a request.</summary>
    public void AttachTo(HttpRequestMessage request) => request.Options.Set(Key, this);

    /// <summary>The first attempt, for the pipeline. It is given once.</summary>
    public Task<HttpResponseMessage>? TakeFirstAttempt()
    {
        Task<HttpResponseMessage>? first = FirstAttempt;
        FirstAttempt = null;
        return first;
    }

    /// <summary>An attempt, or its second request, begins.</summary>
    public void Begin()
    {
        Attempts++;
        IsSent = false;
    }

    /// <summary>The request goes to the network.</summary>
    public void Sending(TimeProvider time)
    {
        IsSent = true;
        SentAt = time.GetTimestamp();
    }

    /// <summary>The server said that it did not do what the request asked.</summary>
    public void Refused() => IsSent = false;

    /// <summary>
    /// A pause begins, and then the operation is sent again. It was not done, so a cancellation during the pause leaves nothing open.
    /// </summary>
    public void Retrying()
    {
        IsSent = false;
        Operation.Slot?.Pause(isAttempt: true);
    }

    /// <summary>What was read. An answer that was read to its end is disposed; one that is streamed belongs to the caller.</summary>
    public object Complete(HttpResponseMessage response)
    {
        if (!ReferenceEquals(Answer, response))
            response.Dispose();
        return Answer!;
    }

    public override void Pausing(bool wasTried)
    {
        IsSent = false;
        if (wasTried)
            Attempts--;
        Operation.Slot?.Pause(isAttempt: !wasTried);
    }
}
