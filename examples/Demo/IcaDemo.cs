using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Services.Ica;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Demo;

/// <summary>
/// ICA's linking batches: link sixty thousand ids, wait for their batches side by side, look at what failed, link just that again.
/// </summary>
internal static class IcaDemo
{
    private const string Project = "8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d";

    private const int IdCount = 60_000;

    private const int FailingCount = 7;

    public static async Task<bool> RunAsync(TextWriter console, DemoReport report, CancellationToken cancellationToken)
    {
        // Seven ids are of a project that does not share its data, and the answer to the second start is lost.
        IcaOptions server = new() { IsNotShared = IcaOptions.IdsLike("fil.dead*") };
        await using SandboxServer sandbox = await SandboxServer.StartAsync(new SandboxOptions { Ica = server }, cancellationToken);
        using IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.Ica,
                Uri = new Uri(sandbox.Uri, "ica/rest"),
                SignIn = SignInKind.ApiKey,
                Secret = _ => ValueTask.FromResult("test"),
            }
        );
        IcaClient client = new(connection);
        await console.WriteLineAsync($"\nICA, imitated at {connection.Uri}, with one answer lost\n");

        List<Transaction> batches = [];
        await foreach (LinkingResult result in client.LinkAsync(Project, ReadIdsAsync(), cancellationToken: cancellationToken))
        {
            if (result.Error is not null)
                Row(console, "", $"{result.Error.ErrorId}: {result.Error.Message}");
            else
                batches.Add(result.Transaction!);
            if (batches.Count == 1)
                sandbox.Faults.Replace([Fault.Parse("lost=1,POST /**/dataLinkingBatch")]);
        }

        Row(
            console,
            "link",
            $"{batches.Sum(batch => batch.Total):N0} ids in {batches.Count} batches; the server has {sandbox.Ica.Batches.Count}"
        );
        List<string> failed = await WaitAsync(connection, batches, console, report, cancellationToken);

        server.IsNotShared = _ => false;
        List<Transaction> again = [];
        await foreach (LinkingResult result in client.LinkAsync(Project, StreamOf(failed), cancellationToken: cancellationToken))
            again.Add(result.Transaction!);
        List<string> still = await WaitAsync(connection, again, console, report, cancellationToken);

        int linked = 0;
        await foreach (
            LinkingBatchItem item in client.ReadItemsAsync(Project, again[0].BatchId!, ["LINKED"], cancellationToken: cancellationToken)
        )
        {
            report.Add(item);
            linked++;
        }

        bool once = sandbox.Ica.Batches.SelectMany(batch => batch.DataIds).Distinct().Count() == IdCount && sandbox.Ica.Batches.Count == 4;
        Row(console, "proof", once ? "the server got every id once, and the failed ones again" : "an id did not arrive just once");
        return once && failed.Count == FailingCount && still.Count == 0 && linked == FailingCount;
    }

    private static async IAsyncEnumerable<string> ReadIdsAsync()
    {
        for (int i = 0; i < IdCount; i++)
            yield return i % (IdCount / FailingCount) == 1 && i < IdCount - FailingCount ? $"fil.dead{i:x28}" : $"fil.{i:x32}";
        await Task.CompletedTask;
    }

    private static async IAsyncEnumerable<string> StreamOf(IEnumerable<string> ids)
    {
        foreach (string id in ids)
            yield return id;
        await Task.CompletedTask;
    }

    /// <summary>Waits for all at once; the ids that failed.</summary>
    private static async Task<List<string>> WaitAsync(
        IngestConnection connection,
        List<Transaction> batches,
        TextWriter console,
        DemoReport report,
        CancellationToken cancellationToken
    )
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        ITransactionSource source = TransactionSources.For(connection, NullLogger.Instance);
        foreach (Transaction batch in batches)
            requests.Writer.TryWrite(new WaitRequest(batch, source));
        requests.Writer.Complete();
        List<string> failed = [];
        await foreach (WaitEvent happened in new TransactionWaiter(new WaitOptions()).WaitAsync(requests.Reader, cancellationToken))
        {
            if (happened is WaitEvent.Failed error)
                failed.Add((string)error.Error.Target!);
            if (happened is WaitEvent.Failed { Error: var shown } && failed.Count == 1)
                Row(console, "", $"{shown.ErrorId}: {shown.Message}");
            if (happened is not WaitEvent.Ended ended)
                continue;
            report.Add(ended.Transaction);
            Row(
                console,
                "wait",
                $"{ended.Transaction.Status}, {ended.Transaction.Completed:N0} of {ended.Transaction.Total:N0} linked. "
                    + $"{ended.Transaction.Message}"
            );
        }

        return failed;
    }

    private static void Row(TextWriter console, string step, string what) => console.WriteLine($"  {step, -16}{what}");
}
