using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Demo;

/// <summary>
/// DSP-INGEST from end to end: send a folder, start, wait, look at what failed, send just that again, save the mapping, finalize.
/// </summary>
internal static class DspIngestDemo
{
    private const string Shortcode = "0001";

    private const int FileCount = 300;

    /// <summary>After this number of results the first call is interrupted, as by Ctrl+C.</summary>
    private const int InterruptedAfter = 100;

    public static async Task<bool> RunAsync(TextWriter console, DemoReport report, CancellationToken cancellationToken)
    {
        // The server fails to ingest one file until it is sent again, and 3% of all requests are answered with 503.
        DspIngestOptions server = new() { IngestFails = DspIngestOptions.FilesLike("*damaged*") };
        await using SandboxServer sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { DspIngest = server, Faults = [Fault.Parse("503=3%")] },
            cancellationToken
        );
        string folder = Directory.CreateTempSubdirectory("ingesttools-demo-").FullName;
        try
        {
            WriteFiles(folder);
            using IngestConnection connection = IngestConnection.Open(
                new ConnectionSettings
                {
                    Service = IngestService.DspIngest,
                    Uri = sandbox.Uri,
                    SignIn = SignInKind.Password,
                    UserName = "root@example.com",
                    Secret = _ => ValueTask.FromResult("test"),
                    AuthenticationUri = sandbox.Uri,
                }
            );
            // The journal remembers what was sent. A user's own is IngestJournal.Open(); the demo keeps one of its own.
            using IIngestJournal journal = IngestJournal.Open(Path.Join(folder, ".journal", "journal.db"));
            DspIngestClient client = new(connection, journal: journal);
            await console.WriteLineAsync($"DSP-INGEST, imitated at {sandbox.Uri}, with 3% of requests answered 503\n");

            List<UploadResult> interrupted = await SendAsync(client, journal, folder, InterruptedAfter, report, cancellationToken);
            Row(console, "send", $"{interrupted.Count(r => r.Status == UploadStatus.Uploaded)} files sent, then interrupted");
            List<UploadResult> sent = await SendAsync(client, journal, folder, int.MaxValue, report, cancellationToken);
            Row(
                console,
                "the same again",
                $"{sent.Count(r => r.Reason == SkipReason.AlreadySent)} files skipped, "
                    + $"{sent.Count(r => r.Status == UploadStatus.Uploaded)} files sent"
            );
            foreach (UploadResult failed in sent.Where(r => r.Status == UploadStatus.Failed))
                Row(console, "", $"{failed.Status}: {failed.Error!.Message}");

            Transaction first = await IngestAsync(client, connection, journal, sent, console, cancellationToken);
            report.Add(first);
            Row(console, "start and wait", $"{first.Id} {first.Status}, {first.Completed} of {first.Total} files");

            server.IngestFails = _ => false;
            Transaction second = await IngestAsync(client, connection, journal, null, console, cancellationToken);
            report.Add(second);
            Row(console, "start again", $"{second.Id} {second.Status}, {second.Completed} of {second.Total} files");

            int proven = await VerifyAsync(client, sent, cancellationToken);
            Row(console, "mapping", $"{proven} files proven by SHA-256");

            string mapping = Path.Join(folder, "mapping.csv");
            await client.CompleteAsync(Shortcode, mapping, force: false, cancellationToken);
            Row(console, "finalize", $"done; mapping saved before, {File.ReadLines(mapping).Count() - 1} rows");

            List<UploadResult> again = await SendAsync(client, journal, folder, int.MaxValue, report, cancellationToken);
            Row(
                console,
                "the same again",
                $"{again.Count(r => r.Reason == SkipReason.AlreadyIngested)} files skipped, "
                    + $"{again.Count(r => r.Status == UploadStatus.Uploaded)} files sent"
            );

            bool once = sent.Where(r => r.IsOnServer).All(r => sandbox.DspIngest.Project(Shortcode).History(r.RemoteName).Ingests == 1);
            Row(console, "proof", once ? "the server ingested every file exactly once" : "a file was not ingested exactly once");
            return once
                && proven == FileCount
                && again.All(r => r.Status != UploadStatus.Uploaded)
                && second.Status == TransactionStatus.Succeeded;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void WriteFiles(string folder)
    {
        Random random = new(7);
        for (int i = 0; i < FileCount; i++)
        {
            string path = Path.Join(folder, $"box {i % 4}", i == 42 ? "damaged, 42.tif" : $"Blatt {i:d3} (Süd).tif");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            byte[] bytes = new byte[random.Next(1, 60_000)];
            random.NextBytes(bytes);
            File.WriteAllBytes(path, bytes);
        }

        File.WriteAllText(Path.Join(folder, "wrong#name.tif"), "refused before it is sent");
    }

    private static async Task<List<UploadResult>> SendAsync(
        DspIngestClient client,
        IIngestJournal journal,
        string folder,
        int interruptAfter,
        DemoReport report,
        CancellationToken cancellationToken
    )
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        requests.Writer.TryWrite(new UploadRequest(folder, client.CreateUploadTarget(Shortcode)));
        requests.Writer.Complete();
        List<UploadResult> results = [];
        UploadOptions options = new()
        {
            Recurse = true,
            Journal = journal,
            Exclude = ["journal.db*", "mapping.csv"],
        };
        await foreach (UploadResult result in new UploadEngine(options, NullLogger.Instance).SendAsync(requests.Reader, cancellationToken))
        {
            results.Add(result);
            report.Add(result);
            if (results.Count == interruptAfter)
                break;
        }

        return results;
    }

    private static async Task<Transaction> IngestAsync(
        DspIngestClient client,
        IngestConnection connection,
        IIngestJournal journal,
        List<UploadResult>? sent,
        TextWriter console,
        CancellationToken cancellationToken
    )
    {
        UploadedNames? names = sent is null ? null : new UploadedNames();
        foreach (UploadResult result in sent?.Where(r => r.IsOnServer) ?? [])
            names!.Add(result.RemoteName, result.Sha256, result.Path);
        Transaction started = await client.StartAsync(Shortcode, names, cancellationToken);

        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(started, TransactionSources.For(connection, NullLogger.Instance, journal)));
        requests.Writer.Complete();
        Transaction seen = started;
        await foreach (WaitEvent happened in new TransactionWaiter(new WaitOptions()).WaitAsync(requests.Reader, cancellationToken))
        {
            seen = happened.Transaction;
            if (happened is WaitEvent.Failed failed)
                Row(console, "", $"{failed.Error.ErrorId}: {failed.Error.Message}");
        }

        return seen;
    }

    private static async Task<int> VerifyAsync(DspIngestClient client, List<UploadResult> sent, CancellationToken cancellationToken)
    {
        int proven = 0;
        Dictionary<string, string?> hashes = sent.ToDictionary(r => r.RemoteName, r => r.Sha256);
        await foreach (IngestMapping row in client.CompareAsync(Shortcode, sent, cancellationToken))
        {
            if (row.Ingested && (await client.VerifyAsync(row, hashes[row.Original], cancellationToken)).Verified == true)
                proven++;
        }

        return proven;
    }

    private static void Row(TextWriter console, string step, string what) => console.WriteLine($"  {step, -16}{what}");
}
