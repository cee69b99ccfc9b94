using System.Threading.Channels;
using IngestTools.Scheduling;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduling;

/// <summary>Runs of the daemon as transactions.</summary>
public sealed class RunTransactionTests
{
    [Theory]
    [InlineData(RunStatus.Planned, TransactionStatus.Queued)]
    [InlineData(RunStatus.Uploading, TransactionStatus.Running)]
    [InlineData(RunStatus.Submitting, TransactionStatus.Running)]
    [InlineData(RunStatus.Submitted, TransactionStatus.Running)]
    [InlineData(RunStatus.Running, TransactionStatus.Running)]
    [InlineData(RunStatus.Succeeded, TransactionStatus.Succeeded)]
    [InlineData(RunStatus.PartlySucceeded, TransactionStatus.PartlySucceeded)]
    [InlineData(RunStatus.Failed, TransactionStatus.Failed)]
    [InlineData(RunStatus.Missed, TransactionStatus.Failed)]
    [InlineData(RunStatus.Canceled, TransactionStatus.Canceled)]
    [InlineData(RunStatus.Unknown, TransactionStatus.Unknown)]
    public void A_run_ends_as_a_transaction_when_it_ends_as_a_run(RunStatus status, TransactionStatus expected)
    {
        BulkLoadRun run = new()
        {
            Id = "run:1",
            Name = "nightly",
            Status = status,
        };

        Transaction transaction = RunTransactions.Describe(run, DateTimeOffset.UnixEpoch);

        Assert.Equal(expected, transaction.Status);
        Assert.Equal(run.IsTerminal, transaction.IsTerminal);
        Assert.Equal(status.ToString(), transaction.ServerStatus ?? transaction.Status.ToString());
    }

    [Theory]
    [InlineData("run:12")]
    [InlineData("RUN:12")]
    [InlineData("12")]
    public void A_run_is_known_by_its_id_and_its_number(string id) => Assert.Equal("run:12", RunTransactions.Parse(id).Id);

    [Theory]
    [InlineData("run:")]
    [InlineData("run:-1")]
    [InlineData("run:1/2")]
    [InlineData("dsp:0001")]
    public void What_is_no_id_of_a_run_is_told(string id) =>
        Assert.Equal(ErrorId.Rejected, Assert.Throws<IngestException>(() => RunTransactions.Parse(id)).ErrorId);

    [Fact]
    public void What_is_no_id_at_all_gets_the_form_of_a_run_too() =>
        Assert.Contains(
            "run:12",
            Assert.Throws<IngestException>(() => TransactionSources.Parse("nonsense")).Advice,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task A_run_that_did_not_succeed_is_told_with_its_message()
    {
        await using ControlSocket socket = ControlSocket.Answering(
            200,
            """{"id":"run:3","name":"hourly","kind":"BulkIngest","status":"PartlySucceeded","""
                + """ "dueAt":"2026-12-01T02:00:00Z","message":"1 of 3 files was left over."}"""
        );
        using SchedulerClient client = new(socket.Path);
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(RunTransactions.Parse("run:3"), new RunTransactions(client)));
        requests.Writer.Complete();

        List<WaitEvent> events = [];
        await foreach (WaitEvent happened in new TransactionWaiter(new WaitOptions()).WaitAsync(requests.Reader, CancellationToken.None))
            events.Add(happened);

        WaitEvent.Failed failed = Assert.Single(events.OfType<WaitEvent.Failed>());
        Assert.Equal(ErrorId.TransactionFailed, failed.Error.ErrorId);
        Assert.Contains("1 of 3 files was left over.", failed.Error.Message, StringComparison.Ordinal);
        Assert.Equal(TransactionKind.BulkIngest, Assert.Single(events.OfType<WaitEvent.Ended>()).Transaction.Kind);
    }
}
