using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Demo;

/// <summary>
/// lakeFS: look at what an import would delete, import, wait, cancel another; then ranges and a metarange on an older server.
/// </summary>
internal static class LakeFsDemo
{
    private const string Repository = "lake";

    private const int ObjectCount = 120_000;

    public static async Task<bool> RunAsync(TextWriter console, DemoReport report, CancellationToken cancellationToken)
    {
        // An object store with 120,000 objects, a server that counts 200,000 of them a second, and 3% of all requests answered with 503.
        LakeFsOptions server = new() { ObjectsPerSecond = 200_000, StatusInterval = TimeSpan.FromMilliseconds(200) };
        await using SandboxServer sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { LakeFs = server, Faults = [Fault.Parse("503=3%,GET")] },
            cancellationToken
        );
        sandbox.LakeFs.Store.Add(LakeFsKeys.Numbered("s3://bucket/events/", ObjectCount));
        using IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.LakeFs,
                Uri = sandbox.Uri,
                SignIn = SignInKind.Password,
                UserName = server.AccessKeyId,
                Secret = _ => ValueTask.FromResult(server.SecretAccessKey),
            }
        );
        LakeFsClient client = new(connection);
        await console.WriteLineAsync($"\nlakeFS {server.Version}, imitated at {sandbox.Uri}, with 3% of reads answered 503\n");

        ImportPlan plan = await client.PrepareAsync(RequestFor("raw"), countsAll: true, cancellationToken);
        Row(console, "what would go", plan.Replacements[0].Describe());

        Transaction imported = await ImportAsync(client, connection, RequestFor("raw/"), console, cancellationToken);
        LakeFsBranch main = sandbox.LakeFs.Repository(Repository).Branch("main");
        report.Add(imported);
        bool isWhole = imported.Status == TransactionStatus.Succeeded && imported.CommitId == main.Head.Id && main.Count == ObjectCount + 3;
        Row(console, "import and wait", $"{imported.Status}, {imported.Completed:N0} objects, commit {imported.CommitId?[..12]}");
        Row(console, "proof", isWhole ? "the branch holds them, and what lay beside raw/" : "the branch does not hold what it should");

        Transaction failed = await ImportAsync(
            client,
            connection,
            RequestFor("raw/") with
            {
                Sources = [new ImportSource("s3://nowhere/", "raw/")],
            },
            console,
            cancellationToken
        );
        report.Add(failed);
        Row(console, "a bad source", $"{failed.Status}");

        Transaction wrong = await client.StartAsync(
            await client.PrepareAsync(RequestFor("wrong/"), countsAll: false, cancellationToken),
            cancellationToken
        );
        Transaction canceled = await TransactionSources.For(connection, NullLogger.Instance).StopAsync(wrong, cancellationToken);
        report.Add(canceled);
        bool isAsBefore = canceled.Status == TransactionStatus.Canceled && main.Head.Id == imported.CommitId;
        Row(console, "cancel", $"{canceled.Status}; the branch is {(isAsBefore ? "as it was" : "not as it was")}");

        server.Version = "0.110.0";
        (int ranges, ImportMetaRange metaRange) = await MakeMetaRangeAsync(client, cancellationToken);
        Row(console, "by hand", $"on v{server.Version}: {ranges} ranges, {metaRange.Count:N0} keys, metarange {metaRange.Id[..12]}");
        return isWhole && isAsBefore && failed.Status == TransactionStatus.Failed && metaRange.Count == ObjectCount;
    }

    private static ImportRequest RequestFor(string destination) =>
        new()
        {
            Repository = Repository,
            Branch = "main",
            Sources = [new ImportSource("s3://bucket/events/", destination)],
            Message = "nightly",
        };

    private static async Task<Transaction> ImportAsync(
        LakeFsClient client,
        IngestConnection connection,
        ImportRequest request,
        TextWriter console,
        CancellationToken cancellationToken
    )
    {
        ImportPlan plan = await client.PrepareAsync(request, countsAll: false, cancellationToken);
        Transaction started = await client.StartAsync(plan, cancellationToken);

        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(started, TransactionSources.For(connection, NullLogger.Instance)));
        requests.Writer.Complete();
        Transaction seen = started;
        await foreach (
            WaitEvent happened in new TransactionWaiter(new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(300) }).WaitAsync(
                requests.Reader,
                cancellationToken
            )
        )
        {
            seen = happened.Transaction;
            if (happened is WaitEvent.Failed error)
                Row(console, "", $"{error.Error.ErrorId}: {error.Error.Message}");
        }

        return seen;
    }

    private static async Task<(int Ranges, ImportMetaRange MetaRange)> MakeMetaRangeAsync(
        LakeFsClient client,
        CancellationToken cancellationToken
    )
    {
        List<ImportRange> ranges = [];
        RangeRequest request = new()
        {
            Repository = Repository,
            Source = "s3://bucket/events/",
            Prepend = "raw/",
            FollowsPages = true,
        };
        await foreach (ImportRange range in client.CreateRangesAsync(request, cancellationToken))
            ranges.Add(range);
        return (ranges.Count, await client.CreateMetaRangeAsync(Repository, ranges, cancellationToken));
    }

    private static void Row(TextWriter console, string step, string what) => console.WriteLine($"  {step, -16}{what}");
}
