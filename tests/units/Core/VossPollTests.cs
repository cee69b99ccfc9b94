using System.Diagnostics;
using IngestTools.Http;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class VossPollTests
{
    [Theory]
    [InlineData(VossPollIds.Comma)]
    [InlineData(VossPollIds.Repeated)]
    [InlineData(VossPollIds.OneElseRefused)]
    [InlineData(VossPollIds.OneElseEmpty)]
    [InlineData(VossPollIds.OneElseFailed)]
    [InlineData(VossPollIds.OneElseForbidden)]
    public async Task Several_are_waited_for_whatever_the_server_takes(VossPollIds ids)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o =>
        {
            o.PollIds = ids;
            o.RowFails = VossOptions.RowsLike("bad");
        });
        List<Transaction> loads = [];
        for (int i = 0; i < 4; i++)
            loads.Add(await voss.StartLoadAsync(voss.Write($"book{i}.xlsx", "a@example.org", i == 2 ? "bad" : "good")));

        List<WaitEvent> events = await voss.WaitAsync(loads);

        Assert.Equal(loads.Select(l => l.Id).Order(), events.OfType<WaitEvent.Ended>().Select(e => e.Transaction.Id).Order());
        Assert.Equal("Sheet Users, row 4", events.OfType<WaitEvent.Failed>().Single().Error.Target);
    }

    [Fact]
    public async Task Hundred_transactions_cost_one_request_an_interval_where_the_server_takes_several()
    {
        TaskCompletionSource row = new();
        await using VossHarness voss = await VossHarness.StartAsync(
            o =>
            {
                o.Workers = 200;
                o.BeforeRow = _ => row.Task;
                o.RequestsPerSecond = null;
            },
            time: new QuickTime(10)
        );
        List<Transaction> loads = await StartAsync(voss, 100);
        long before = voss.Server.Requests.Ended;
        Task<List<WaitEvent>> waiting = voss.WaitAsync(loads, new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(200) });
        await voss.WaitUntilAsync(() => voss.Server.Requests.Ended >= before + 3);
        string[] polls = voss.Server.Requests.Settled().Skip((int)before).Select(r => r.Target).ToArray();
        row.SetResult();
        List<WaitEvent> events = await waiting;

        Assert.All(polls, poll => Assert.Equal(99, poll.Count(c => c == ',')));
        Assert.Equal(100, events.OfType<WaitEvent.Ended>().Count());
    }

    [Fact]
    public async Task Server_that_takes_one_only_is_asked_less_than_twenty_times_a_second()
    {
        TaskCompletionSource row = new();
        await using VossHarness voss = await VossHarness.StartAsync(o =>
        {
            o.Workers = 200;
            o.PollIds = VossPollIds.OneElseRefused;
            o.BeforeRow = _ => row.Task;
            // What a busy machine delivers late comes together, so that the server's own count of a second is no measure.
            o.RequestsPerSecond = null;
        });
        Stopwatch clock = Stopwatch.StartNew();
        List<Transaction> loads = await StartAsync(voss, 30);
        Task<List<WaitEvent>> waiting = voss.WaitAsync(loads, new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(1) });
        await voss.WaitUntilAsync(() => voss.RequestsTo("/poll/").Count() > 40);
        row.SetResult();
        List<WaitEvent> events = await waiting;

        Assert.Equal(30, events.OfType<WaitEvent.Ended>().Count());
        // A busy machine makes it longer, never shorter.
        TimeSpan shortest = TimeSpan.FromSeconds(1) * voss.Server.Requests.Ended / 20;
        Assert.True(clock.Elapsed >= shortest, $"{voss.Server.Requests.Ended} requests took {clock.Elapsed}");
    }

    [Fact]
    public void No_second_has_more_requests_than_the_rate_and_those_at_once()
    {
        DueTimes time = new();
        RateLimiter pace = new(perSecond: 15, atOnce: 3, time);
        List<TimeSpan> turns = [];
        for (int i = 0; i < 200; i++)
        {
            // Now and then there is a rest.
            time.Now += TimeSpan.FromMilliseconds(i % 20 == 0 ? 1500 : i % 3);
            time.Due = TimeSpan.Zero;
            _ = pace.WaitAsync(CancellationToken.None);
            turns.Add(time.Now + time.Due);
        }

        Assert.All(turns, turn => Assert.InRange(turns.Count(other => other >= turn && other < turn + TimeSpan.FromSeconds(1)), 1, 18));
        Assert.InRange(turns[^1], TimeSpan.FromSeconds((200 - 3) / 15.0), TimeSpan.FromSeconds(30));
    }

    /// <summary>A clock that stands, and tells what its timers were set to.</summary>
    private sealed class DueTimes : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public TimeSpan Due { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime;
            return new Timer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    [Fact]
    public async Task Transaction_with_very_many_rows_tells_those_that_failed_and_no_others()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o =>
            o.RowFails = row => row.Number is 5000 or 15000 ? "It is odd." : null
        );
        string path = Path.Join(voss.Folder.Path, "large.xlsx");
        new TestWorkbook().AddUsers("Users", 20_000).Save(path);
        Transaction load = await voss.StartLoadAsync(path);

        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(load);
        Transaction seen = await voss.Transactions.LookAsync(load, voss.Soon);

        Assert.Equal((19_998L, 20_000L), (ended.Completed, ended.Total));
        Assert.Equal(["Sheet Users, row 5000", "Sheet Users, row 15000"], errors.Select(e => e.Target));
        Assert.Equal(4, seen.SubTransactions!.Count);
    }

    private static async Task<List<Transaction>> StartAsync(VossHarness voss, int count)
    {
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        List<Transaction> loads = [];
        for (int i = 0; i < count; i++)
            loads.Add(await voss.Client.StartAsync(sent.FileName!, VossHarness.Hierarchy, voss.Soon));
        return loads;
    }
}
