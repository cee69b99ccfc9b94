using System.Data.Common;
using System.Globalization;
using System.IO.Enumeration;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Control;

/// <summary>What the daemon answers on its socket; <see cref="ControlProtocol"/> says what it means.</summary>
internal sealed class ControlRoutes(
    SchedulerStore store,
    Registrar registrar,
    RunDispatcher dispatcher,
    StateReader state,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ControlRoutes> logger
)
{
    /// <summary>So many are read from the store at once.</summary>
    private const int Page = 500;

    private static readonly byte[] EndOfLine = "\n"u8.ToArray();

    public async Task AnswerAsync(HttpContext context)
    {
        string version = ControlProtocol.Version.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers[ControlProtocol.VersionHeader] = version;
        try
        {
            if (context.Request.Headers[ControlProtocol.VersionHeader].ToString() is var asked && asked != version)
                await FailAsync(context, StatusCodes.Status426UpgradeRequired, OtherVersion(asked, version));
            else if (Route(context) is { } answer)
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
                    $"The store {store.Dialect.Place} cannot be read or written: {e.Message}",
                    "Look whether its disk is full, or its database down."
                )
            );
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Who asked is gone.
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
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

    private Task? Route(HttpContext context)
    {
        CancellationToken aborted = context.RequestAborted;
        string[] segments = context.Request.Path.Value!.Trim('/').Split('/');
        return (context.Request.Method, segments) switch
        {
            ("GET", ["status"]) => SendAsync(context, state.ReadAsync(aborted), SchedulingJson.Default.SchedulerState),
            ("POST", ["preview"]) => PreviewAsync(context),
            ("GET", ["schedules"]) => ListSchedulesAsync(context),
            ("PUT", ["schedules", var name]) => RegisterAsync(context, name),
            ("DELETE", ["schedules", var name]) => UnregisterAsync(context, name),
            ("POST", ["schedules", var name, "suspend"]) => SuspendAsync(context, name),
            ("POST", ["schedules", var name, "resume"]) => SendAsync(
                context,
                registrar.ResumeAsync(name, aborted),
                SchedulingJson.Default.BulkLoadSchedule
            ),
            ("POST", ["schedules", var name, "start"]) => SendAsync(context, StartAsync(name), SchedulingJson.Default.BulkLoadRun),
            ("GET", ["runs"]) => ListRunsAsync(context),
            ("GET", ["runs", var number]) => SendAsync(context, ReadRunAsync(number, aborted), SchedulingJson.Default.BulkLoadRun),
            ("POST", ["runs", var number, "stop"]) => SendAsync(context, StopRunAsync(number, aborted), SchedulingJson.Default.BulkLoadRun),
            ("POST", ["shutdown"]) => ShutDown(context),
            _ => null,
        };
    }

    // Schedules

    private async Task PreviewAsync(HttpContext context)
    {
        RegisterRequest request = await ReadAsync(context, SchedulingJson.Default.RegisterRequest);
        if (request.Definition is not { Name: not null, Load: not null })
            throw new FormatException("it has no name or no load");
        await SendAsync(context, registrar.PreviewAsync(request, context.RequestAborted), SchedulingJson.Default.BulkLoadSchedule);
    }

    /// <remarks>What was begun is done although who asked goes away: half a registration helps nobody.</remarks>
    private async Task RegisterAsync(HttpContext context, string name)
    {
        RegisterRequest request = await ReadAsync(context, SchedulingJson.Default.RegisterRequest);
        if (request.Definition is not { Name: not null, Load: not null })
            throw new FormatException("it has no name or no load");
        if (!string.Equals(request.Definition.Name, name, StringComparison.Ordinal))
            throw new FormatException($"the address names '{name}', the body '{request.Definition.Name}'");
        await SendAsync(context, registrar.RegisterAsync(request, lifetime.ApplicationStopping), SchedulingJson.Default.BulkLoadSchedule);
    }

    private async Task UnregisterAsync(HttpContext context, string name)
    {
        await registrar.UnregisterAsync(name, lifetime.ApplicationStopping);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task SuspendAsync(HttpContext context, string name)
    {
        SuspendRequest request = await ReadAsync(context, SchedulingJson.Default.SuspendRequest);
        await SendAsync(
            context,
            registrar.SuspendAsync(name, request, lifetime.ApplicationStopping),
            SchedulingJson.Default.BulkLoadSchedule
        );
    }

    private async Task<BulkLoadRun> StartAsync(string name) => (await registrar.StartAsync(name, lifetime.ApplicationStopping)).Describe();

    private async Task ListSchedulesAsync(HttpContext context)
    {
        string?[] patterns = [.. context.Request.Query["name"]];
        CancellationToken aborted = context.RequestAborted;
        BeginLines(context);
        string last = "";
        while (await store.ReadSchedulesAfterAsync(last, Page, aborted) is { Count: > 0 } rows)
        {
            last = rows[^1].Key;
            ScheduleRow[] wanted = rows.Where(row => IsWanted(row.Name, patterns)).ToArray();
            Dictionary<string, StoredRun> runs = (await store.ReadLastRunsAsync([.. wanted.Select(row => row.Key)], aborted))
                .DistinctBy(run => run.Key)
                .ToDictionary(run => run.Key);
            foreach (ScheduleRow row in wanted)
                await SendLineAsync(
                    context,
                    Registrar.Describe(row, runs.GetValueOrDefault(row.Key)),
                    SchedulingJson.Default.BulkLoadSchedule
                );
        }
    }

    // Runs

    private async Task ListRunsAsync(HttpContext context)
    {
        string?[] patterns = [.. context.Request.Query["name"]];
        RunStatus[] statuses = context
            .Request.Query["status"]
            .Select(word =>
                Enum.TryParse(word, ignoreCase: true, out RunStatus status) && Enum.IsDefined(status)
                    ? status
                    : throw new FormatException($"'{word}' is no status of a run")
            )
            .ToArray();
        DateTimeOffset? since = context.Request.Query["since"].ToString() is { Length: > 0 } text
            ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture)
            : null;
        long left = context.Request.Query["newest"].ToString() is { Length: > 0 } most
            ? long.Parse(most, NumberStyles.None, CultureInfo.InvariantCulture)
            : long.MaxValue;
        BeginLines(context);
        long before = long.MaxValue;
        while (left > 0 && await store.ReadRunsBeforeAsync(before, since, statuses, Page, context.RequestAborted) is { Count: > 0 } runs)
        {
            before = runs[^1].Number;
            foreach (StoredRun run in runs.Where(run => IsWanted(run.Name, patterns)))
            {
                if (left-- <= 0)
                    return;
                await SendLineAsync(context, run.Describe(), SchedulingJson.Default.BulkLoadRun);
            }
        }
    }

    private async Task<BulkLoadRun> ReadRunAsync(string number, CancellationToken cancellationToken)
    {
        StoredRun run = await FindRunAsync(number, cancellationToken);
        return run.Describe(await store.ReadLogAsync(run.Number, cancellationToken));
    }

    private async Task<BulkLoadRun> StopRunAsync(string text, CancellationToken cancellationToken)
    {
        StoredRun run = await FindRunAsync(text, cancellationToken);
        if (run.IsTerminal)
            return run.Describe();
        if (
            await store.CancelWaitingAsync(run.Number, time.GetUtcNow(), "It was stopped before it began.", cancellationToken) is
            { } canceled
        )
            return canceled.Describe();
        if (!await dispatcher.TryStopAsync(run.Number, cancellationToken))
            await store.RequestStopAsync(run.Number, cancellationToken);
        return (await FindRunAsync(text, cancellationToken)).Describe();
    }

    private async Task<StoredRun> FindRunAsync(string text, CancellationToken cancellationToken) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
        && await store.FindRunAsync(number, cancellationToken) is { } run
            ? run
            : throw new IngestException(ErrorId.NotFound, $"There is no run {text}.")
            {
                Operation = "schedule",
                Advice = "Get-BulkLoadRun lists them. Old ones are deleted after a while.",
                Target = text,
            };

    // The daemon itself

    private Task ShutDown(HttpContext context)
    {
        logger.LogInformation("The scheduler was asked to end.");
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.OnCompleted(() =>
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        });
        return Task.CompletedTask;
    }

    // The wire

    private static bool IsWanted(string name, string?[] patterns) =>
        patterns.Length == 0 || patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: true));

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
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

    private static async Task SendAsync<T>(HttpContext context, Task<T> answer, JsonTypeInfo<T> type)
    {
        T value = await answer;
        context.Response.ContentType = "application/json";
        await JsonSerializer.SerializeAsync(context.Response.Body, value, type, context.RequestAborted);
    }

    private static void BeginLines(HttpContext context) => context.Response.ContentType = "application/x-ndjson";

    private static async Task SendLineAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
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
