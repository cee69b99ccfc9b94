using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Page;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The page of a store, on a real port of the loopback address and a clock that stands still.</summary>
internal sealed class PageHarness : IAsyncDisposable
{
    /// <summary>Neither an element, nor the end of a script, nor what turns the text after it.</summary>
    public const string HostileName = "<img src=x onerror=alert(1)>\u202e</script>";

    /// <summary>A day before the clocks of Europe are set back.</summary>
    public static readonly DateTimeOffset Now = new(2026, 10, 24, 8, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();
    private readonly SqliteDialect _dialect;
    private readonly PageServer _server;
    private readonly StateReader _state;

    private PageHarness(int port, IEnumerable<PageRoute> others)
    {
        _dialect = new SqliteDialect(_folder.Path);
        Store = new SchedulerStore(_dialect, SchedulerStore.NewClaim(), "node");
        Access = new PageAccess(Time);
        _state = new StateReader(Store, new ControlAddress("socket"), Time) { Page = Access };
        PageReader reader = new(Store, _state, new ReadRoutes(Store, _state), new PageFolder(_folder.Path, TimeSpan.FromMinutes(1)), Time);
        ApplicationLifetime lifetime = new(NullLogger<ApplicationLifetime>.Instance);
        PageRoutes routes = new(reader, Access, Store, others, lifetime, NullLogger<PageRoutes>.Instance);
        _server = new PageServer(
            new PageOptions(port, TokenPath),
            Access,
            routes,
            NullLoggerProvider.Instance,
            NullLogger<PageServer>.Instance
        );
    }

    public FakeTimeProvider Time { get; } = new(Now);

    public SchedulerStore Store { get; }

    public PageAccess Access { get; }

    public HttpClient Http { get; } =
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
            }
        );

    public string TokenPath => Path.Join(_folder.Path, "page.token");

    public static async Task<PageHarness> StartAsync(int port = 0, params PageRoute[] others)
    {
        PageHarness harness = new(port, others);
        await StoreSchema.ProvideAsync(harness._dialect, TimeSpan.Zero, CancellationToken.None);
        await harness._server.StartAsync(CancellationToken.None);
        return harness;
    }

    public Task<SchedulerState> StateAsync() => _state.ReadAsync(CancellationToken.None);

    public Task StopAsync() => _server.StopAsync(CancellationToken.None);

    /// <summary>A request of somebody who has the token.</summary>
    public HttpRequestMessage Request(string path, HttpMethod? method = null) =>
        new(method ?? HttpMethod.Get, new Uri(Access.Uri!, path))
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Access.Token) },
        };

    public async Task<HttpStatusCode> StatusAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await Http.SendAsync(request);
        return response.StatusCode;
    }

    public async Task<string> TextAsync(string path)
    {
        using HttpResponseMessage response = await Http.SendAsync(Request(path));
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {text}");
        return text;
    }

    public async Task<JsonElement> JsonAsync(string path) => JsonDocument.Parse(await TextAsync(path)).RootElement;

    public async Task AddAsync(ScheduleDefinition definition, ScheduleStatus status = ScheduleStatus.Active, string? reason = null)
    {
        StoredSchedule schedule = new()
        {
            Revision = definition.Name,
            Definition = definition,
            Status = status,
            Reason = reason,
            RegisteredAt = Now,
            RegisteredBy = "somebody",
            NextDue = new IngestTools.Scheduler.Timing.Timetable(definition, Now).NextAfter(Now),
        };
        Assert.True((await Store.PutScheduleAsync(schedule, false, CancellationToken.None)).Kept);
    }

    public Task<long> AddRunAsync(StoredRun run) =>
        Store.WriteAsync(
            async session => (await SchedulerStore.AddRunAsync(session, run, CancellationToken.None))!.Value,
            CancellationToken.None
        );

    public static ScheduleDefinition Nightly(string name, string cron, string zone = "Europe/Zurich", LoadDefinition? load = null) =>
        new()
        {
            Name = name,
            Cron = cron,
            TimeZone = zone,
            Load = load ?? Folder("0801"),
        };

    public static LoadDefinition Folder(string shortcode) =>
        new()
        {
            Kind = LoadKind.BulkIngest,
            Connection = "dasch",
            Server = "https://ingest.example.org/",
            Path = "/data/scans",
            Shortcode = shortcode,
        };

    public static StoredRun Run(string name, int number, RunStatus status = RunStatus.Succeeded, string? message = null) =>
        new()
        {
            Name = name,
            DueKey = $"{name}/{number}",
            DueAt = Now.AddMinutes(number - 10_000),
            StartedAt = status == RunStatus.Missed ? null : Now.AddMinutes(number - 10_000).AddSeconds(1),
            CompletedAt = status >= RunStatus.Succeeded ? Now.AddMinutes(number - 10_000).AddSeconds(95) : null,
            Status = status,
            Load = Folder("0801"),
            Host = "ingest.example.org",
            Message = message,
        };

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        await _server.DisposeAsync();
        Http.Dispose();
        _dialect.Dispose();
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }
}
