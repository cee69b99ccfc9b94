using IngestTools.Sandbox.Control;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace IngestTools.Sandbox.Http;

/// <summary>
/// What happens to a request: it is a control request, or it goes through the faults to the service whose route it names, and is logged.
/// </summary>
internal sealed class RequestPipeline(
    ControlRoutes control,
    IReadOnlyList<ISandboxService> services,
    FaultInjector faults,
    RequestLog log,
    ILogger logger
)
{
    public async Task RunAsync(HttpContext context)
    {
        string rawTarget = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!LoopbackHosts.Allow(context, rawTarget))
        {
            await LoopbackHosts.RefuseAsync(context);
            return;
        }

        RequestTarget target = RequestTarget.Parse(rawTarget);
        if (target.Segments is [ControlRoutes.Root, ..])
        {
            await TryAsync(context, target, () => control.AnswerAsync(context, target));
            return;
        }

        long number = log.Begin();
        List<Fault> hit = [];
        Task Route() => RouteAsync(context, target);
        bool isGone = await TryAsync(context, target, () => faults.RunAsync(context, target, HoldFor(target), Route, hit));

        HttpRequest request = context.Request;
        bool isAborted = isGone || hit.Exists(static f => f.BreaksConnection);
        string? fault = hit.Count == 0 ? null : string.Join('+', hit.Select(FaultText.KindName));
        log.End(
            new RequestRecord(
                number,
                request.Method,
                rawTarget,
                context.Response.StatusCode,
                request.Headers.Keys.ToArray(),
                request.ContentType,
                request.ContentLength,
                isAborted,
                fault
            )
        );
    }

    private async Task RouteAsync(HttpContext context, RequestTarget target)
    {
        foreach (ISandboxService service in services)
        {
            if (service.TryAnswer(context, target) is not { } answering)
                continue;
            await answering;
            return;
        }
        await Answer.Empty(context, StatusCodes.Status404NotFound);
    }

    private Action<TimeSpan> HoldFor(RequestTarget target) =>
        time =>
        {
            foreach (ISandboxService service in services)
                service.Hold(target, time);
        };

    /// <summary>Runs to an end whatever happens. True when the client went away before it.</summary>
    private async Task<bool> TryAsync(HttpContext context, RequestTarget target, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (IsGone(context, e))
        {
            // Who closed only one direction still listens, and must not take the silence for a 200.
            context.Abort();
            return true;
        }
        catch (Exception e)
        {
            logger.LogError(e, "{Method} {Path} failed", context.Request.Method, target.Path);
            if (context.Response.HasStarted)
                context.Abort();
            else
                await Answer.Json(context, StatusCodes.Status500InternalServerError, new { errorMessage = e.Message });
        }
        return context.RequestAborted.IsCancellationRequested;
    }

    /// <summary>Kestrel cancels RequestAborted a little after a read has failed, so the exceptions count too.</summary>
    private static bool IsGone(HttpContext context, Exception e) =>
        context.RequestAborted.IsCancellationRequested
        || e is ConnectionAbortedException or ConnectionResetException or BadHttpRequestException;
}
