using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduling;

/// <summary>What the client of the daemon promises, whatever it finds at the socket.</summary>
public sealed class SchedulerClientTests
{
    private const string Run = """{"id":"run:7","name":"nightly","status":"Planned","dueAt":"2026-12-01T02:00:00+00:00"}""";

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Where_nobody_listens_the_error_says_how_to_start_it()
    {
        using TemporaryFolder folder = new();
        string place = Path.Join(folder.Path, "control.sock");
        using SchedulerClient client = new(place);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.SchedulerNotRunning, error.ErrorId);
        Assert.Contains(place, error.Message, StringComparison.Ordinal);
        Assert.Contains("Start-IngestScheduler", error.Advice, StringComparison.Ordinal);
        Assert.Contains("ingest-scheduler unit", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_an_ended_daemon_left_over_is_recognised()
    {
        using TemporaryFolder folder = new();
        string place = Path.Join(folder.Path, "control.sock");
        ControlSocket.Listen(place).Dispose();
        // A process that ends by itself may take its socket along; one that is killed does not.
        if (!File.Exists(place))
            await File.WriteAllTextAsync(place, "");
        using SchedulerClient client = new(place);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.SchedulerNotRunning, error.ErrorId);
        Assert.Contains("left over", error.Message, StringComparison.Ordinal);
    }

    [OtherAccountFact]
    [SupportedOSPlatform("linux")]
    public async Task Nothing_is_sent_to_a_socket_where_another_account_listens()
    {
        using TemporaryFolder folder = new();
        const UnixFileMode Anybody = (UnixFileMode)0b111_111_111;
        File.SetUnixFileMode(folder.Path, Anybody);
        string place = Path.Join(folder.Path, "control.sock");
        using Socket listener = OtherAccount.Run(() => ControlSocket.Listen(place));
        using SchedulerClient client = new(place);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.NotAllowed, error.ErrorId);
        Assert.Contains("another account", error.Message, StringComparison.Ordinal);
        using Socket accepted = await listener.AcceptAsync();
        Assert.Equal(0, await accepted.ReceiveAsync(new byte[1]));
    }

    [Fact]
    public async Task A_path_that_is_too_long_for_a_socket_is_refused_with_a_way_out()
    {
        using SchedulerClient client = new("/" + new string('x', 200));

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains(SchedulerPlace.SocketVariable, error.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, "1")]
    [InlineData(426, "1")]
    public async Task Another_version_is_not_understood_by_halves(int status, string version)
    {
        await using ControlSocket socket = ControlSocket.Answering(status, """{"isRunning":true}""", version);
        using SchedulerClient client = new(socket.Path);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains("version 1 of", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_daemon_is_not_taken_for_one()
    {
        await using ControlSocket socket = ControlSocket.Answering(200, """{"isRunning":true}""", version: null);
        using SchedulerClient client = new(socket.Path);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains("not a scheduler", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_request_tells_its_version()
    {
        await using ControlSocket socket = ControlSocket.Answering(200, """{"isRunning":true}""");
        using SchedulerClient client = new(socket.Path);

        Assert.True((await client.GetStateAsync(None)).IsRunning);

        Assert.Contains(
            $"{ControlProtocol.VersionHeader}: {ControlProtocol.Version}\r\n",
            Assert.Single(socket.Requests),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_error_of_the_daemon_is_told_as_it_was_given()
    {
        await using ControlSocket socket = ControlSocket.Answering(
            409,
            """{"errorId":"NameInUse","message":"There is a schedule 'nightly'.","advice":"Give -Force."}"""
        );
        using SchedulerClient client = new(socket.Path);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.RegisterAsync(Registration("nightly"), None));

        Assert.Equal(ErrorId.NameInUse, error.ErrorId);
        Assert.Equal("There is a schedule 'nightly'.", error.Message);
        Assert.Equal("Give -Force.", error.Advice);
    }

    [Theory]
    [InlineData(500, "<html>oops</html>")]
    [InlineData(200, "<html>fine</html>")]
    [InlineData(200, "null")]
    public async Task An_answer_that_cannot_be_read_is_an_error_of_its_own(int status, string body)
    {
        await using ControlSocket socket = ControlSocket.Answering(status, body);
        using SchedulerClient client = new(socket.Path);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.GetStateAsync(None));

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
    }

    [Fact]
    public async Task A_list_comes_line_by_line()
    {
        TaskCompletionSource isFirstSeen = new();
        await using ControlSocket socket = ControlSocket.Answering(
            async (_, stream) =>
            {
                await WriteAsync(stream, ControlSocket.Head(200) + "Connection: close\r\n\r\n" + Run + "\n");
                await isFirstSeen.Task;
                await WriteAsync(stream, Run.Replace(":7", ":6", StringComparison.Ordinal) + "\n");
                stream.Close();
            }
        );
        using SchedulerClient client = new(socket.Path);

        List<string> ids = [];
        await foreach (
            BulkLoadRun run in client.ReadRunsAsync(
                new RunQuery
                {
                    Names = ["night*"],
                    Statuses = [RunStatus.Failed],
                    Newest = 2,
                },
                None
            )
        )
        {
            ids.Add(run.Id);
            isFirstSeen.TrySetResult();
        }

        Assert.Equal(["run:7", "run:6"], ids);
        Assert.StartsWith("GET /runs?name=night%2A&status=Failed&newest=2 ", Assert.Single(socket.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_that_breaks_off_is_not_taken_for_a_whole_one()
    {
        await using ControlSocket socket = ControlSocket.Answering(
            async (_, stream) =>
            {
                await WriteAsync(stream, ControlSocket.Head(200) + $"Content-Length: 10000\r\n\r\n{Run}\n");
                stream.Close();
            }
        );
        using SchedulerClient client = new(socket.Path);

        List<string> ids = [];
        IngestException error = await Assert.ThrowsAsync<IngestException>(async () =>
        {
            await foreach (BulkLoadRun run in client.ReadRunsAsync(new RunQuery(), None))
                ids.Add(run.Id);
        });

        Assert.Equal(["run:7"], ids);
        Assert.Equal(ErrorId.ConnectionFailed, error.ErrorId);
    }

    [Fact]
    public async Task A_start_whose_answer_is_lost_is_not_sent_again()
    {
        int asked = 0;
        await using ControlSocket socket = ControlSocket.Answering(
            async (_, stream) =>
            {
                // The first is answered, and the second comes over the same connection.
                if (Interlocked.Increment(ref asked) == 1)
                    await WriteAsync(stream, ControlSocket.Head(200) + $"Content-Length: {Run.Length}\r\n\r\n{Run}");
                else
                    stream.Close();
            }
        );
        using SchedulerClient client = new(socket.Path);
        await client.StartAsync("nightly", again: false, None);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.StartAsync("nightly", again: false, None));

        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Contains("Get-BulkLoadRun", error.Advice, StringComparison.Ordinal);
        Assert.Equal(2, socket.Requests.Count);
    }

    [Fact]
    public async Task A_daemon_that_stands_still_does_not_hold_up_who_gives_up()
    {
        TaskCompletionSource isAsked = new();
        TaskCompletionSource isOver = new();
        await using ControlSocket socket = ControlSocket.Answering(
            async (_, _) =>
            {
                isAsked.SetResult();
                await isOver.Task;
            }
        );
        using SchedulerClient client = new(socket.Path);
        using CancellationTokenSource stop = new();
        Task<SchedulerState> asking = client.GetStateAsync(stop.Token);
        await isAsked.Task;

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(TimeSpan.FromSeconds(30)));
        isOver.SetResult();
    }

    [Fact]
    public async Task A_name_of_any_characters_is_one_part_of_the_address()
    {
        await using ControlSocket socket = ControlSocket.Answering(200, Run);
        using SchedulerClient client = new(socket.Path);

        await client.StartAsync("a%2Fb c?ü", again: false, None);

        Assert.StartsWith("POST /schedules/a%252Fb%20c%3F%C3%BC/start ", Assert.Single(socket.Requests), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    public async Task A_name_that_an_address_cannot_have_is_refused(string name)
    {
        using SchedulerClient client = new("/nowhere");

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => client.UnregisterAsync(name, None));

        Assert.Equal(ErrorId.InvalidSchedule, error.ErrorId);
    }

    private static Task WriteAsync(Stream stream, string text) => stream.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();

    private static RegisterRequest Registration(string name) =>
        new()
        {
            Definition = new ScheduleDefinition
            {
                Name = name,
                Every = TimeSpan.FromHours(1),
                Load = new LoadDefinition { Kind = LoadKind.BulkIngest, Connection = "dsp" },
            },
        };
}
