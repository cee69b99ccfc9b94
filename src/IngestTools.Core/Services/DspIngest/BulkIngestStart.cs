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

    /// <summary>A server that fails each time is asked so often.</summary>
    private const int MostTries = 3;

    public async Task<Transaction> RunAsync(UploadedNames? uploads, CancellationToken cancellationToken)
    {
        ProjectMemory memory = ProjectMemory.Of(routes.Connection, shortcode);
        UploadedNames? expected = memory.Expect(uploads);
        MappingMark? before = expected is null ? null : await TryMarkAsync(cancellationToken).ConfigureAwait(false);
        return await RunAsync(memory, expected, before, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts a run whose mapping was marked before, by one who kept the mark.</summary>
    public Task<Transaction> RunAsync(UploadedNames uploads, MappingMark? before, CancellationToken cancellationToken) =>
        RunAsync(ProjectMemory.Of(routes.Connection, shortcode), uploads, before, cancellationToken);

    private async Task<Transaction> RunAsync(ProjectMemory memory, UploadedNames? expected, MappingMark? before, CancellationToken cancellationToken)
    {
        List<string> notes = [];
        if (expected is not null && before is null)
            notes.Add("The project was busy when this run was started, so rows of earlier runs count as ingested too.");
        DateTimeOffset submitted = routes.Time.GetUtcNow();
        await StartWhenFreeAsync(before, notes, cancellationToken).ConfigureAwait(false);
        string? note = notes.Count == 0 ? null : string.Join(' ', notes);
        BulkIngestRun? run = expected is null ? null : new BulkIngestRun { Uploads = expected, Before = before, Note = note };
        memory.Started(run);
        return BulkIngestTransactions.Describe(shortcode, routes.Connection.Name) with
        {
            Status = TransactionStatus.Running,
            ServerStatus = "202",
            SubmittedAt = submitted,
            StartedAt = routes.Time.GetUtcNow(),
            SeenAt = routes.Time.GetUtcNow(),
            Total = expected?.Count,
            Message = note,
            Expectation = run,
        };
    }

    private async Task StartWhenFreeAsync(MappingMark? before, List<string> notes, CancellationToken cancellationToken)
    {
        bool waited = false;
        for (int tries = 1; ;)
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
                if (!waited)
                    routes.Logger.LogWarning("Project {Shortcode} is busy with another call; its bulk ingest is started when it is free.", shortcode);
                waited = true;
                await WaitUntilFreeAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
            {
                waited = true;
                if (await DidStartAsync(e, before, cancellationToken).ConfigureAwait(false))
                {
                    notes.Add("The answer to the start was lost; the project's mapping shows that a run took place.");
                    return;
                }

                if (tries++ == MostTries)
                    throw NeverBegan(e);
                routes.Logger.LogInformation("The answer to the start was lost, and project {Shortcode} shows no run: it is started again.", shortcode);
                await Task.Delay(PollPause.WithJitter(FirstPause * Math.Pow(4, tries - 1)), routes.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e))
            {
                throw NothingToIngest(e, waited);
            }
        }
    }

    /// <summary>Looks whether a start whose answer was lost took place. A look that fails leaves that unknown, however it failed.</summary>
    private async Task<bool> DidStartAsync(IngestException lost, MappingMark? before, CancellationToken cancellationToken)
    {
        try
        {
            return await DidStartAsync(before, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            routes.Logger.LogWarning("Whether project {Shortcode} began its bulk ingest cannot be found out: {Reason}", shortcode, e.Message);
            throw lost.With(message: $"{lost.Message} Whether it began cannot be found out right now: {e.Message}");
        }
    }

    private IngestException NeverBegan(IngestException e) => e.With(
        e.StatusCode is null ? ErrorId.ConnectionFailed : ErrorId.ServerError,
        $"The bulk ingest of project {shortcode} was asked for {MostTries} times, and the project shows no run: {e.ServerMessage ?? e.Message}",
        "The files are on the server. Look at its log, then start again.");

    private IngestException NothingToIngest(IngestException e, bool waited) => waited
        ? e.With(message: $"Project {shortcode} has no import folder any more: it was finalized while its start waited, and what was uploaded is gone.",
            advice: "Send the files again.")
        : e.With(message: $"Project {shortcode} has nothing to ingest: no file was uploaded to it since it was finalized, or ever.",
            advice: $"Upload files first: Send-IngestFile -Shortcode {shortcode}.");

    /// <summary>
    /// After a lost answer: rows that were not there before show that a run took place; a held lock shows nothing, since any call holds it. Where nothing
    /// shows a run, starting again does no harm: what was ingested has left the import folder, and a second run takes up what is in it.
    /// </summary>
    public async Task<bool> DidStartAsync(MappingMark? before, CancellationToken cancellationToken)
    {
        await WaitUntilFreeAsync(cancellationToken).ConfigureAwait(false);
        return before is not null && await TryMarkAsync(cancellationToken).ConfigureAwait(false) is { } now && now != before;
    }

    /// <summary>The mapping as it is; null where the project is locked.</summary>
    public async Task<MappingMark?> TryMarkAsync(CancellationToken cancellationToken)
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
