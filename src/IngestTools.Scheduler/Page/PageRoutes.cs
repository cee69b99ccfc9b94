using System.Globalization;
using System.Reflection;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace IngestTools.Scheduler.Page;

/// <summary>Another answer on the page's port, for those who have the token: register one in the daemon's services.</summary>
/// <param name="Path">Its whole path, such as <c>/metrics</c>.</param>
/// <param name="AnswerAsync">Writes the answer.</param>
internal sealed record PageRoute(string Path, Func<HttpContext, Task> AnswerAsync);

/// <summary>What the daemon answers on the page's port: all of it only reads.</summary>
/// <remarks>
/// Whoever can open a port of this machine reaches it: other accounts, and scripts of any site in the viewer's browser. So:
/// <list type="bullet">
/// <item>The token is in a header, which no other page can send, and not in a cookie: cookies are sent to every port of a host.</item>
/// <item>The Host header is this page's own, whatever name an attacker's DNS gives to the loopback address.</item>
/// <item>The files of the page hold no data and need no token: a browser gets the ticket behind the address's #, which it keeps.</item>
/// </list>
/// </remarks>
internal sealed class PageRoutes(
    PageReader reader,
    PageAccess access,
    SchedulerStore store,
    IEnumerable<PageRoute> others,
    IHostApplicationLifetime lifetime,
    ILogger<PageRoutes> logger
)
{
    private const string Bearer = "Bearer ";

    private const string Ticket = "Ticket ";

    /// <summary>A Host header leaves it out.</summary>
    private const int HttpPort = 80;

    /// <summary>Longer is no name, and no part of a message that anybody searches for.</summary>
    private const int MaxText = 200;

    private static readonly Dictionary<string, (byte[] Content, string Type)> Files = new(StringComparer.Ordinal)
    {
        ["/"] = (ReadFile("page.html"), "text/html; charset=utf-8"),
        ["/page.css"] = (ReadFile("page.css"), "text/css; charset=utf-8"),
        ["/page.js"] = (ReadFile("page.js"), "text/javascript; charset=utf-8"),
    };

    private static readonly (string Name, string Value)[] Headers =
    [
        (
            HeaderNames.ContentSecurityPolicy,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
                + "form-action 'none'; frame-ancestors 'none'"
        ),
        (HeaderNames.CacheControl, "no-store"),
        (HeaderNames.XContentTypeOptions, "nosniff"),
        (HeaderNames.XFrameOptions, "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ];

    public async Task AnswerAsync(HttpContext context)
    {
        foreach ((string name, string value) in Headers)
            context.Response.Headers[name] = value;
        HttpRequest request = context.Request;
        if (!IsOwnHost(request.Host))
            await RefuseAsync(context, StatusCodes.Status421MisdirectedRequest, "This is not the host of this page.");
        else if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            await RefuseMethodAsync(context);
        else if (Files.TryGetValue(request.Path.Value!, out (byte[] Content, string Type) file))
            await SendFileAsync(context, file);
        else if (request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "Another site sent this request.");
        else if (request.Path == "/api/session" && IsTicket(request))
            await SendAsync(context, Task.FromResult(new PageSession(access.Token)), PageJson.Default.PageSession);
        else if (!IsToken(request))
            await RefuseUnknownAsync(context);
        else
            await ControlAnswer.GuardAsync(context, Route, store.Dialect.Place, logger, lifetime.ApplicationStopping);
    }

    private Task? Route(HttpContext context)
    {
        CancellationToken aborted = context.RequestAborted;
        IQueryCollection query = context.Request.Query;
        return context.Request.Path.Value!.Trim('/').Split('/') switch
        {
            ["api", "overview"] => SendAsync(context, reader.ReadOverviewAsync(aborted), PageJson.Default.PageOverview),
            ["api", "agenda"] => SendAsync(context, reader.ReadAgendaAsync(AgendaOf(query), aborted), PageJson.Default.PageAgenda),
            ["api", "runs"] => SendAsync(context, reader.ReadRunsAsync(RunsOf(query), aborted), PageJson.Default.PagePartBulkLoadRun),
            ["api", "runs", var number] => SendAsync(context, reader.ReadRunAsync(number, aborted), PageJson.Default.BulkLoadRun),
            ["api", "schedules"] => SendAsync(
                context,
                reader.ReadSchedulesAsync(SchedulesOf(query), aborted),
                PageJson.Default.PagePartPageSchedule
            ),
            _ => others.FirstOrDefault(other => other.Path == context.Request.Path)?.AnswerAsync(context),
        };
    }

    private static RunFilter RunsOf(IQueryCollection query) =>
        new()
        {
            Before = TextOf(query, "before") is { } before ? NumberOf(before) : long.MaxValue,
            Statuses = [.. query["status"].Select(word => WordOf<RunStatus>(word)!.Value)],
            Kind = WordOf<LoadKind>(TextOf(query, "kind")),
            Schedule = TextOf(query, "schedule"),
            Text = TextOf(query, "text"),
            HasEnded = TextOf(query, "ended") is { } ended ? bool.Parse(ended) : null,
        };

    private static ScheduleFilter SchedulesOf(IQueryCollection query) =>
        new()
        {
            After = TextOf(query, "after") ?? "",
            Status = WordOf<ScheduleStatus>(TextOf(query, "status")),
            Text = TextOf(query, "text"),
        };

    private static AgendaQuery AgendaOf(IQueryCollection query) =>
        new()
        {
            // The browser's zone may be newer than this machine's list of zones.
            Zone = TimeZoneInfo.TryFindSystemTimeZoneById(TextOf(query, "zone") ?? "", out TimeZoneInfo? zone) ? zone : TimeZoneInfo.Utc,
            Day = TextOf(query, "day") is { } day ? DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture) : null,
            Text = TextOf(query, "text"),
            After = TextOf(query, "after") is { } after ? PageAgendaReader.Parse(after) : null,
        };

    private static string? TextOf(IQueryCollection query, string name) =>
        query[name].ToString() is not { Length: > 0 } text ? null
        : text.Length <= MaxText ? text
        : throw new FormatException($"{name} is longer than {MaxText} characters");

    private static long NumberOf(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new FormatException($"'{text}' is not a number");

    private static T? WordOf<T>(string? word)
        where T : struct, Enum =>
        word is null ? null
        : Enum.TryParse(word, ignoreCase: true, out T value) && Enum.IsDefined(value) ? value
        : throw new FormatException($"'{word}' is not one of {string.Join(", ", Enum.GetNames<T>())}");

    private bool IsOwnHost(HostString host) =>
        (host.Port ?? HttpPort) == access.Uri?.Port && host.Host.ToUpperInvariant() is "127.0.0.1" or "LOCALHOST" or "[::1]";

    private bool IsToken(HttpRequest request) => AuthorizationOf(request, Bearer) is { } token && access.IsToken(token);

    private bool IsTicket(HttpRequest request) => AuthorizationOf(request, Ticket) is { } ticket && access.TakeTicket(ticket);

    private static string? AuthorizationOf(HttpRequest request, string scheme) =>
        request.Headers.Authorization.ToString() is var given && given.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            ? given[scheme.Length..].Trim()
            : null;

    private static Task RefuseUnknownAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return RefuseAsync(context, StatusCodes.Status401Unauthorized, "Open the page with Show-IngestScheduler.");
    }

    private static Task RefuseMethodAsync(HttpContext context)
    {
        context.Response.Headers.Allow = "GET, HEAD";
        return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "This page only reads.");
    }

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why + "\n");
    }

    private static async Task SendFileAsync(HttpContext context, (byte[] Content, string Type) file)
    {
        context.Response.ContentType = file.Type;
        context.Response.ContentLength = file.Content.Length;
        await context.Response.Body.WriteAsync(file.Content, context.RequestAborted);
    }

    private static Task SendAsync<T>(HttpContext context, Task<T> answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        ControlAnswer.SendAsync(context, answer, type);

    private static byte[] ReadFile(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Page.{name}")!;
        using MemoryStream content = new();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
