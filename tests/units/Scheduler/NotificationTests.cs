using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IngestTools.Scheduler.Notifications;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Reports of runs that ended other than Succeeded.</summary>
public sealed class NotificationTests : IAsyncDisposable
{
    private const string Secret = "canary-notify-77aa";

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 28, 22, 30, 0, TimeSpan.Zero));
    private readonly SqliteDialect _dialect;
    private readonly List<NotificationSender> _senders = [];
    private SchedulerStore _store;

    public NotificationTests()
    {
        _dialect = new SqliteDialect(_folder.Path);
        _store = NewStore(reportsAll: false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (NotificationSender sender in _senders)
            await StopAsync(sender);
        _dialect.Dispose();
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_failed_run_is_posted_as_documented_and_signed()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(204));
        await ProvideAsync(new() { NotifyUri = hook.Uri, TimeZone = "Europe/Zurich" });
        await StartAsync(new() { Secret = _ => ValueTask.FromResult(Secret) });
        long run = await EndAsync(RunStatus.Failed);

        await IsShownAsync(run, "Sent");

        HookRequest request = Assert.Single(hook.Requests);
        Assert.Equal("POST /hook HTTP/1.1", request.Line);
        Assert.Equal("application/json; charset=utf-8", request.Headers["Content-Type"]);
        // What about_IngestTools_Scheduler says a receiver does.
        string timestamp = request.Headers["IngestTools-Timestamp"];
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds().ToString(null, null), timestamp);
        byte[] content = [.. Encoding.UTF8.GetBytes(timestamp + "."), .. request.Body];
        byte[] signed = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), content);
        Assert.Equal("v1=" + Convert.ToHexStringLower(signed), request.Headers["IngestTools-Signature"]);
        using JsonDocument report = JsonDocument.Parse(request.Body);
        Assert.Equal(
            "version run schedule kind status manual attempt retryOf dueAt startedAt completedAt timeZone message errors transactions "
                + "completed total unit server node host schedulerVersion",
            string.Join(' ', report.RootElement.EnumerateObject().Select(member => member.Name))
        );
        Assert.Equal(
            $"1 run:{run} nightly BulkIngest Failed 2026-03-28T23:30:00+01:00 Europe/Zurich Nothing was sent. https://ingest.example.org/",
            string.Join(' ', Values(report, "version", "run", "schedule", "kind", "status", "dueAt", "timeZone", "message", "server"))
        );
        Assert.Equal(
            [("2 files could not be read.", 3), ("The disk is full.", 1)],
            report
                .RootElement.GetProperty("errors")
                .EnumerateArray()
                .Select(error => (error.GetProperty("message").GetString()!, error.GetProperty("count").GetInt32()))
        );
        Assert.DoesNotContain(Secret, Encoding.UTF8.GetString(request.Body), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RunStatus.Succeeded, null)]
    [InlineData(RunStatus.PartlySucceeded, "Pending")]
    [InlineData(RunStatus.Failed, "Pending")]
    [InlineData(RunStatus.Missed, "Pending")]
    [InlineData(RunStatus.Canceled, "Pending")]
    [InlineData(RunStatus.Unknown, "Pending")]
    public async Task Every_end_other_than_Succeeded_is_reported(RunStatus status, string? notification)
    {
        await ProvideAsync(new() { NotifyUri = "http://127.0.0.1:9/" });

        Assert.Equal(notification, (await RunAsync(await EndAsync(status))).Notification);
    }

    [Fact]
    public async Task A_run_of_which_nobody_wants_a_report_has_none()
    {
        await ProvideAsync(new());

        Assert.Null((await RunAsync(await EndAsync(RunStatus.Failed))).Notification);
    }

    [Fact]
    public async Task A_run_of_another_status_on_its_way_is_reported_once_and_with_its_end()
    {
        await ProvideAsync(new() { NotifyUri = "http://127.0.0.1:9/" });
        StoredRun planned = RunOf(RunStatus.Planned);
        long number = await AddAsync(planned);
        StoredRun taken = (await _store.TakeAsync(number, 4, _time.GetUtcNow(), CancellationToken.None))!;
        Assert.Null(taken.Notification);

        (bool written, _) = await _store.EndRunAsync(
            taken with
            {
                Status = RunStatus.Unknown,
                CompletedAt = _time.GetUtcNow(),
            },
            _time.GetUtcNow(),
            _ => "host",
            CancellationToken.None
        );

        Assert.True(written);
        Assert.Equal("Pending", (await RunAsync(number)).Notification);
        Assert.Single(await TakeAllAsync());
    }

    [Fact]
    public async Task A_server_that_fails_is_tried_again_after_a_pause()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(500), HookServer.Status(429), HookServer.Status(200));
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        await StartAsync(new());
        long run = await EndAsync(RunStatus.Failed);

        await IsShownAsync(run, "Pending: It answered 500.");
        Assert.Single(hook.Requests);
        await IsShownInTimeAsync(run, "Pending: It answered 429.");
        await IsShownInTimeAsync(run, "Sent");

        Assert.Equal(3, hook.Requests.Count);
        Assert.Single(hook.Requests.Select(request => Encoding.UTF8.GetString(request.Body)).Distinct());
    }

    [Fact]
    public async Task A_report_is_given_up_after_the_last_attempt()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(503));
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        await StartAsync(new() { Pauses = [TimeSpan.FromSeconds(10)] });
        long run = await EndAsync(RunStatus.Missed);

        await IsShownAsync(run, "Pending: It answered 503.");
        await IsShownInTimeAsync(run, "Failed: It answered 503.");

        Assert.Equal(2, hook.Requests.Count);
    }

    [Theory]
    [InlineData(302, "Failed: It answered 302, a redirect, which is not followed.")]
    [InlineData(307, "Failed: It answered 307, a redirect, which is not followed.")]
    [InlineData(404, "Failed: It answered 404.")]
    public async Task What_would_fail_again_is_not_tried_again_and_no_redirect_is_followed(int status, string notification)
    {
        await using HookServer elsewhere = HookServer.Answering(HookServer.Status(200));
        await using HookServer hook = HookServer.Answering(HookServer.Status(status, $"Location: {elsewhere.Uri}\r\n"));
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        await StartAsync(new());

        await IsShownAsync(await EndAsync(RunStatus.Failed), notification);

        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task A_server_that_hangs_is_given_up_and_holds_up_no_other_target()
    {
        await using HookServer hangs = new((_, _, token) => Task.Delay(Timeout.Infinite, token));
        await using HookServer answers = HookServer.Answering(HookServer.Status(200));
        await ProvideAsync(new() { NotifyUri = hangs.Uri });
        await ProvideAsync(new() { NotifyUri = answers.Uri }, "other");
        await StartAsync(new() { PostLimit = TimeSpan.FromSeconds(0.3) });
        long[] runs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => EndAsync(RunStatus.Failed)));
        long other = await EndAsync(RunStatus.Failed, "other");

        await IsShownAsync(runs[0], "Pending: It did not answer within 0.3 s.");
        await IsShownAsync(other, "Sent");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", "Sent")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "Sent")]
    [InlineData("\u0001\u0002 no HTTP\r\n\r\n", "Pending: Its answer is not HTTP, or too long.")]
    [InlineData("HTTP/1.1 200 OK\r\nX: ", "Pending: Its answer is not HTTP, or too long.")]
    public async Task An_answer_without_end_or_sense_costs_nothing(string beginning, string notification)
    {
        byte[] junk = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));
        await using HookServer hook = new(
            async (_, stream, token) =>
            {
                await HookServer.SendAsync(stream, beginning, token);
                while (true)
                    await stream.WriteAsync(junk, token);
            }
        );
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        await StartAsync(new());

        await IsShownAsync(await EndAsync(RunStatus.Failed), notification);
    }

    [Fact]
    public async Task A_report_outlives_its_daemon()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(500), HookServer.Status(200));
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        NotificationSender first = await StartAsync(new());
        long run = await EndAsync(RunStatus.Failed);
        await IsShownAsync(run, "Pending: It answered 500.");
        await StopAsync(first);

        _store = NewStore(reportsAll: false);
        await StartAsync(new());
        await IsShownInTimeAsync(run, "Sent");
    }

    [Fact]
    public async Task A_report_that_a_killed_daemon_had_begun_is_sent_by_the_next_one()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(200));
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        long run = await EndAsync(RunStatus.Failed);
        Assert.Single(await TakeAllAsync());
        await StartAsync(new());

        await IsShownInTimeAsync(run, "Sent");
    }

    [Fact]
    public async Task An_address_that_was_removed_gets_no_more_reports()
    {
        await using HookServer hook = HookServer.Answering(HookServer.Status(500));
        await ProvideAsync(new() { NotifyUri = hook.Uri });
        await StartAsync(new());
        long run = await EndAsync(RunStatus.Failed);
        await IsShownAsync(run, "Pending: It answered 500.");
        StoredSchedule was = (await _store.FindScheduleAsync("nightly", CancellationToken.None))!;
        StoredSchedule now = was with { Definition = was.Definition with { NotifyUri = null } };
        Assert.True(await _store.ChangeDefinitionAsync(was, now, "host", _time.GetUtcNow(), CancellationToken.None));

        await IsShownInTimeAsync(run, "Failed: The schedule was changed, and no longer reports there.");
        Assert.Single(hook.Requests);
    }

    [Fact]
    public async Task The_daemon_reports_all_schedules_to_its_own_address_and_each_schedule_to_its_own()
    {
        await using HookServer all = HookServer.Answering(HookServer.Status(200));
        await using HookServer own = HookServer.Answering(HookServer.Status(404));
        _store = NewStore(reportsAll: true);
        await ProvideAsync(new() { NotifyUri = own.Uri });
        await ProvideAsync(new(), "other");
        await StartAsync(new() { Uri = all.Uri });

        await IsShownAsync(await EndAsync(RunStatus.Failed), "Sent; Failed: It answered 404.");
        await IsShownAsync(await EndAsync(RunStatus.Failed, "other"), "Sent");

        Assert.Equal(2, all.Requests.Count);
        Assert.Single(own.Requests);
    }

    [Fact]
    public async Task A_daemon_without_an_address_leaves_reports_to_one_that_has_it()
    {
        _store = NewStore(reportsAll: true);
        await ProvideAsync(new());
        await EndAsync(RunStatus.Failed);
        SchedulerStore without = NewStore(reportsAll: false);

        Assert.False(await without.AreNotificationsDueAsync(_time.GetUtcNow(), CancellationToken.None));
        Assert.Empty(await without.TakeNotificationsAsync(_time.GetUtcNow(), _time.GetUtcNow(), 10, CancellationToken.None));
        Assert.True(await _store.AreNotificationsDueAsync(_time.GetUtcNow(), CancellationToken.None));
    }

    [Theory]
    [InlineData("http://example.org/hook", ErrorId.InsecureConnection)]
    [InlineData("https://user:canary-secret-1@example.org/", ErrorId.InvalidSchedule)]
    [InlineData("https://example.org/hook?sig=canary-secret-1", ErrorId.InvalidSchedule)]
    [InlineData("file:///etc/passwd", ErrorId.SecretUnavailable)]
    [InlineData("ftp://example.org/canary", ErrorId.InvalidSchedule)]
    [InlineData("example.org/hook", ErrorId.InvalidSchedule)]
    [InlineData("env:NOTIFY_TEST_NOT_SET", ErrorId.SecretUnavailable)]
    public async Task An_address_that_could_not_be_used_or_has_a_secret_is_refused(string uri, ErrorId error)
    {
        IngestException refused = await Assert.ThrowsAsync<IngestException>(() =>
            NotificationAddress.CheckAsync(uri, CancellationToken.None)
        );

        Assert.Equal(error, refused.ErrorId);
        Assert.DoesNotContain("canary-secret", $"{refused.Message} {refused.Advice}", StringComparison.Ordinal);
        Assert.NotEmpty(refused.Advice!);
    }

    [Fact]
    public async Task An_address_with_a_secret_is_kept_in_a_file()
    {
        string file = _folder.Write("address", 0);
        await File.WriteAllTextAsync(file, "https://example.org/hook?sig=canary-secret-1\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        await NotificationAddress.CheckAsync($"file:{file}", CancellationToken.None);

        Assert.Equal(
            "https://example.org/hook?sig=canary-secret-1",
            (await NotificationAddress.ReadAsync($"file:{file}", CancellationToken.None)).ToString()
        );
        Assert.Equal($"file:{file}", NotificationAddress.Describe($"file:{file}"));
    }

    [Fact]
    public async Task A_command_gets_the_report_and_its_arguments_as_they_are()
    {
        string input = Path.Join(_folder.Path, "input");
        string arguments = Path.Join(_folder.Path, "arguments");
        await ProvideAsync(
            new() { NotifyCommand = ["/bin/sh", "-c", "cat > \"$1\"; printf %s \"$3\" > \"$2\"", "sh", input, arguments, "$(id) ; a b\"'"] }
        );
        await StartAsync(new());
        long run = await EndAsync(RunStatus.Canceled);

        await IsShownAsync(run, "Sent");

        Assert.Equal("$(id) ; a b\"'", await File.ReadAllTextAsync(arguments));
        using JsonDocument report = JsonDocument.Parse(await File.ReadAllTextAsync(input));
        Assert.Equal([$"run:{run}", "Canceled"], Values(report, "run", "status"));
    }

    [Fact]
    public async Task A_command_that_fails_is_shown_with_what_it_said_and_tried_again()
    {
        await ProvideAsync(new() { NotifyCommand = ["/bin/sh", "-c", "head -c 1000000 /dev/zero; echo no mail here >&2; exit 3"] });
        await StartAsync(new());

        await IsShownAsync(await EndAsync(RunStatus.Failed), "Pending: The program ended with 3: no mail here");
    }

    [Fact]
    public async Task A_command_that_hangs_is_killed_with_its_children()
    {
        string child = Path.Join(_folder.Path, "child");
        SendOutcome outcome;
        do
        {
            // On a busy machine it may be killed before it has a child.
            outcome = await CommandRunner.RunAsync(
                ["/bin/sh", "-c", "sleep 1000 & echo $! > \"$0.new\"; mv \"$0.new\" \"$0\"; wait", child],
                [1, 2, 3],
                TimeSpan.FromSeconds(1),
                CancellationToken.None
            );
        } while (!File.Exists(child));

        Assert.Equal(new SendOutcome("The program did not end within 1 s, and was killed.", IsFinal: false), outcome);
        int process = int.Parse(await File.ReadAllTextAsync(child), null);
        await Until.TrueAsync(() => !IsAlive(process));
    }

    [Theory]
    [InlineData("mail", "is not the full path of a program")]
    [InlineData("/nowhere/at all", "does not exist")]
    [InlineData("", "names no program")]
    [InlineData("/etc/passwd", "is not executable")]
    public async Task A_command_that_cannot_be_run_is_refused(string program, string words)
    {
        ScheduleDefinition definition = DefinitionOf("x", new() { NotifyCommand = [program] });

        IngestException refused = await Assert.ThrowsAsync<IngestException>(() =>
            NotificationCheck.CheckAsync(definition, CancellationToken.None)
        );

        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_a_clock_ahead_postponed_waits_no_longer_than_any_does()
    {
        await ProvideAsync(new() { NotifyUri = "http://127.0.0.1:9/" });
        await EndAsync(RunStatus.Failed);
        DateTimeOffset now = _time.GetUtcNow();
        StoredNotification report = Assert.Single(await TakeAllAsync());
        await _store.WriteNotificationAsync(report with { DueAt = now.AddDays(300) }, CancellationToken.None);

        await _store.LimitNotificationsAsync(now.AddHours(4), CancellationToken.None);

        Assert.False(await _store.AreNotificationsDueAsync(now.AddHours(3), CancellationToken.None));
        Assert.True(await _store.AreNotificationsDueAsync(now.AddHours(4), CancellationToken.None));
    }

    [Fact]
    public async Task Reports_are_forgotten_with_their_runs()
    {
        await ProvideAsync(new() { NotifyUri = "http://127.0.0.1:9/" });
        await EndAsync(RunStatus.Failed);

        Assert.Equal(1, await _store.ForgetRunsAsync(_time.GetUtcNow().AddDays(1), CancellationToken.None));

        Assert.Empty(await TakeAllAsync());
    }

    private static bool IsAlive(int process) =>
        File.Exists($"/proc/{process}/stat") && !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static string[] Values(JsonDocument report, params string[] members) =>
        members.Select(member => report.RootElement.GetProperty(member).ToString()).ToArray();

    private SchedulerStore NewStore(bool reportsAll) => new(_dialect, SchedulerStore.NewClaim(), "node") { ReportsAll = reportsAll };

    private async Task<NotificationSender> StartAsync(NotificationOptions options)
    {
        NotificationSender sender = new(_store, options, _time, NullLogger<NotificationSender>.Instance);
        _senders.Add(sender);
        await sender.StartAsync(CancellationToken.None);
        return sender;
    }

    private static async Task StopAsync(NotificationSender sender)
    {
        await sender.StopAsync(CancellationToken.None);
        sender.Dispose();
    }

    private sealed record Targets
    {
        public string? NotifyUri { get; init; }

        public string[]? NotifyCommand { get; init; }

        public string? TimeZone { get; init; }
    }

    private ScheduleDefinition DefinitionOf(string name, Targets targets) =>
        new()
        {
            Name = name,
            Load = RunOf(RunStatus.Planned).Load,
            At = _time.GetUtcNow().AddDays(1),
            TimeZone = targets.TimeZone,
            NotifyUri = targets.NotifyUri,
            NotifyCommand = targets.NotifyCommand,
        };

    private async Task ProvideAsync(Targets targets, string name = "nightly")
    {
        await StoreSchema.ProvideAsync(_dialect, TimeSpan.Zero, CancellationToken.None);
        StoredSchedule schedule = new()
        {
            Revision = name,
            Definition = DefinitionOf(name, targets),
            RegisteredAt = _time.GetUtcNow(),
        };
        Assert.True((await _store.PutScheduleAsync(schedule, false, CancellationToken.None)).Kept);
    }

    private StoredRun RunOf(RunStatus status, string name = "nightly") =>
        new()
        {
            Name = name,
            DueKey = $"{name}/{Guid.NewGuid():N}",
            DueAt = _time.GetUtcNow(),
            Status = status,
            CompletedAt = status == RunStatus.Planned ? null : _time.GetUtcNow(),
            Message = "Nothing was sent.",
            Host = "host",
            Load = new LoadDefinition
            {
                Kind = LoadKind.BulkIngest,
                Connection = "dsp",
                Server = "https://ingest.example.org/",
                Path = "/nowhere",
                Shortcode = "0001",
            },
        };

    private Task<long> AddAsync(StoredRun run) =>
        _store.WriteAsync(
            async session =>
            {
                long number = (await SchedulerStore.AddRunAsync(session, run, CancellationToken.None)).GetValueOrDefault();
                foreach (
                    (string severity, string message) in (IEnumerable<(string, string)>)
                        [
                            ("Information", "It began."),
                            ("Error", "Failed after 0.1 s. Nothing was sent."),
                            ("Warning", "The disk is full."),
                            ("Warning", "2 files could not be read."),
                            ("Error", "17 files could not be read."),
                            ("Warning", "1,234 files could not be read."),
                        ]
                )
                    await SchedulerStore.AddLogAsync(session, number, _time.GetUtcNow(), severity, message, CancellationToken.None);
                return number;
            },
            CancellationToken.None
        );

    private Task<long> EndAsync(RunStatus status, string name = "nightly") => AddAsync(RunOf(status, name));

    private async Task<StoredRun> RunAsync(long number) => (await _store.FindRunAsync(number, CancellationToken.None))!;

    private Task<List<StoredNotification>> TakeAllAsync() =>
        _store.TakeNotificationsAsync(_time.GetUtcNow(), _time.GetUtcNow().AddMinutes(2), 100, CancellationToken.None);

    /// <summary>Moves the clock until the history of a run shows a text.</summary>
    private Task IsShownInTimeAsync(long number, string notification) =>
        Until.TrueAsync(async () =>
        {
            if ((await RunAsync(number)).Notification == notification)
                return true;
            // In steps, because the sender may be about to wait.
            _time.Advance(TimeSpan.FromSeconds(5));
            return false;
        });

    /// <summary>Waits until the history of a run shows a text.</summary>
    private Task IsShownAsync(long number, string notification) =>
        Until.TrueAsync(async () => (await RunAsync(number)).Notification == notification);
}
