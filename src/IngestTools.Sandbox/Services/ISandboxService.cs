using IngestTools.Sandbox.Http;

namespace IngestTools.Sandbox.Services;

/// <summary>One imitated service. All share one port, so each says which requests are its own.</summary>
internal interface ISandboxService : IAsyncDisposable
{
    /// <summary>The service's control routes lie below "/sandbox/{ControlName}".</summary>
    string ControlName { get; }

    /// <summary>Answers a request of the service; null when its routes do not include this one.</summary>
    Task? TryAnswer(HttpContext context, RequestTarget target);

    /// <summary>
    /// Answers a control request; null when there is no such route. <paramref name="route"/> is what follows the control name.
    /// </summary>
    Task? TryControl(HttpContext context, RequestTarget target, string[] route);

    /// <summary>Lets another client hold, for a while, what a request to this target needs; nothing where there is no such thing.</summary>
    void Hold(RequestTarget target, TimeSpan time);
}
