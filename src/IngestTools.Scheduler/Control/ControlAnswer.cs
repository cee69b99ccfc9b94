using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Scheduling;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Control;

/// <summary>How answers of the control protocol are written.</summary>
internal static class ControlAnswer
{
    private static readonly byte[] EndOfLine = "\n"u8.ToArray();

    /// <summary>Answers one request, and every error of it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="route">What answers it; null where nothing does.</param>
    /// <param name="place">Where the store is.</param>
    /// <param name="logger">Takes what failed.</param>
    /// <param name="stopping">The daemon ends.</param>
    public static async Task AnswerAsync(
        HttpContext context,
        Func<HttpContext, Task?> route,
        string place,
        ILogger logger,
        CancellationToken stopping
    )
    {
        string version = ControlProtocol.Version.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers[ControlProtocol.VersionHeader] = version;
        if (context.Request.Headers[ControlProtocol.VersionHeader].ToString() is var asked && asked != version)
            await FailAsync(context, StatusCodes.Status426UpgradeRequired, OtherVersion(asked, version));
        else
            await GuardAsync(context, route, place, logger, stopping);
    }

    /// <summary>Answers one request of whatever version, and every error of it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="route">What answers it; null where nothing does.</param>
    /// <param name="place">Where the store is.</param>
    /// <param name="logger">Takes what failed.</param>
    /// <param name="stopping">The daemon ends.</param>
    public static async Task GuardAsync(
        HttpContext context,
        Func<HttpContext, Task?> route,
        string place,
        ILogger logger,
        CancellationToken stopping
    )
    {
        try
        {
            if (route(context) is { } answer)
                await answer;
            else
                await FailAsync(
                    context,
                    StatusCodes.Status404NotFound,
                    new ControlError(
                        ErrorId.NotFound,
                        $"There is no route {context.Request.Method} {context.Request.Path}.",
                        "Use a module of the scheduler's own version."
                    )
                );
        }
        catch (IngestException e)
        {
            await FailAsync(context, StatusOf(e.ErrorId), new ControlError(e.ErrorId, e.Message, e.Advice));
        }
        catch (Exception e) when (e is BadHttpRequestException or FormatException)
        {
            await FailAsync(
                context,
                StatusCodes.Status400BadRequest,
                new ControlError(
                    ErrorId.Rejected,
                    $"The request cannot be read: {e.Message}",
                    "Use a module of the scheduler's own version."
                )
            );
        }
        catch (DbException e)
        {
            logger.LogError("{Method} {Path} failed at the store: {Reason}", context.Request.Method, context.Request.Path, e.Message);
            await FailAsync(
                context,
                StatusCodes.Status500InternalServerError,
                new ControlError(
                    ErrorId.ServerError,
                    $"The store {place} cannot be read or written: {e.Message}",
                    "Look whether its disk is full, or its database down."
                )
            );
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Who asked is gone.
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await FailAsync(
                context,
                StatusCodes.Status500InternalServerError,
                new ControlError(
                    ErrorId.ServerError,
                    "The scheduler ends, and may not have done it.",
                    "Start it again, and look at Get-BulkLoadSchedule and Get-BulkLoadRun."
                )
            );
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            logger.LogError(e, "{Method} {Path} failed unexpectedly.", context.Request.Method, context.Request.Path);
            await FailAsync(
                context,
                StatusCodes.Status500InternalServerError,
                new ControlError(ErrorId.ServerError, $"The scheduler failed: {e.Message}", "Its log says more.")
            );
        }
    }

    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
                ?? throw new FormatException("it is null");
        }
        catch (JsonException e)
        {
            // Only here is what is no JSON the fault of who asks: elsewhere it is the store's.
            throw new FormatException(e.Message, e);
        }
    }

    public static async Task SendAsync<T>(HttpContext context, Task<T> answer, JsonTypeInfo<T> type)
    {
        T value = await answer;
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }

    public static void BeginLines(HttpContext context) => context.Response.ContentType = "application/x-ndjson";

    public static async Task SendLineAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        await JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
        await context.Response.Body.WriteAsync(EndOfLine, context.RequestAborted);
    }

    private static async Task FailAsync(HttpContext context, int status, ControlError error)
    {
        if (context.Response.HasStarted)
        {
            // The answer breaks off, and who asked sees that it is not whole.
            context.Abort();
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, error, SchedulingJson.Default.ControlError, context.RequestAborted);
    }

    private static ControlError OtherVersion(string asked, string version) =>
        new(
            ErrorId.Rejected,
            $"The scheduler speaks version {version} of the control protocol, and was asked in "
                + $"{(asked.Length == 0 ? "none" : $"version {(asked.Length > 20 ? asked[..20] : asked)}")}.",
            "Use a module of the scheduler's own version."
        );

    private static int StatusOf(ErrorId error) =>
        error switch
        {
            ErrorId.NotFound => StatusCodes.Status404NotFound,
            ErrorId.NameInUse or ErrorId.Conflict or ErrorId.CannotCancel or ErrorId.Locked => StatusCodes.Status409Conflict,
            ErrorId.ServerError => StatusCodes.Status500InternalServerError,
            _ => StatusCodes.Status400BadRequest,
        };
}
