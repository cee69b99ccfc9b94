using System.Threading.Channels;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>What the waiter promises whatever the service is.</summary>
public sealed class WaiterTests
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    private const int Quickly = 20;

    [Fact]
    public void Pauses_between_polls_grow_to_half_a_minute()
    {
        TimeSpan pause = PollPause.First;
        for (int i = 0; i < 20; i++)
            pause = PollPause.Next(pause);
        Assert.Equal(TimeSpan.FromSeconds(30), pause);
    }

    [Fact]
    public async Task Transactions_that_one_request_can_look_at_are_looked_at_in_step()
    {
        Source source = new() { LooksTogether = true };

        List<WaitEvent> happened = await WaitAsync(source, [.. Enumerable.Range(0, 100).Select(i => $"t{i}")]);

        Assert.Equal(100, happened.OfType<WaitEvent.Ended>().Count());
        Assert.InRange(source.Requests, Source.LooksUntilTheEnd, 10);
    }

    [Fact]
    public async Task Transactions_that_take_a_request_each_get_one()
    {
        Source source = new();

        List<WaitEvent> happened = await WaitAsync(source, "a", "b", "c");

        Assert.Equal(3, happened.OfType<WaitEvent.Ended>().Count());
        Assert.Equal(3 * Source.LooksUntilTheEnd, source.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_is_gone_does_not_hide_the_others(bool together)
    {
        Source source = new() { LooksTogether = together, Gone = "b" };

        List<WaitEvent> happened = await WaitAsync(source, "a", "b", "c");

        Assert.Equal(["a", "c"], happened.OfType<WaitEvent.Ended>().Select(e => e.Transaction.Id).Order());
        Assert.Equal("b", Assert.Single(happened.OfType<WaitEvent.GivenUp>()).Transaction.Id);
        Assert.Equal(ErrorId.NotFound, Assert.Single(happened.OfType<WaitEvent.Failed>()).Error.ErrorId);
    }

    [Fact]
    public async Task A_service_that_does_not_tell_what_failed_does_not_end_the_other_waits()
    {
        Source source = new() { Failing = "a" };

        List<WaitEvent> happened = await WaitAsync(source, "a", "b");

        Assert.Equal(["a", "b"], happened.OfType<WaitEvent.Ended>().Select(e => e.Transaction.Id).Order());
        Assert.Equal(ErrorId.ServerError, Assert.Single(happened.OfType<WaitEvent.Failed>()).Error.ErrorId);
    }

    private static async Task<List<WaitEvent>> WaitAsync(ITransactionSource source, params string[] ids)
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        foreach (string id in ids)
            requests.Writer.TryWrite(new WaitRequest(new Transaction { Id = id, Kind = TransactionKind.BulkLoad }, source));
        requests.Writer.Complete();
        List<WaitEvent> happened = [];
        await foreach (
            WaitEvent e in new TransactionWaiter(new WaitOptions(), time: new QuickTime(Quickly)).WaitAsync(
                requests.Reader,
                CancellationToken.None
            )
        )
            happened.Add(e);
        return happened;
    }

    /// <summary>Transactions that end with the third look.</summary>
    private sealed class Source : ITransactionSource
    {
        public const int LooksUntilTheEnd = 3;

        private int _requests;

        public bool LooksTogether { get; init; }

        public string? Gone { get; init; }

        public string? Failing { get; init; }

        public int Requests => _requests;

        public Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            return Task.FromResult(Seen(transaction));
        }

        public async Task<IReadOnlyList<Look>> LookAsync(IReadOnlyList<Transaction> transactions, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            await Task.Yield();
            return [.. transactions.Select(TryLook)];
        }

        public IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, CancellationToken cancellationToken) =>
            throw new IngestException(ErrorId.ServerError, "The list of items cannot be had.");

        public string ListCommand(Transaction transaction) => "";

        public Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        private Look TryLook(Transaction transaction)
        {
            try
            {
                return new Look(Seen(transaction));
            }
            catch (IngestException e)
            {
                return new Look(transaction, e);
            }
        }

        private Transaction Seen(Transaction transaction)
        {
            if (transaction.Id == Gone)
                throw new IngestException(ErrorId.NotFound, "It is gone.");
            long looks = (transaction.Completed ?? 0) + 1;
            TransactionStatus end = transaction.Id == Failing ? TransactionStatus.Failed : TransactionStatus.Succeeded;
            return transaction with
            {
                SeenAt = DateTimeOffset.UtcNow,
                Completed = looks,
                Status = looks < LooksUntilTheEnd ? TransactionStatus.Running : end,
            };
        }
    }

    [Fact]
    public async Task Time_to_wait_bounds_a_look_that_is_not_answered()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("stall=GET");

        List<WaitEvent> events = await dsp.WaitAsync(
                TransactionSources.Parse("dsp:0001").Transaction,
                new WaitOptions { Timeout = TimeSpan.FromMilliseconds(300) }
            )
            .WaitAsync(TimeLimit);

        Assert.Equal(ErrorId.WaitTimedOut, Assert.Single(events.OfType<WaitEvent.Failed>()).Error.ErrorId);
    }
}
