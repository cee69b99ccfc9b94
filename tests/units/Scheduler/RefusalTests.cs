using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using IngestTools.Connections;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>What bad input gets, at registration and at the start.</summary>
[Collection(StartsProcesses.Name)]
[Trait("kind", "process")]
public sealed class RefusalTests
{
    [Fact]
    public async Task What_would_fail_at_night_is_refused_at_registration()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        harness.Save(
            new ConnectionProfile
            {
                Name = "no secret",
                Service = IngestService.DspIngest,
                Uri = harness.Sandbox.Uri,
                SignIn = SignInKind.Token,
                SecretFrom = "env:NOBODY_SET_THIS",
            },
            new ConnectionProfile
            {
                Name = "vault",
                Service = IngestService.DspIngest,
                Uri = harness.Sandbox.Uri,
                SignIn = SignInKind.Token,
                SecretFrom = "vault:mine",
            },
            new ConnectionProfile
            {
                Name = "wrong",
                Service = IngestService.DspIngest,
                Uri = harness.Sandbox.Uri,
                SignIn = SignInKind.Token,
                SecretFrom = "env:PATH",
            },
            new ConnectionProfile
            {
                Name = "nobody there",
                Service = IngestService.DspIngest,
                Uri = new Uri("http://127.0.0.1:9/"),
                SignIn = SignInKind.Token,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
                MaxAttempts = 1,
            }
        );
        SchedulerProcess daemon = await harness.RunAsync();
        LoadDefinition load = harness.DspLoad("0020");
        ScheduleDefinition good = SchedulerHarness.Yearly("good", load);
        (ScheduleDefinition Bad, ErrorId Id, string Told)[] cases =
        [
            (good with { Cron = "61 * * * *" }, ErrorId.InvalidSchedule, "cron"),
            (good with { Cron = "0 0 30 2 *" }, ErrorId.InvalidSchedule, "no time"),
            (good with { TimeZone = "Europe/Atlantis" }, ErrorId.InvalidSchedule, "Atlantis"),
            (good with { Cron = null, At = DateTimeOffset.UtcNow.AddMinutes(-1) }, ErrorId.InvalidSchedule, "has passed"),
            (good with { Cron = null }, ErrorId.InvalidSchedule, "One of"),
            (good with { Every = TimeSpan.FromHours(1) }, ErrorId.InvalidSchedule, "One of"),
            (good with { Cron = null, Every = TimeSpan.FromMilliseconds(5) }, ErrorId.InvalidSchedule, "interval"),
            (good with { Load = load with { Path = "/no/such/folder" } }, ErrorId.FileNotFound, "/no/such/folder"),
            (good with { Load = load with { Path = "files" } }, ErrorId.InvalidSchedule, "full path"),
            (good with { Load = load with { Shortcode = "12345" } }, ErrorId.InvalidSchedule, "12345"),
            (good with { Load = load with { MappingPath = "/no/such/folder/mapping.csv" } }, ErrorId.FileUnreadable, "mapping.csv"),
            (good with { Load = load with { Connection = "nobody" } }, ErrorId.NoConnection, "nobody"),
            (good with { Load = load with { Connection = "no secret" } }, ErrorId.NotSignedIn, "NOBODY_SET_THIS"),
            (good with { Load = load with { Connection = "vault" } }, ErrorId.NotSignedIn, "vault"),
            (good with { Load = load with { Connection = "wrong" } }, ErrorId.NotSignedIn, "wrong"),
            (good with { Load = load with { Connection = "nobody there" } }, ErrorId.ConnectionFailed, "nobody there"),
            (
                good with
                {
                    Load = load with { Kind = LoadKind.Import, Source = "s3://b/p/", Repository = "r", Branch = "main" },
                },
                ErrorId.InvalidSchedule,
                "LakeFs"
            ),
            (good with { Load = harness.LakeLoad() with { Branch = "no-branch" } }, ErrorId.NotFound, "no-branch"),
            (
                good with
                {
                    Load = harness.VossLoad("a.xlsx") with { Path = Path.Join(load.Path, "file 0.txt") },
                },
                ErrorId.NotAWorkbook,
                "file 0.txt"
            ),
            (good with { Load = harness.VossLoad("a.xlsx") with { Hierarchy = "sys.no.such" } }, ErrorId.NotAllowed, "sys.no.such"),
            (
                good with
                {
                    Load = harness.IcaLoad(1) with { DataIdPath = Write("semicolons.csv", "DataId;Name\nfil.1;x\n") },
                },
                ErrorId.InvalidSchedule,
                "semicolons between them"
            ),
            (
                good with
                {
                    Load = harness.IcaLoad(1) with { DataIdPath = Write("tabs.csv", "DataId\tName\nfil.1\tx\n") },
                },
                ErrorId.InvalidSchedule,
                "tabs between them"
            ),
            (
                good with
                {
                    Load = harness.IcaLoad(1) with { DataIdPath = Write("header.csv", "Name,DataId\n") },
                },
                ErrorId.InvalidSchedule,
                "only a header"
            ),
            (
                good with
                {
                    Load = harness.IcaLoad(1) with { DataIdPath = Write("binary.csv", "DataId\nfil.1\0\u0001\u0002") },
                },
                ErrorId.InvalidSchedule,
                "it is a binary file"
            ),
            (
                good with
                {
                    Load = harness.IcaLoad(1) with { DataIdPath = Write("letter.csv", "Dear colleagues\nthe ids come tomorrow\n") },
                },
                ErrorId.InvalidSchedule,
                "none of its 2 lines is an id"
            ),
            (good with { Load = load with { Include = ["*.tif,*.jpg"] } }, ErrorId.InvalidSchedule, "looks like 2"),
            (good with { Load = load with { Exclude = ["private/*"] } }, ErrorId.InvalidSchedule, "has a slash in it"),
            (
                good with
                {
                    Load = harness.VossLoad("a.xlsx") with { Path = new TestWorkbook().Save(Path.Join(harness.Folder.Path, "none.xlsx")) },
                },
                ErrorId.NotAWorkbook,
                "it has no sheet"
            ),
            (good with { Load = harness.IcaLoad(1) with { DataIdPath = Write("empty.csv", "") } }, ErrorId.InvalidSchedule, "it is empty"),
            (
                good with
                {
                    Load = harness.IcaLoad(1) with
                    {
                        DataIdPath = new TestWorkbook().AddUsers("Ids", 1).Save(Path.Join(harness.Folder.Path, "ids.xlsx")),
                    },
                },
                ErrorId.InvalidSchedule,
                "it is a workbook"
            ),
            (good with { Load = harness.LakeLoad() with { Destination = "/raw/" } }, ErrorId.Rejected, "begins with a slash"),
            (good with { Load = load with { MappingPath = load.Path } }, ErrorId.FileUnreadable, "it is a folder"),
            (good with { Name = "a*" }, ErrorId.InvalidSchedule, "not a valid name"),
        ];

        foreach ((ScheduleDefinition bad, ErrorId id, string told) in cases)
        {
            ControlError error = await daemon.RefusedAsync(bad);
            Assert.True(id == error.ErrorId && error.Message.Contains(told, StringComparison.OrdinalIgnoreCase), $"{told}: {error}");
            Assert.False(string.IsNullOrEmpty(error.Advice), error.Message);
        }

        Assert.Empty(await daemon.SchedulesAsync());
        Assert.DoesNotContain(SchedulerHarness.Token, daemon.Log, StringComparison.Ordinal);

        string Write(string name, string content)
        {
            string path = Path.Join(harness.Folder.Path, name);
            File.WriteAllText(path, content);
            return path;
        }
    }

    [FactExceptOn("windows", "Windows has no file modes.")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_path_that_the_daemon_cannot_read_is_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        // What root may read does not end at a file's mode, unless root gives that right up.
        string[] asAnybody =
            Environment.UserName == "root"
                ? ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"]
                : [];
        SchedulerProcess daemon = await harness
            .Begin(harness.Home, harness.Socket, [.. asAnybody, .. SchedulerProcess.Command("run")])
            .ReadyAsync();
        LoadDefinition folder = harness.DspLoad("0021");
        LoadDefinition book = harness.VossLoad("closed.xlsx");
        LoadDefinition mapping = harness.DspLoad("0029") with { MappingPath = Path.Join(folder.Path, "mapping.csv") };
        File.SetUnixFileMode(folder.Path!, UnixFileMode.None);
        File.SetUnixFileMode(book.Path!, UnixFileMode.None);
        try
        {
            foreach (
                (LoadDefinition load, string told) in new[] { (folder, folder.Path!), (book, book.Path!), (mapping, mapping.MappingPath!) }
            )
            {
                ControlError error = await daemon.RefusedAsync(SchedulerHarness.Yearly("closed", load));
                Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
                Assert.Contains(told, error.Message, StringComparison.Ordinal);
                Assert.Contains(Environment.UserName, error.Message, StringComparison.Ordinal);
                Assert.Contains("Give that account the right", error.Advice, StringComparison.Ordinal);
            }
        }
        finally
        {
            File.SetUnixFileMode(folder.Path!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task A_name_in_use_is_refused_and_replaced_on_request()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        ScheduleDefinition definition = SchedulerHarness.Yearly("Nightly Users", harness.DspLoad("0022"));
        await daemon.RegisterAsync(definition);

        ControlError error = await daemon.RefusedAsync(definition with { Name = "nightly users" });
        BulkLoadSchedule replaced = await daemon.RegisterAsync(definition with { Cron = "0 4 1 1 *" }, replace: true);

        Assert.Equal(ErrorId.NameInUse, error.ErrorId);
        Assert.Equal(4, replaced.NextRuns[0].Hour);
        Assert.Single(await daemon.SchedulesAsync());
        using HttpResponseMessage deleted = await daemon.Http.DeleteAsync("schedules/NIGHTLY%20USERS");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        using HttpResponseMessage again = await daemon.Http.DeleteAsync("schedules/nightly%20users");
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task A_time_that_passed_runs_at_once_on_request_and_a_preview_keeps_nothing()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        ScheduleDefinition definition = new()
        {
            Name = "past",
            Load = harness.DspLoad("0023"),
            At = DateTimeOffset.UtcNow.AddDays(-1),
            MissedRun = MissedRun.Skip,
        };
        using HttpContent body = System.Net.Http.Json.JsonContent.Create(
            new RegisterRequest { Definition = definition with { At = null, Cron = "0 5 * * *", TimeZone = "UTC" } },
            SchedulingJson.Default.RegisterRequest
        );
        using HttpResponseMessage preview = await daemon.Http.PostAsync("preview", body);
        BulkLoadSchedule would = System.Text.Json.JsonSerializer.Deserialize(
            await preview.Content.ReadAsStringAsync(),
            SchedulingJson.Default.BulkLoadSchedule
        )!;
        Assert.Equal(5, would.NextRuns.Count);
        Assert.Empty(await daemon.SchedulesAsync());

        await daemon.RegisterAsync(definition, allowPast: true);

        BulkLoadRun? run = await daemon.UntilAsync(async () => (await daemon.RunsAsync()).FirstOrDefault(), run => run?.IsTerminal == true);
        Assert.Equal(RunStatus.Succeeded, run!.Status);
    }

    [Fact]
    public async Task A_registration_whose_time_had_passed_is_run_once_however_often_it_is_registered_again()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess daemon = await harness.RunAsync();
        ScheduleDefinition definition = new()
        {
            Name = "script",
            Load = harness.DspLoad("0027"),
            At = DateTimeOffset.UtcNow.AddDays(-1),
            MissedRun = MissedRun.Skip,
        };

        BulkLoadSchedule first = await daemon.RegisterAsync(definition, replace: true, allowPast: true);
        BulkLoadSchedule second = await daemon.RegisterAsync(definition, replace: true, allowPast: true);
        BulkLoadRun? run = await daemon.UntilAsync(async () => (await daemon.RunsAsync()).FirstOrDefault(), run => run?.IsTerminal == true);
        BulkLoadSchedule third = await daemon.RegisterAsync(definition, replace: true, allowPast: true);

        Assert.Equal((RunStatus.Succeeded, definition.At), (run!.Status, first.Definition!.At));
        Assert.InRange(run.DueAt, first.RegisteredAt, DateTimeOffset.UtcNow);
        Assert.Equal((ScheduleStatus.Ended, run.Id), (third.Status, third.LastRun!.Id));
        Assert.Equal((first.RegisteredAt, first.RegisteredAt), (second.RegisteredAt, third.RegisteredAt));
        Assert.Single(await daemon.RunsAsync());

        // Another time, or another load, is another registration.
        await daemon.RegisterAsync(definition with { At = definition.At!.Value.AddHours(1) }, replace: true, allowPast: true);
        await daemon.UntilAsync(() => daemon.RunsAsync("?status=Succeeded"), runs => runs.Count == 2);
        await daemon.RegisterAsync(
            definition with
            {
                At = definition.At!.Value.AddHours(1),
                Load = harness.DspLoad("0028"),
            },
            replace: true,
            allowPast: true
        );
        await daemon.UntilAsync(() => daemon.RunsAsync("?status=Succeeded"), runs => runs.Count == 3);
    }

    [Fact]
    public async Task A_second_daemon_on_a_store_refuses_and_says_who_has_it()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();

        SchedulerProcess second = harness.Begin();

        Assert.Equal(SchedulerPlace.RunsAlready, await second.EndsAsync());
        Assert.Contains($"process {first.Id} on {Environment.MachineName}", second.Log, StringComparison.Ordinal);
        Assert.False(first.HasExited);
    }

    [Fact]
    public async Task A_store_of_a_newer_version_a_broken_one_and_another_programs_are_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess first = await harness.RunAsync();
        await first.TerminateAsync();
        string path = Path.Join(harness.Store, "scheduler.db");
        Execute(path, "UPDATE ingest_meta SET value = '99' WHERE name = 'schema'");
        await RefusesAsync(harness, "newer version", "99");

        byte[] bytes = File.ReadAllBytes(path);
        Array.Fill(bytes, (byte)0x5A, 0, 200);
        File.WriteAllBytes(path, bytes);
        await RefusesAsync(harness, "broken", "import");

        File.Delete(path);
        Execute(path, "CREATE TABLE customers (id INTEGER)");
        await RefusesAsync(harness, "another program", "--store");
    }

    [FactExceptOn("windows", "Windows has no pipes in folders.")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_pipe_in_place_of_the_lock_is_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        Directory.CreateDirectory(harness.Store, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string file = Path.Join(harness.Store, "scheduler.lock");
        DeviceNode.CreatePipe(file);
        await RefusesAsync(harness, "scheduler.lock is not used: it is not a regular file");

        File.Delete(file);
        DeviceNode.CreatePipe(Path.Join(harness.Store, "scheduler-one.lock"));
        harness.Environment["SCHEDULER_TEST_DB"] = "Host=/nowhere";
        SchedulerProcess node = harness.Begin([
            "--store",
            "postgres",
            "--connection-from",
            "env:SCHEDULER_TEST_DB",
            "--folder",
            harness.Store,
            "--node",
            "one",
        ]);
        Assert.Equal(1, await node.EndsAsync());
        Assert.Contains("scheduler-one.lock is not", node.Log, StringComparison.Ordinal);
    }

    [FactExceptOn("windows", "Windows has no file modes, and its control point is a pipe.")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_stale_socket_is_replaced_and_anything_else_in_its_place_is_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        SchedulerProcess killed = await harness.RunAsync();
        await killed.KillAsync();
        Assert.True(File.Exists(harness.Socket));
        SchedulerProcess daemon = await harness.RunAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(harness.Socket));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(harness.Store));

        // Another daemon's socket, which lives.
        string other = Path.Join(harness.Folder.Path, "other");
        SchedulerProcess second = harness.Begin("--store", other, "--socket", harness.Socket);
        Assert.Equal(1, await second.EndsAsync());
        Assert.Contains("Another scheduler listens", second.Log, StringComparison.Ordinal);
        Assert.True((await daemon.StateAsync()).IsRunning);

        string file = harness.Folder.Write("no.sock");
        SchedulerProcess third = harness.Begin("--store", other, "--socket", file);
        Assert.Equal(1, await third.EndsAsync());
        Assert.Contains("is not a socket", third.Log, StringComparison.Ordinal);
        Assert.True(File.Exists(file));

        SchedulerProcess fourth = harness.Begin("--store", other, "--socket", Path.Join(harness.Folder.Path, new string('s', 107)));
        Assert.Equal(1, await fourth.EndsAsync());
        Assert.Contains("107", fourth.Log, StringComparison.Ordinal);

        string open = Path.Join(harness.Folder.Path, "open");
        Directory.CreateDirectory(open, (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111);
        SchedulerProcess fifth = harness.Begin("--store", other, "--socket", Path.Join(open, "c.sock"));
        Assert.Equal(1, await fifth.EndsAsync());
        Assert.Contains(
            $"The folder {open} cannot hold the scheduler's socket: other accounts can write to it",
            fifth.Log,
            StringComparison.Ordinal
        );
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("scheduler.db")]
    [InlineData("scheduler.lock")]
    [InlineData("spool/0123/book.xlsx")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_store_that_others_can_write_is_refused(string file)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        string store = Path.Join(harness.Folder.Path, "shared");
        Directory.CreateDirectory(store, (UnixFileMode)0b111_000_000);
        string path = Path.Join(store, file);
        if (file.Length > 0)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllTextAsync(path, "");
        }

        File.SetUnixFileMode(path.TrimEnd('/'), (UnixFileMode)0b111_111_111);

        SchedulerProcess daemon = harness.Begin("--store", store);

        Assert.Equal(1, await daemon.EndsAsync());
        Assert.Contains(
            $"{path.TrimEnd('/')} is not used: other accounts can write to it. Run: chmod go-w '{path.TrimEnd('/')}'.",
            daemon.Log,
            StringComparison.Ordinal
        );
    }

    [OtherAccountFact]
    public async Task A_store_of_another_account_is_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        string store = Path.Join(harness.Folder.Path, "theirs");
        Directory.CreateDirectory(store);
        OtherAccount.Give(store);

        SchedulerProcess daemon = harness.Begin("--store", store);

        Assert.Equal(1, await daemon.EndsAsync());
        Assert.Contains($"{store} is not used: it belongs to another account", daemon.Log, StringComparison.Ordinal);
        Assert.Contains($"chown 0 '{store}'", daemon.Log, StringComparison.Ordinal);
    }

    [OtherAccountFact]
    [SupportedOSPlatform("linux")]
    public async Task A_socket_of_another_account_is_refused_and_says_whose_it_is()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        using TemporaryFolder folder = new();
        string socket = Path.Join(folder.Path, "c.sock");
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_111_111);
        using Socket other = OtherAccount.Run(() => ControlSocket.Listen(socket));
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);

        SchedulerProcess daemon = harness.Begin("--socket", socket);

        Assert.Equal(1, await daemon.EndsAsync());
        Assert.Contains("as the account with the number 65534", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_is_refused()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        string file = harness.Folder.Write("file");

        SchedulerProcess daemon = harness.Begin("--store", Path.Join(file, "store"));

        Assert.Equal(1, await daemon.EndsAsync());
        Assert.Contains("cannot be made", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_version_of_the_protocol_is_told_and_no_tcp_port_is_open()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        harness.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        SchedulerProcess daemon = await harness.RunAsync();
        using HttpRequestMessage request = new(HttpMethod.Get, "status");
        request.Headers.Add("IngestTools-Control", "1");
        using HttpRequestMessage version = request;
        daemon.Http.DefaultRequestHeaders.Remove("IngestTools-Control");

        using HttpResponseMessage answer = await daemon.Http.SendAsync(version);

        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        Assert.Equal("2", Assert.Single(answer.Headers.GetValues("IngestTools-Control")));
        Assert.DoesNotContain("127.0.0.1", daemon.Log, StringComparison.Ordinal);
        string sockets = string.Concat(Directory.GetFiles($"/proc/{daemon.Id}/fd").Select(fd => new FileInfo(fd).LinkTarget));
        string[] listening = File.ReadAllLines($"/proc/{daemon.Id}/net/tcp")
            .Where(line => line.Contains(" 0A ", StringComparison.Ordinal))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[9])
            .ToArray();
        Assert.DoesNotContain(listening, inode => sockets.Contains($"[{inode}]", StringComparison.Ordinal));
    }

    [FactExceptOn("windows", "Windows has no ulimit.")]
    public async Task A_disk_without_room_is_told_and_nothing_is_half_registered()
    {
        await using SchedulerHarness harness = await SchedulerHarness.StartAsync();
        // No file may grow beyond 4,096 blocks, 2 MiB; .NET itself makes larger ones in memory, unless it is told not to.
        harness.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        string[] run = SchedulerProcess.Command("run", "--poll-interval", "0.1");
        SchedulerProcess daemon = await harness
            .Begin(harness.Home, harness.Socket, ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 4096; exec \"$@\"", "sh", .. run])
            .ReadyAsync();
        // The copy of an input that finds no room is told too, and nothing of it is left.
        ControlError uncopied = await daemon.RefusedAsync(SchedulerHarness.Yearly("large", harness.IcaLoad(80_000)));
        Assert.Equal(ErrorId.FileUnreadable, uncopied.ErrorId);
        Assert.Contains(".csv cannot be copied", uncopied.Message, StringComparison.Ordinal);
        Assert.Contains("disk has room", uncopied.Advice, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Join(harness.Store, "spool")));
        string name = new('n', 150);
        LoadDefinition load = harness.DspLoad("0026", files: 1) with { Message = new string('m', 20_000) };
        HttpStatusCode status = HttpStatusCode.OK;
        string said = "";
        for (int i = 0; status == HttpStatusCode.OK && i < 500; i++)
        {
            using HttpResponseMessage answer = await daemon.TryRegisterAsync(SchedulerHarness.Yearly($"{name} {i}", load));
            status = answer.StatusCode;
            said = await answer.Content.ReadAsStringAsync();
        }

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Contains("cannot be read or written", said, StringComparison.Ordinal);
        Assert.Contains("disk is full", said, StringComparison.Ordinal);
        Assert.False(daemon.HasExited);
        await daemon.TerminateAsync();
        SchedulerProcess roomy = await harness.RunAsync();
        BulkLoadRun ended = await roomy.EndOfAsync((await roomy.StartRunAsync($"{name} 0")).Id);
        Assert.Equal(RunStatus.Succeeded, ended.Status);
    }

    private static async Task RefusesAsync(SchedulerHarness harness, params string[] told)
    {
        SchedulerProcess daemon = harness.Begin();
        Assert.Equal(1, await daemon.EndsAsync());
        Assert.All(told, text => Assert.Contains(text, daemon.Log, StringComparison.Ordinal));
    }

    private static void Execute(string path, string sql)
    {
        using SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
