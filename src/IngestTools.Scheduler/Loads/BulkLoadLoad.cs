using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using IngestTools.Services.Voss;
using IngestTools.Uploads;

namespace IngestTools.Scheduler.Loads;

/// <summary>
/// VOSS Automate: uploads the workbook under a name that no other run has, starts its load once, and follows the transaction.
/// </summary>
internal sealed class BulkLoadLoad(LoadRun run) : ILoad
{
    /// <summary>So many hexadecimal digits keep runs apart that are due in the same second.</summary>
    private const int DigitsOfRun = 8;

    /// <summary>The server writes the transaction before it answers; a proxy may hold a request for some time.</summary>
    private static readonly TimeSpan[] LookPauses = [TimeSpan.Zero, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(5)];

    private readonly VossClient _client = new(run.Connection, run.Log, run.Journal);
    private BulkLoadRequest? _workbook;
    private Transaction? _started;

    public LoadRun Run => run;

    public string WhatToLookAt =>
        $"Look in VOSS's transaction log for a load of '{run.Record.RemoteName}'. If there is none, Start-BulkLoadSchedule "
        + $"'{run.Record.Name}' runs it.";

    private string Hierarchy => run.Load.Hierarchy!;

    /// <summary>The same run sends under the same name again, in place of what it sent before.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await run.UploadingAsync(null, null, null, cancellationToken);
        string path = await run.GetInputAsync(run.Load.Path!, cancellationToken);
        Channel<UploadRequest> requests = Channel.CreateBounded<UploadRequest>(1);
        requests.Writer.TryWrite(new UploadRequest(path, _client.CreateUploadTarget(Hierarchy)) { RemoteName = NameOf(path) });
        requests.Writer.Complete();
        await foreach (
            UploadResult result in new UploadEngine(new UploadOptions { Force = true }, run.Log).SendAsync(
                requests.Reader,
                cancellationToken
            )
        )
        {
            if (result.Error is not null)
                throw result.Error;
            _workbook = BulkLoadRequest.Of(result, Hierarchy) with { Again = run.Load.Again };
        }
    }

    public async Task SubmitAsync(CancellationToken cancellationToken)
    {
        await run.SubmittingAsync(_workbook!.FileName, cancellationToken);
        _started = await _client.StartAsync(_workbook, cancellationToken);
        await run.SubmittedAsync(_started.Id);
    }

    /// <summary>
    /// The file's name tells the load from all others. One that is not listed is not taken for one that was never asked for.
    /// </summary>
    public async Task<Finding> LookIntoAsync(CancellationToken cancellationToken)
    {
        if (run.Record.RemoteName is not { } fileName)
            return Finding.Unknown;
        try
        {
            foreach (TimeSpan pause in LookPauses)
            {
                await Task.Delay(pause, cancellationToken);
                if (await _client.FindLoadAsync(fileName, Hierarchy, cancellationToken) is not { } found)
                    continue;
                _started = found;
                run.RecordFound(found);
                await run.SubmittedAsync(found.Id);
                return Finding.Submitted;
            }
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.NotFound or ErrorId.Rejected or ErrorId.InvalidAnswer)
        {
            // This server does not list its transactions.
        }

        return Finding.Unknown;
    }

    public Transaction Resume(string transactionId) =>
        _started
        ?? Transactions.TransactionSources.Parse(transactionId).Transaction with
        {
            Hierarchy = Hierarchy,
            FileName = run.Record.RemoteName,
        };

    /// <summary>"users.xlsx" becomes "users-20261201T023000Z-1f0c9a7b.xlsx".</summary>
    private string NameOf(string path)
    {
        string due = run.Record.DueAt.UtcDateTime.ToString(@"yyyyMMdd\THHmmss\Z", CultureInfo.InvariantCulture);
        string digits = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(run.Record.DueKey)))[..DigitsOfRun].ToLowerInvariant();
        return $"{Path.GetFileNameWithoutExtension(path)}-{due}-{digits}{Path.GetExtension(path)}";
    }
}
