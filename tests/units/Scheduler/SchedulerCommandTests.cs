using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The program's other commands, its log, and what it tells systemd.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class SchedulerCommandTests
{
    [Fact]
    public async Task Status_has_the_exit_codes_of_monitoring()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        (int down, string downText, _) = await harness.CommandAsync("status");
        SchedulerProcess daemon = await harness.RunAsync();
        (int well, string wellText, _) = await harness.CommandAsync("status");
        (int json, string jsonText, _) = await harness.CommandAsync("status", "--json");

        Assert.Equal((2, 0, 0), (down, well, json));
        Assert.StartsWith("SCHEDULER CRITICAL", downText, StringComparison.Ordinal);
        Assert.StartsWith("SCHEDULER OK", wellText, StringComparison.Ordinal);
        Assert.Equal(daemon.Id, JsonSerializer.Deserialize(jsonText, SchedulingJson.Default.SchedulerState)!.ProcessId);
    }

    [Fact]
    public async Task Page_is_off_by_default_and_reads_what_the_scheduler_has()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        using HttpClient http = new();
        SchedulerProcess plain = await harness.RunAsync();
        using SchedulerClient other = new(harness.Socket);
        Assert.Null((await other.GetStateAsync(CancellationToken.None)).PageUri);
        IngestException off = await Assert.ThrowsAsync<IngestException>(() => other.CreatePageAddressAsync(CancellationToken.None));
        Assert.Equal(ErrorId.NotFound, off.ErrorId);
        await other.ShutDownAsync(CancellationToken.None);
        Assert.Equal(0, await plain.EndsAsync());

        SchedulerProcess daemon = await harness.RunAsync("--page");
        using SchedulerClient client = new(harness.Socket);
        SchedulerState state = await client.GetStateAsync(CancellationToken.None);
        Uri address = (await client.CreatePageAddressAsync(CancellationToken.None)).Uri;
        string token = await File.ReadAllTextAsync(state.PageTokenPath!);
        using HttpRequestMessage request = new(HttpMethod.Get, new Uri(state.PageUri!, "api/overview"));
        request.Headers.Authorization = new("Bearer", token);
        using HttpResponseMessage response = await http.SendAsync(request);
        using HttpRequestMessage scrape = new(HttpMethod.Get, new Uri(state.PageUri!, "metrics"));
        using HttpResponseMessage refused = await http.GetAsync(scrape.RequestUri);
        scrape.Headers.Authorization = new("Bearer", token);
        using HttpResponseMessage metrics = await http.SendAsync(scrape);

        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("text/plain", metrics.Content.Headers.ContentType!.MediaType);
        Assert.Contains("# TYPE ", await metrics.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.True(state.PageUri!.IsLoopback && state.PageUri.Port > 0);
        Assert.Equal(state.PageUri.Port, address.Port);
        Assert.Contains($"\"processId\":{daemon.Id},", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains($"The page is at {state.PageUri.AbsoluteUri}.", daemon.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(token, daemon.Log, StringComparison.Ordinal);
        await client.ShutDownAsync(CancellationToken.None);
        Assert.Equal(0, await daemon.EndsAsync());
        Assert.False(File.Exists(state.PageTokenPath));
    }

    [Theory]
    [InlineData("run", "--stroe", "x")]
    [InlineData("run", "--store", "postgres")]
    [InlineData("run", "--connection-from", "env:HOME")]
    [InlineData("run", "--node", "a b")]
    [InlineData("run", "--page", "65536")]
    [InlineData("status", "--socket")]
    [InlineData("dance", "", "")]
    public async Task Wrong_usage_ends_with_64_and_says_what_is_wrong(params string[] arguments)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        (int code, _, string errors) = await harness.CommandAsync(arguments.Where(argument => argument.Length > 0).ToArray());

        Assert.Equal(64, code);
        Assert.Contains("--help", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgresql://ingest:canary-9f3a@db/ingest")]
    [InlineData("Host=db;Passwort=canary-9f3a")]
    public async Task A_connection_to_postgresql_that_is_none_is_refused_and_its_password_told_to_nobody(string connection)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        harness.Environment["SCHEDULER_TEST_POSTGRES"] = connection;

        (int code, string output, string errors) = await harness.CommandAsync(
            "run",
            "--store",
            "postgres",
            "--connection-from",
            "env:SCHEDULER_TEST_POSTGRES"
        );

        Assert.Equal(1, code);
        Assert.DoesNotContain("canary", output + errors, StringComparison.Ordinal);
        Assert.Contains("Host=db;Username=", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_ended_is_not_exported_for_it_could_not_be_imported()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.RegisterAsync(SchedulerHarness.Yearly("yearly", harness.DspLoad("0034")));
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "had its time",
                Load = harness.DspLoad("0035"),
                At = DateTimeOffset.UtcNow.AddDays(-1),
            },
            allowPast: true
        );
        await daemon.UntilAsync(() => daemon.SchedulesAsync("?name=had*"), schedules => schedules[0].Status == ScheduleStatus.Ended);
        string file = Path.Join(harness.Folder.Path, "schedules.json");

        Assert.Equal(0, (await harness.CommandAsync("export", file)).Code);

        Assert.DoesNotContain("had its time", File.ReadAllText(file), StringComparison.Ordinal);
        (int code, string output, _) = await harness.CommandAsync("import", file, "--replace");
        Assert.Equal(0, code);
        Assert.StartsWith("1 schedule was imported, 0 were not.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_unit_gives_more_time_to_stop_than_it_takes_and_hardens_the_service()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        (int code, string unit, _) = await harness.CommandAsync("unit", "--user", "loader");

        Assert.Equal(0, code);
        foreach (
            string line in new[]
            {
                "Type=notify",
                "User=loader",
                "TimeoutStopSec=20",
                "Restart=on-failure",
                "NoNewPrivileges=true",
                "ProtectSystem=strict",
                "WantedBy=multi-user.target",
            }
        )
            Assert.Contains(line, unit, StringComparison.Ordinal);
        Assert.Contains("ingest-scheduler", unit, StringComparison.Ordinal);
        Assert.Contains(
            "New-Service -Name 'IngestTools scheduler'",
            (await harness.CommandAsync("unit", "--windows")).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_unit_has_the_options_of_run_that_it_is_given_and_refuses_others()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        string[] options = ["--notify", "env:HOOK", "--log", "/var/log/my loads/100%.log", "--page"];

        (int code, string unit, _) = await harness.CommandAsync(["unit", .. options]);
        string windows = (await harness.CommandAsync(["unit", "--windows", .. options])).Output;

        Assert.Equal(0, code);
        Assert.Contains(" run --notify env:HOOK --log \"/var/log/my loads/100%%.log\" --page\n", unit, StringComparison.Ordinal);
        Assert.Contains(" run --notify env:HOOK --log \"/var/log/my loads/100%.log\" --page'", windows, StringComparison.Ordinal);
        Assert.Contains(
            " run --store postgres --connection-from env:NOT_SET_HERE\n",
            (await harness.CommandAsync("unit", "--store", "postgres", "--connection-from", "env:NOT_SET_HERE")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains("\nReadWritePaths=\"/var/log/my loads\"\n", unit, StringComparison.Ordinal);
        string relative = (await harness.CommandAsync("unit", "--store", "s", "--notify", "file:hook")).Output;
        string store = Path.GetFullPath("s");
        Assert.Contains($" run --store {store} --notify file:{Path.GetFullPath("hook")}\n", relative, StringComparison.Ordinal);
        Assert.Contains($" status --socket {SchedulerPlace.SocketOf(store)}\n", relative, StringComparison.Ordinal);
        foreach (
            string[] wrong in (string[][])
                [
                    ["--stroe", "x"],
                    ["--page", "99999"],
                    ["--store", "postgres"],
                ]
        )
            Assert.Equal(64, (await harness.CommandAsync(["unit", .. wrong])).Code);
    }

    [Fact]
    public async Task Schedules_are_exported_and_imported_without_secrets()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.RegisterAsync(SchedulerHarness.Yearly("one", harness.DspLoad("0030")));
        await first.RegisterAsync(
            SchedulerHarness.Yearly("two", harness.DspLoad("0031")) with
            {
                Overlap = Overlap.Queue,
                MissedRun = MissedRun.Skip,
            }
        );
        string file = Path.Join(harness.Folder.Path, "schedules.json");
        Assert.Equal(0, (await harness.CommandAsync("export", file)).Code);
        Assert.DoesNotContain(SchedulerHarness.Token, File.ReadAllText(file), StringComparison.Ordinal);
        await first.TerminateAsync();
        Directory.Delete(harness.Store, recursive: true);
        SchedulerProcess second = await harness.RunAsync();

        (int code, string output, _) = await harness.CommandAsync("import", file);
        (int again, _, string refused) = await harness.CommandAsync("import", file);

        Assert.Equal((0, 1), (code, again));
        Assert.Contains("2 schedules were imported, 0 were not.", output, StringComparison.Ordinal);
        Assert.Contains("already", refused, StringComparison.Ordinal);
        List<BulkLoadSchedule> schedules = await second.SchedulesAsync();
        Assert.Equal((Overlap.Queue, MissedRun.Skip), (schedules[1].Definition!.Overlap, schedules[1].Definition!.MissedRun));
        Assert.Equal(2, schedules.Count);
    }

    [Fact]
    public async Task What_is_suspended_stays_so_with_its_reason_where_it_is_imported()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0032");
        await daemon.RegisterAsync(SchedulerHarness.Yearly("Active", load));
        await daemon.RegisterAsync(SchedulerHarness.Yearly("Told", load));
        await daemon.RegisterAsync(
            new ScheduleDefinition
            {
                Name = "Once",
                Load = load,
                At = DateTimeOffset.UtcNow.AddDays(1),
            }
        );
        await SuspendAsync(daemon, "Told", new SuspendRequest("the server is moved", "ann"));
        await SuspendAsync(daemon, "Once", new SuspendRequest(null, null));
        string file = Path.Join(harness.Folder.Path, "schedules.json");
        Assert.Equal(0, (await harness.CommandAsync("export", file)).Code);
        foreach (string name in new[] { "Active", "Told", "Once" })
            (await daemon.Http.DeleteAsync($"schedules/{name}")).Dispose();
        // The single time has passed when it is imported: it was suspended, so it is not run, and not refused.
        DefinitionFile exported = JsonSerializer.Deserialize(File.ReadAllText(file), SchedulingJson.Default.DefinitionFile)!;
        exported = exported with
        {
            Schedules = [.. exported.Schedules.Select(schedule => schedule with { At = schedule.At?.AddDays(-2) })],
        };
        File.WriteAllText(file, JsonSerializer.Serialize(exported, SchedulingJson.Default.DefinitionFile));

        Assert.Equal(0, (await harness.CommandAsync("import", file)).Code);

        Assert.Equal(
            [
                ("Active", ScheduleStatus.Active, null),
                ("Once", ScheduleStatus.Suspended, null),
                ("Told", ScheduleStatus.Suspended, "the server is moved (ann)"),
            ],
            (await daemon.SchedulesAsync()).Select(schedule => (schedule.Name, schedule.Status, schedule.Reason))
        );
        Assert.Empty(await daemon.RunsAsync());
    }

    [Fact]
    public async Task A_file_that_was_exported_before_suspensions_were_is_imported()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        string path = JsonSerializer.Serialize(harness.DspLoad("0033").Path);
        string old = $$"""
            { "version": 1, "schedules": [ { "name": "old", "cron": "0 3 1 1 *", "timeZone": "UTC",
                "missedRun": "RunOnce", "overlap": "Skip",
                "load": { "kind": "BulkIngest", "connection": "dsp", "path": {{path}}, "shortcode": "0033", "recurse": false } } ] }
            """;

        string file = Path.Join(harness.Folder.Path, "old.json");
        File.WriteAllText(file, old);

        (int code, _, string errors) = await harness.CommandAsync("import", file);

        Assert.True(code == 0, errors);
        Assert.Equal(ScheduleStatus.Active, Assert.Single(await daemon.SchedulesAsync()).Status);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{ \"version\": 9 }")]
    [InlineData("{ \"version\": 1, \"schedules\": null }")]
    [InlineData("{ \"version\": 1, \"schedules\": [ null ] }")]
    [InlineData("{ \"version\": 1, \"schedules\": [ { \"name\": \"x\", \"load\": null } ] }")]
    [InlineData("{ \"version\": 1, \"schedules\": [], \"suspended\": [ null ] }")]
    public async Task A_file_that_is_none_is_refused_and_says_which(string text)
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        string file = Path.Join(harness.Folder.Path, "none.json");
        File.WriteAllText(file, text);

        (int code, _, string errors) = await harness.CommandAsync("import", file);

        Assert.Equal(1, code);
        Assert.StartsWith($"ingest-scheduler: {file} ", errors, StringComparison.Ordinal);
        Assert.Contains("xport", errors, StringComparison.Ordinal);
    }

    private static async Task SuspendAsync(SchedulerProcess daemon, string name, SuspendRequest request)
    {
        using HttpContent body = System.Net.Http.Json.JsonContent.Create(request, SchedulingJson.Default.SuspendRequest);
        using HttpResponseMessage answer = await daemon.Http.PostAsync($"schedules/{name}/suspend", body);
        Assert.True(answer.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Systemd_is_told_when_it_is_ready_and_when_it_stops_and_the_journal_gets_priorities()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        string path = Path.Join(harness.Folder.Path, "notify");
        using Socket systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        harness.Environment["NOTIFY_SOCKET"] = path;
        harness.Environment["JOURNAL_STREAM"] = "8:1";
        SchedulerProcess daemon = await harness.RunAsync();
        await daemon.TerminateAsync();

        byte[] buffer = new byte[4096];
        List<string> told = [];
        while (systemd.Available > 0)
            told.Add(Encoding.UTF8.GetString(buffer, 0, systemd.Receive(buffer)));

        Assert.Contains(told, text => text.StartsWith("READY=1", StringComparison.Ordinal));
        Assert.Equal("STOPPING=1", told[^1]);
        Assert.All(daemon.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches("^<[2-7]>", line));
    }

    [Fact]
    public async Task The_socket_can_end_the_daemon()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();

        using HttpResponseMessage answer = await daemon.Http.PostAsync("shutdown", null);

        Assert.Equal(202, (int)answer.StatusCode);
        Assert.Equal(0, await daemon.EndsAsync());
    }
}
