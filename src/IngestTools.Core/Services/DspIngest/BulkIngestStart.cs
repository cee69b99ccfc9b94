using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// Starts a project's bulk ingest. What makes it more than a POST: a 409 may be an upload of somebody else as well as a run, and only a start that the server
/// took tells that what was uploaded will be looked at.
/// </summary>
internal sealed class BulkIngestStart(BulkIngestRoutes routes, Shortcode shortcode)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    public async Task<Transaction> RunAsync(UploadedNames? uploads, CancellationToken cancellationToken)
    {
        ProjectMemory memory = ProjectMemory.Of(routes.Connection, shortcode);
        UploadedNames? expected = memory.Expect(uploads);
        MappingMark? before = expected is null ? null : await TryMarkAsync(cancellationToken).ConfigureAwait(false);
        List<string> notes = [];
        if (expected is not null && before is null)
            notes.Add("Another run went on when this one was started, so rows of earlier runs count as ingested too.");
        DateTimeOffset submitted = routes.Time.GetUtcNow();
        await StartWhenFreeAsync(before, notes, cancellationToken).ConfigureAwait(false);
        memory.Forget();
        string? note = notes.Count == 0 ? null : string.Join(' ', notes);
        return BulkIngestTransactions.Describe(shortcode, routes.Connection.Name) with
        {
            Status = TransactionStatus.Running,
            ServerStatus = "202",
            SubmittedAt = submitted,
            StartedAt = routes.Time.GetUtcNow(),
            SeenAt = routes.Time.GetUtcNow(),
            Total = expected?.Count,
            Message = note,
            Expectation = expected is null ? null : new BulkIngestRun { Uploads = expected, Before = before, Note = note },
        };
    }

    private async Task StartWhenFreeAsync(MappingMark? before, List<string> notes, CancellationToken cancellationToken)
    {
        for (bool followed = false, lost = false; ;)
        {
            try
            {
                ProjectAnswer answer = await routes.StartAsync(shortcode, cancellationToken).ConfigureAwait(false);
                if (!string.Equals(answer.Id, shortcode.Value, StringComparison.OrdinalIgnoreCase))
                    routes.Logger.LogWarning("The server took the start for project {Shortcode} and answered with the id {Id}.", shortcode, answer.Id);
                return;
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
            {
                if (!followed)
                    routes.Logger.LogWarning("Project {Shortcode} is busy with another call; its bulk ingest is started when it is free.", shortcode);
                followed = true;
                await WaitUntilFreeAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
            {
                if (await DidStartAsync(before, cancellationToken).ConfigureAwait(false))
                {
                    notes.Add("The answer to the start was lost; the project's state shows that a run began.");
                    return;
                }

                lost = true;
                routes.Logger.LogInformation("The answer to the start was lost, and project {Shortcode} shows that no run began: it is started again.", shortcode);
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e) && (followed || lost))
            {
                notes.Add("Another run had taken all files that were uploaded; it was followed instead.");
                return;
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e))
            {
                throw e.With(message: $"Project {shortcode} has nothing to ingest: no file was uploaded to it since it was finalized, or ever.",
                    advice: $"Upload files first: Send-IngestFile -Shortcode {shortcode}.");
            }
        }
    }

    /// <summary>
    /// After a lost answer: a held lock, or rows that were not there before, show that the server acted. Where nothing shows it, starting again does no harm:
    /// what was ingested has left the import folder, and a second run takes up what is in it.
    /// </summary>
    private async Task<bool> DidStartAsync(MappingMark? before, CancellationToken cancellationToken)
    {
        if (await routes.ProbeAsync(shortcode, cancellationToken).ConfigureAwait(false) == ProjectState.Locked)
            return true;
        MappingMark? now = await TryMarkAsync(cancellationToken).ConfigureAwait(false);
        return now is null || (before is not null && now != before);
    }

    /// <summary>The mapping as it is; null where the project is locked.</summary>
    private async Task<MappingMark?> TryMarkAsync(CancellationToken cancellationToken)
    {
        try
        {
            MappingMark mark = default;
            await foreach (MappingRow row in new MappingDownload(routes, shortcode).ReadAsync(cancellationToken).ConfigureAwait(false))
                mark = new MappingMark(mark.Rows + 1, row.Derivative);
            return mark;
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound && e.ServerMessage is not null)
        {
            return default(MappingMark);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
        {
            return null;
        }
    }

    private async Task WaitUntilFreeAsync(CancellationToken cancellationToken)
    {
        for (TimeSpan pause = FirstPause; await routes.ProbeAsync(shortcode, cancellationToken).ConfigureAwait(false) == ProjectState.Locked; pause = PollPause.Next(pause))
            await Task.Delay(PollPause.WithJitter(pause), routes.Time, cancellationToken).ConfigureAwait(false);
    }
}
