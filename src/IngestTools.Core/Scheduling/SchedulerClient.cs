using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Http;

namespace IngestTools.Scheduling;

/// <summary>Which runs to list.</summary>
public sealed record RunQuery
{
    /// <summary>Patterns of the schedules' names, with * and ?; none means any.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Where the runs stand; none means anywhere.</summary>
    public IReadOnlyList<RunStatus> Statuses { get; init; } = [];

    /// <summary>Only runs that were due at this moment or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The maximum number, newest first.</summary>
    public int? Newest { get; init; }
}

/// <summary>Speaks to the daemon over its control socket, as <see cref="ControlProtocol"/> says. May be used from any thread.</summary>
/// <remarks>
/// Nothing is sent to a socket that another account listens at. Every method throws an <see cref="IngestException"/>: with the daemon's own
/// error, <see cref="ErrorId.SchedulerNotRunning"/> where nobody listens, <see cref="ErrorId.NotAllowed"/> where another account does,
/// <see cref="ErrorId.TimedOut"/>, <see cref="ErrorId.InvalidAnswer"/>, and <see cref="ErrorId.OutcomeUnknown"/> where an answer to a
/// change was lost.
/// </remarks>
public sealed class SchedulerClient : IDisposable
{
    /// <summary>The daemon's messages quote what others wrote, such as the name of a schedule. What is data stays as it is.</summary>
    private static readonly ServerText Text = ServerText.OfNoSecrets;

    /// <summary>A registration signs in to the service before it is answered, and a slow service may take its time.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(2);

    /// <summary>The daemon keeps an idle connection for two minutes.</summary>
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;

    /// <summary>Makes a client; nothing is opened yet.</summary>
    /// <param name="socket">The socket's path, or on Windows the pipe's name; null takes <see cref="SchedulerPlace.Socket"/>.</param>
    /// <param name="whenStopped">Answers what is only read where nobody listens; null answers nothing then.</param>
    public SchedulerClient(string? socket = null, StoppedSchedulerReader? whenStopped = null)
    {
        Socket = socket ?? SchedulerPlace.Socket;
        SchedulerSocket place = new(Socket);
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancellationToken) => await place.ConnectAsync(cancellationToken).ConfigureAwait(false),
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,

            // Well before the daemon closes it: a request that meets a closing connection would be one whose answer is lost.
            PooledConnectionIdleTimeout = IdleLimit,
        };
        _http = new HttpClient(whenStopped is null ? handler : new StoppedSchedulerHandler(handler, whenStopped))
        {
            BaseAddress = new Uri("http://localhost/"),
            Timeout = AnswerLimit,
        };
        _http.DefaultRequestHeaders.Add(ControlProtocol.VersionHeader, ControlProtocol.Version.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The socket's path, or on Windows the pipe's name.</summary>
    public string Socket { get; }

    /// <summary>The daemon as it is now.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<SchedulerState> GetStateAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, "status", null, SchedulingJson.Default.SchedulerState, cancellationToken);

    /// <summary>An address that opens the daemon's page once.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<PageAddress> CreatePageAddressAsync(CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Post, "page/ticket", null, SchedulingJson.Default.PageAddress, cancellationToken);

    /// <summary>The schedule that a registration would make, checked like one; nothing is kept.</summary>
    /// <param name="request">What would be registered.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BulkLoadSchedule> PreviewAsync(RegisterRequest request, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Post,
            "preview",
            JsonBody.Of(request, SchedulingJson.Default.RegisterRequest),
            SchedulingJson.Default.BulkLoadSchedule,
            cancellationToken
        );

    /// <summary>Registers a schedule.</summary>
    /// <param name="request">What is registered.</param>
    /// <param name="cancellationToken">Ends the request; what is registered by then stays.</param>
    public Task<BulkLoadSchedule> RegisterAsync(RegisterRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        HttpContent body = JsonBody.Of(request, SchedulingJson.Default.RegisterRequest);
        return AskAsync(
            HttpMethod.Put,
            ScheduleRoute(request.Definition.Name),
            body,
            SchedulingJson.Default.BulkLoadSchedule,
            cancellationToken
        );
    }

    /// <summary>Lists schedules as they come.</summary>
    /// <param name="names">Patterns of their names, with * and ?; none means any.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public IAsyncEnumerable<BulkLoadSchedule> ReadSchedulesAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(names);
        return ReadLinesAsync(
            "schedules" + Query(names.Select(name => ("name", name))),
            SchedulingJson.Default.BulkLoadSchedule,
            cancellationToken
        );
    }

    /// <summary>Removes a schedule. A run of it that is under way is left to end, and its history stays.</summary>
    /// <param name="name">The schedule's name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task UnregisterAsync(string name, CancellationToken cancellationToken) =>
        TellAsync(HttpMethod.Delete, ScheduleRoute(name), null, cancellationToken);

    /// <summary>Suspends a schedule: it runs nothing until it is resumed.</summary>
    /// <param name="name">The schedule's name.</param>
    /// <param name="request">Why, and who says so.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BulkLoadSchedule> SuspendAsync(string name, SuspendRequest request, CancellationToken cancellationToken)
    {
        HttpContent body = JsonBody.Of(request, SchedulingJson.Default.SuspendRequest);
        return AskAsync(HttpMethod.Post, ScheduleRoute(name, "suspend"), body, SchedulingJson.Default.BulkLoadSchedule, cancellationToken);
    }

    /// <summary>Resumes a suspended schedule.</summary>
    /// <param name="name">The schedule's name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BulkLoadSchedule> ResumeAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Post, ScheduleRoute(name, "resume"), null, SchedulingJson.Default.BulkLoadSchedule, cancellationToken);

    /// <summary>Changes single properties of a schedule. A run of it that is under way stays as it is.</summary>
    /// <param name="name">The schedule's name.</param>
    /// <param name="request">The changes.</param>
    /// <param name="cancellationToken">Cancels the request; what is changed by then stays.</param>
    public Task<BulkLoadSchedule> ChangeAsync(string name, ChangeRequest request, CancellationToken cancellationToken)
    {
        HttpContent body = JsonBody.Of(request, SchedulingJson.Default.ChangeRequest);
        return AskAsync(HttpMethod.Patch, ScheduleRoute(name), body, SchedulingJson.Default.BulkLoadSchedule, cancellationToken);
    }

    /// <summary>The schedule as it would be after a change, checked like one; nothing is changed.</summary>
    /// <param name="name">The schedule's name.</param>
    /// <param name="request">The changes.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BulkLoadSchedule> PreviewChangeAsync(string name, ChangeRequest request, CancellationToken cancellationToken)
    {
        HttpContent body = JsonBody.Of(request, SchedulingJson.Default.ChangeRequest);
        return AskAsync(HttpMethod.Post, ScheduleRoute(name, "preview"), body, SchedulingJson.Default.BulkLoadSchedule, cancellationToken);
    }

    /// <summary>Runs a schedule now, whatever its times are.</summary>
    /// <param name="name">The schedule's name.</param>
    /// <param name="again">Whether what was sent or loaded before is sent and loaded again.</param>
    /// <param name="cancellationToken">Cancels the request. A run that is planned by then continues.</param>
    public Task<BulkLoadRun> StartAsync(string name, bool again, CancellationToken cancellationToken) =>
        AskAsync(
            HttpMethod.Post,
            ScheduleRoute(name, "start") + (again ? "?again=true" : ""),
            null,
            SchedulingJson.Default.BulkLoadRun,
            cancellationToken
        );

    /// <summary>Lists runs as they come, newest first, without their logs.</summary>
    /// <param name="query">Which.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public IAsyncEnumerable<BulkLoadRun> ReadRunsAsync(RunQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        List<(string, string)> asked =
        [
            .. query.Names.Select(name => ("name", name)),
            .. query.Statuses.Select(status => ("status", status.ToString())),
        ];
        if (query.Since is { } since)
            asked.Add(("since", since.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture)));
        if (query.Newest is { } newest)
            asked.Add(("newest", newest.ToString(CultureInfo.InvariantCulture)));
        return ReadLinesAsync("runs" + Query(asked), SchedulingJson.Default.BulkLoadRun, cancellationToken);
    }

    /// <summary>A run with its log.</summary>
    /// <param name="id">Its id: <c>run:12</c>, or the number.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BulkLoadRun> GetRunAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Get, RunRoute(id), null, SchedulingJson.Default.BulkLoadRun, cancellationToken);

    /// <summary>Stops a run, as far as that can be done.</summary>
    /// <param name="id">Its id: <c>run:12</c>, or the number.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<BulkLoadRun> StopRunAsync(string id, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Post, RunRoute(id) + "/stop", null, SchedulingJson.Default.BulkLoadRun, cancellationToken);

    /// <summary>Asks the daemon to stop. What runs on servers continues there.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task ShutDownAsync(CancellationToken cancellationToken) => TellAsync(HttpMethod.Post, "shutdown", null, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string ScheduleRoute(string name, string? action = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        // Servers take dots for folders, and do not all tell a slash from one that is escaped. The daemon knows no such names.
        string escaped =
            name is "." or ".." || name.Contains('/', StringComparison.Ordinal) ? throw NoName(name) : Uri.EscapeDataString(name);
        return action is null ? $"schedules/{escaped}" : $"schedules/{escaped}/{action}";
    }

    private static string RunRoute(string id) => $"runs/{RunTransactions.NumberOf(id).ToString(CultureInfo.InvariantCulture)}";

    private static string Query(IEnumerable<(string Name, string Value)> values)
    {
        string text = string.Join('&', values.Select(v => $"{v.Name}={Uri.EscapeDataString(v.Value)}"));
        return text.Length == 0 ? "" : "?" + text;
    }

    private async Task TellAsync(HttpMethod method, string route, HttpContent? body, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(method, route, body, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> AskAsync<T>(
        HttpMethod method,
        string route,
        HttpContent? body,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        using HttpResponseMessage response = await SendAsync(method, route, body, cancellationToken).ConfigureAwait(false);
        try
        {
            return Parse(await AnswerBody.ReadAsync(response, cancellationToken).ConfigureAwait(false), type);
        }
        catch (InvalidDataException e)
        {
            throw Unreadable(e.Message, e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Broken(method, e);
        }
    }

    private async IAsyncEnumerable<T> ReadLinesAsync<T>(
        string route,
        JsonTypeInfo<T> type,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using HttpResponseMessage response = await SendAsync(HttpMethod.Get, route, null, cancellationToken).ConfigureAwait(false);
        using Stream content = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using StreamReader lines = new(content, Encoding.UTF8);
        while (await ReadLineAsync(lines, cancellationToken).ConfigureAwait(false) is { } line)
            yield return Parse(Encoding.UTF8.GetBytes(line), type);
    }

    private static async Task<string?> ReadLineAsync(StreamReader lines, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Broken(HttpMethod.Get, e);
        }
    }

    private static T Parse<T>(ReadOnlyMemory<byte> json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(JsonText.Rewrite(json, null, Text.Key).Span, type) ?? throw Unreadable("JSON that is null");
        }
        catch (JsonException e)
        {
            throw Unreadable(e.Message, e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string route,
        HttpContent? body,
        CancellationToken cancellationToken
    )
    {
        // When the connection closes before an answer, the handler sends again, by itself, whatever has no body. A start must not be sent
        // twice.
        using HttpRequestMessage request = new(method, route)
        {
            Content = body ?? (method == HttpMethod.Get ? null : new ByteArrayContent([])),
        };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException is IngestException known ? known : Broken(method, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Error(
                ErrorId.TimedOut,
                $"The scheduler did not answer within {AnswerLimit.TotalSeconds:0} seconds.",
                "Look at its log, and whether its machine is busy.",
                e
            );
        }

        if (response.IsSuccessStatusCode && IsOfThisVersion(response))
            return response;
        using (response)
            throw await ReadErrorAsync(response, cancellationToken).ConfigureAwait(false);
    }

    private static bool IsOfThisVersion(HttpResponseMessage response) =>
        VersionOf(response) == ControlProtocol.Version.ToString(CultureInfo.InvariantCulture);

    private static string? VersionOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues(ControlProtocol.VersionHeader, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    /// <summary>What the daemon says is wrong; where what it says cannot be read, that.</summary>
    private async Task<IngestException> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode == HttpStatusCode.UpgradeRequired || !IsOfThisVersion(response))
            return OtherVersion(VersionOf(response));
        try
        {
            ReadOnlyMemory<byte> body = await AnswerBody.ReadAsync(response, cancellationToken).ConfigureAwait(false);
            ControlError said =
                JsonSerializer.Deserialize(JsonText.Rewrite(body, null, Text.Key).Span, SchedulingJson.Default.ControlError)
                ?? throw new JsonException("JSON that is null");
            return new IngestException(said.ErrorId, Text.Words(said.Message) ?? "The scheduler gives no reason.")
            {
                Operation = "schedule",
                StatusCode = response.StatusCode,
                Advice = Text.Words(said.Advice),
            };
        }
        catch (Exception e) when (e is JsonException or HttpRequestException or IOException or InvalidDataException)
        {
            return Unreadable($"HTTP {(int)response.StatusCode} and no error that can be read", e);
        }
    }

    private IngestException OtherVersion(string? version) =>
        Error(
            ErrorId.InvalidAnswer,
            version is null
                ? $"What listens at '{Socket}' is not a scheduler of IngestTools."
                : $"The scheduler speaks version {Redaction.EscapeControls(version)} of the control protocol, and this version of "
                    + $"IngestTools speaks {ControlProtocol.Version}.",
            "Run the scheduler and the module of one version of IngestTools: stop the one that runs, and start the module's own with "
                + "Start-IngestScheduler."
        );

    /// <summary>The connection broke after the request was sent.</summary>
    private static IngestException Broken(HttpMethod method, Exception cause) =>
        method == HttpMethod.Get
            ? Error(
                ErrorId.ConnectionFailed,
                $"The scheduler ended while it answered: {cause.Message}",
                "Look whether it runs, with Get-IngestScheduler, and at its log.",
                cause
            )
            : Error(
                ErrorId.OutcomeUnknown,
                $"The scheduler ended before it answered, and may have done what it was asked: {cause.Message}",
                "Look at Get-BulkLoadSchedule and Get-BulkLoadRun before trying again.",
                cause
            );

    private static IngestException Unreadable(string what, Exception? cause = null) =>
        Error(
            ErrorId.InvalidAnswer,
            $"The scheduler gave an answer that cannot be read: {what}",
            "Run the scheduler and the module of one version of IngestTools.",
            cause
        );

    private static IngestException NoName(string name) =>
        Error(
            ErrorId.InvalidSchedule,
            $"'{Redaction.EscapeControls(name)}' is not a valid name for a schedule.",
            "Give letters, digits, spaces and signs other than a slash."
        );

    private static IngestException Error(ErrorId errorId, string message, string advice, Exception? cause = null) =>
        new(errorId, message, cause) { Operation = "schedule", Advice = advice };
}
