using System.Threading.Channels;
using IngestTools.Transactions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Looks at many transactions at once.</summary>
public sealed class TransactionLooksTests
{
    private static readonly CancellationToken Soon = new CancellationTokenSource(TimeSpan.FromMinutes(5)).Token;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Looks_are_under_way_side_by_side_and_come_in_order(bool isList)
    {
        MeetingSource source = new(count: 4, looksTogether: false);
        WaitRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => new WaitRequest(Load(i), source))];

        List<Look> looks = await ReadAsync(requests, isList);

        Assert.Equal(requests.Select(r => r.Transaction.Id), looks.Select(l => l.Transaction.Id));
        Assert.All(looks, l => Assert.Equal(TransactionStatus.Running, l.Transaction.Status));
    }

    [Fact]
    public async Task Those_that_can_be_looked_at_together_cost_one_look_and_keep_their_places()
    {
        MeetingSource together = new(count: 1, looksTogether: true);
        MeetingSource alone = new(count: 1, looksTogether: false);
        WaitRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => new WaitRequest(Load(i), i % 2 == 0 ? together : alone))];

        List<Look> looks = await ReadAsync(requests, isList: true);

        Assert.Equal(requests.Select(r => r.Transaction.Id), looks.Select(l => l.Transaction.Id));
        Assert.Equal((1, 3), (together.Calls, alone.Calls));
    }

    [Theory]
    [InlineData(true, ErrorId.NotFound, TransactionStatus.Unknown)]
    [InlineData(false, ErrorId.NotFound, TransactionStatus.Unknown)]
    [InlineData(true, ErrorId.NotAllowed, TransactionStatus.Queued)]
    public async Task One_that_cannot_be_looked_at_hides_no_other(bool isList, ErrorId errorId, TransactionStatus status)
    {
        MeetingSource source = new(count: 1, looksTogether: false) { Fails = ("voss:1", errorId) };

        List<Look> looks = await ReadAsync([.. Enumerable.Range(0, 3).Select(i => new WaitRequest(Load(i), source))], isList);

        Assert.Equal([null, errorId, null], looks.Select(l => l.Error?.ErrorId));
        Assert.Equal([TransactionStatus.Running, status, TransactionStatus.Running], looks.Select(l => l.Transaction.Status));
    }

    [Fact]
    public async Task Servers_that_do_not_answer_are_waited_for_side_by_side_and_hold_up_no_other()
    {
        FakeTimeProvider time = new();
        TimeSpan limit = TimeSpan.FromSeconds(10);
        // They never answer: more looks than are under way at once, at one server, and one for a list at another.
        MeetingSource[] silent =
        [
            new(int.MaxValue, looksTogether: false),
            new(int.MaxValue, looksTogether: false),
            new(int.MaxValue, looksTogether: true),
        ];
        MeetingSource alive = new(count: 1, looksTogether: false);
        WaitRequest[] requests =
        [
            new WaitRequest(Load(1000), alive),
            .. Enumerable.Range(0, 120).Select(i => new WaitRequest(Load(i) with { Server = "https://gone.example.org/" }, silent[i % 3])),
        ];

        List<Look> looks = [];
        await foreach (Look look in TransactionLooks.LookAsync(requests, limit, time, Soon))
        {
            // All servers have been asked before the first answer is read, so one limit ends all waits.
            if (looks.Count == 0)
                time.Advance(limit);
            looks.Add(look);
        }

        Assert.Equal(requests.Select(r => r.Transaction.Id), looks.Select(l => l.Transaction.Id));
        Assert.Equal((TransactionStatus.Running, null), (looks[0].Transaction.Status, looks[0].Error?.ErrorId));
        Assert.All(
            looks.Skip(1),
            look =>
            {
                Assert.Equal((TransactionStatus.Unknown, ErrorId.TimedOut), (look.Transaction.Status, look.Error!.ErrorId));
                Assert.StartsWith(
                    "https://gone.example.org/ did not answer within 10 s.",
                    look.Transaction.Message,
                    StringComparison.Ordinal
                );
                Assert.Contains($"Clear-IngestJournal -Id {look.Transaction.Id}", look.Transaction.Message, StringComparison.Ordinal);
            }
        );
        // What waited for its turn at a silent server is not asked at all.
        Assert.Equal([16, 16, 1], silent.Select(server => server.Calls));
    }

    private static Transaction Load(int number) =>
        new()
        {
            Id = $"voss:{number}",
            Kind = TransactionKind.BulkLoad,
            Status = TransactionStatus.Queued,
        };

    private static async Task<List<Look>> ReadAsync(WaitRequest[] requests, bool isList)
    {
        Channel<WaitRequest> channel = Channel.CreateUnbounded<WaitRequest>();
        Array.ForEach(requests, request => channel.Writer.TryWrite(request));
        channel.Writer.Complete();
        List<Look> looks = [];
        await foreach (
            Look look in isList
                ? TransactionLooks.LookAsync(requests, TimeSpan.FromSeconds(60), TimeProvider.System, Soon)
                : TransactionLooks.LookAsync(channel.Reader, Soon)
        )
            looks.Add(look);
        return looks;
    }

    /// <summary>Answers when so many looks are under way at once, the later ones first.</summary>
    private sealed class MeetingSource(int count, bool looksTogether) : ITransactionSource
    {
        private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _calls;

        public (string Id, ErrorId ErrorId)? Fails { get; init; }

        public int Calls => _calls;

        public bool LooksTogether => looksTogether;

        public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
        {
            await MeetAsync(cancellationToken);
            if (Fails is { } fails && fails.Id == transaction.Id)
                throw new IngestException(fails.ErrorId, "no");
            return transaction with { Status = TransactionStatus.Running };
        }

        public async Task<IReadOnlyList<Look>> LookAsync(IReadOnlyList<Transaction> transactions, CancellationToken cancellationToken)
        {
            await MeetAsync(cancellationToken);
            return [.. transactions.Select(transaction => new Look(transaction))];
        }

        public IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public string ListCommand(Transaction transaction) => throw new NotSupportedException();

        public Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        private Task MeetAsync(CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref _calls) >= count)
                _met.TrySetResult();
            return _met.Task.WaitAsync(cancellationToken);
        }
    }
}
