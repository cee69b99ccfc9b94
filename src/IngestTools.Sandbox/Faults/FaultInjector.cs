using System.Globalization;
using System.Net.Sockets;
using IngestTools.Sandbox.Http;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace IngestTools.Sandbox.Faults;

/// <summary>Lets a request go wrong as the faults in force say.</summary>
internal sealed class FaultInjector(FaultList faults, SandboxEnvironment environment)
{
    private const int SlowPieceBytes = 64 * 1024;
    private static readonly TimeSpan SlowPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LockTime = TimeSpan.FromSeconds(2);

    /// <summary>Enough for Kestrel to hand a few KiB to the kernel; a reset before that is a reset without an answer.</summary>
    private static readonly TimeSpan WriteTime = TimeSpan.FromMilliseconds(20);

    /// <summary>Runs <paramref name="act"/> with what goes wrong around it, and gives the names of the faults that hit.</summary>
    /// <param name="context">The request.</param>
    /// <param name="target">Its target.</param>
    /// <param name="hold">Lets another client hold what the request needs.</param>
    /// <param name="act">Answers the request as the service does.</param>
    /// <param name="hit">Receives the faults that hit, also when the request ends with an exception.</param>
    public async Task RunAsync(HttpContext context, RequestTarget target, Action<TimeSpan> hold, Func<Task> act, List<Fault> hit)
    {
        bool hasBody = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;
        foreach (Fault fault in faults.Draw(context.Request, target.Path, hasBody))
        {
            hit.Add(fault);
            if (fault.Kind == FaultKind.HoldLock)
                hold(fault.Time ?? LockTime);
            else if (!await TryDisturbAsync(context, fault))
            {
                await EndAsync(context, fault, target, act);
                return;
            }
        }
        await act();
    }

    /// <summary>Faults that add to others: the request continues. False for the faults that decide how it ends.</summary>
    private async Task<bool> TryDisturbAsync(HttpContext context, Fault fault)
    {
        HttpRequest request = context.Request;
        switch (fault.Kind)
        {
            case FaultKind.Latency:
                await Task.Delay(fault.Time ?? TimeSpan.Zero, environment.Clock, context.RequestAborted);
                return true;
            case FaultKind.SlowBody:
                int piece = (int)Math.Min(fault.Bytes ?? SlowPieceBytes, SlowPieceBytes);
                request.Body = new SlowBody(request.Body, piece, fault.Time ?? SlowPause, environment.Clock);
                return true;
            case FaultKind.ResetInBody:
                long bytes = fault.Bytes ?? (request.ContentLength ?? SlowPieceBytes) / 2;
                request.Body = new BreakingBody(request.Body, bytes, () => Reset(context));
                return true;
            default:
                return false;
        }
    }

    private Task EndAsync(HttpContext context, Fault fault, RequestTarget target, Func<Task> act)
    {
        switch (fault.Kind)
        {
            case FaultKind.Status:
                return SendStatus(context, fault);
            case FaultKind.Stall:
                return StallAsync(context);
            case FaultKind.Html:
                return Answer.Text(context, StatusCodes.Status200OK, PageOf("Sign in"), "text/html; charset=utf-8");
            case FaultKind.Empty:
                return Answer.Empty(context, StatusCodes.Status200OK);
            case FaultKind.Redirect:
                context.Response.Headers.Location = $"https://elsewhere.invalid{target.Path}";
                return Answer.Empty(context, StatusCodes.Status302Found);
            case FaultKind.LostAnswer:
                return LoseAsync(context, act);
            case FaultKind.Truncated:
            case FaultKind.ResetInAnswer:
                return CutAsync(context, fault, act);
            default:
                Reset(context);
                return Task.CompletedTask;
        }
    }

    /// <summary>500 is the service's own; 502 comes from a proxy, in HTML; the others in plain text.</summary>
    private static Task SendStatus(HttpContext context, Fault fault)
    {
        if (fault.Time is { } retryAfter)
            context.Response.Headers.RetryAfter = ((long)retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return fault.Status switch
        {
            StatusCodes.Status500InternalServerError => Answer.Json(
                context,
                fault.Status,
                new { errorMessage = "The sandbox was asked to fail." }
            ),
            StatusCodes.Status502BadGateway => Answer.Text(context, fault.Status, PageOf("Bad Gateway"), "text/html; charset=utf-8"),
            _ => Answer.Text(context, fault.Status, "The sandbox was asked to refuse."),
        };
    }

    /// <summary>The answer is cut off, but the deed is done.</summary>
    private static async Task LoseAsync(HttpContext context, Func<Task> act)
    {
        await HeldAnswer.HoldAsync(context, keepBytes: 0, act);
        Reset(context);
    }

    private static async Task CutAsync(HttpContext context, Fault fault, Func<Task> act)
    {
        HeldAnswer held = await HeldAnswer.HoldAsync(context, fault.Bytes ?? HeldAnswer.MostBytes, act);
        if (held.TotalBytes > 0)
        {
            context.Response.ContentLength = held.TotalBytes;
            await context.Response.BodyWriter.WriteAsync(held.FirstPart(fault.Bytes), context.RequestAborted);
            // Kestrel closes, without a reset, a connection on which less was written than announced.
            if (fault.Kind == FaultKind.Truncated)
                return;
            // It writes in the background, and a reset would take back what is not on the wire yet.
            await Task.Delay(WriteTime, context.RequestAborted);
        }
        Reset(context);
    }

    private async Task StallAsync(HttpContext context)
    {
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, environment.Stopping);
        await ClientEnd.WaitForCloseAsync(context.Connection, gone.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Reset(context);
    }

    /// <summary>Without a linger time, closing a socket sends RST where it would else send FIN.</summary>
    private static void Reset(HttpContext context)
    {
        if (SocketOf(context) is { } socket)
        {
            try
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The client was faster; its connection is gone either way.
            }
        }
        context.Abort();
    }

    private static Socket? SocketOf(HttpContext context) => context.Features.Get<IConnectionSocketFeature>()?.Socket;

    private static string PageOf(string title) =>
        $"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>";
}
