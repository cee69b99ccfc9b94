using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// Starts a project's bulk ingest. What makes it more than a POST: a 409 may be an upload of somebody else as well as a run, and only a
/// start that the server took tells that what was uploaded will be looked at.
/// </summary>
internal sealed class BulkIngestStart(BulkIngestRoutes routes, Shortcode shortcode, IIngestJournal journal)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How long the project's lock is waited for after a lost answer. Uploads hold it for less, so that a lock which is held for longer is
    /// an ingest: most likely the one that was started. Waiting for its end shows what it was.
    /// </summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How often a server that fails each time is asked.</summary>
    private const int MaxTries = 3;

    private readonly ProjectLock _lock = new(routes, shortcode);

    /// <summary>Starts a run of what was uploaded, unless all of it was ingested before, or a run that has it is under way.</summary>
    public async Task<Transaction> RunAsync(UploadedNames? uploads, CancellationToken cancellationToken)
    {
        ProjectMemory memory = ProjectMemory.Of(routes.Connection, shortcode);
        if (!journal.IsOn)
        {
            UploadedNames? expected = memory.Expect(uploads);
            BulkIngestRun? plan = expected is null ? null : new BulkIngestRun { Uploads = expected };
            MappingMark? mark = await TryMarkAsync(cancellationToken).ConfigureAwait(false);
            return await StartAsync(memory, plan, mark, lastJob: 0, cancellationToken).ConfigureAwait(false);
        }

        using IPlaceJournal place = journal.OpenPlace(ProjectJournal.PlaceOf(routes, shortcode));
        ProjectJournal project = new(routes, shortcode, journal, place);
        MappingMark? before = await project.RefreshAsync(cancellationToken).ConfigureAwait(false);
        if (before is null && FindOpen() is { State: not StartState.Started })
            before = await RefreshWhenFreeAsync(project, cancellationToken).ConfigureAwait(false);
        long lastJob = place.LastEndedJob;
        BulkIngestRun? run = Plan(uploads, place);
        if (before is { } now && FindOpen() is { } open)
            Close(project, open, now);
        if (run is { Uploads.Count: 0, IngestedBefore: > 0 })
            return NothingNew(run.IngestedBefore);
        if (before is null && Resume(project, run) is { } running)
        {
            memory.Started(running.Expectation as BulkIngestRun);
            return running;
        }

        try
        {
            return await StartAsync(memory, run, before, lastJob, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e) && run is not null)
        {
            project.ForgetUningested();
            throw e.With(
                message: $"Project {shortcode} has nothing to ingest: {Quantity.Of(run.Uploads.Count, "file")} "
                    + $"{(run.Uploads.Count == 1 ? "was" : "were")} sent to it, and somebody finalized it since, which removed what "
                    + $"was sent.",
                advice: "Type the same line again: it sends what was removed."
            );
        }
    }

    /// <summary>Starts a run whose mapping was marked before, by a caller that kept the mark.</summary>
    public Task<Transaction> RunAsync(UploadedNames uploads, MappingMark? before, CancellationToken cancellationToken)
    {
        long lastJob = 0;
        if (journal.IsOn)
        {
            using IPlaceJournal place = journal.OpenPlace(ProjectJournal.PlaceOf(routes, shortcode));
            lastJob = place.LastEndedJob;
        }

        return StartAsync(
            ProjectMemory.Of(routes.Connection, shortcode),
            new BulkIngestRun { Uploads = uploads },
            before,
            lastJob,
            cancellationToken
        );
    }

    /// <summary>
    /// Waits until the project is free, and reads its mapping then. Whether the server took a start whose answer was never seen is not
    /// known while the lock is held: the call that holds it may be somebody else's.
    /// </summary>
    private async Task<MappingMark?> RefreshWhenFreeAsync(ProjectJournal project, CancellationToken cancellationToken)
    {
        routes.Logger.LogWarning(
            "Project {Shortcode} is busy with another call, and the answer to an earlier start was never seen. Its mapping is read "
                + "when the project is free.",
            shortcode
        );
        while (true)
        {
            await _lock.WaitAfterRefusalAsync(null, cancellationToken).ConfigureAwait(false);
            if (await project.RefreshAsync(cancellationToken).ConfigureAwait(false) is { } mark)
                return mark;
        }
    }

    /// <summary>The newest start of the project that is recorded and has not been seen ended; null where there is none.</summary>
    private JournaledTransaction? FindOpen() =>
        journal.ReadTransactions(new TransactionQuery { Place = ProjectJournal.PlaceOf(routes, shortcode), Last = 1 })
            is [JournaledTransaction open]
            ? open
            : null;

    /// <summary>
    /// What the run should ingest: of what was given, all that was not ingested before; where nothing was given, what is recorded as being
    /// on the server.
    /// </summary>
    private static BulkIngestRun? Plan(UploadedNames? uploads, IPlaceJournal place)
    {
        UploadedNames expected = new();
        long ingested = 0;
        if (uploads is null)
        {
            foreach (JournaledFile file in place.Read(FileState.Sent).Concat(place.Read(FileState.LeftOver)))
                expected.Add(file.Name, file.Sha256);
            return expected.Count == 0 ? null : new BulkIngestRun { Uploads = expected };
        }

        foreach (UploadedName file in uploads.ReadFiles())
        {
            // What was uploaded just now lies on the server, whatever became of an earlier upload.
            bool isIngested =
                file.WasSkipped
                && place.Find(file.Name) is { State: FileState.Ingested } known
                && (file.Sha256 is null || file.Sha256 == known.Sha256);
            if (isIngested)
                ingested++;
            else
                expected.Add(file.Name, file.Sha256);
        }

        uploads.Dispose();
        return new BulkIngestRun { Uploads = expected, IngestedBefore = ingested };
    }

    private Transaction NothingNew(long count)
    {
        DateTimeOffset now = routes.Time.GetUtcNow();
        return Describe() with
        {
            Status = TransactionStatus.Succeeded,
            SubmittedAt = now,
            CompletedAt = now,
            SeenAt = now,
            Completed = count,
            Total = count,
            Message =
                count == 1
                    ? "The file had been ingested before, so nothing was started."
                    : $"All {count:N0} files had been ingested before, so nothing was started.",
        };
    }

    /// <summary>
    /// A run that was started from here and is still under way, where it has all that is to be ingested; null where a new one has to be
    /// started. While another process waits for the lock, the call that holds it is not its run.
    /// </summary>
    private Transaction? Resume(ProjectJournal project, BulkIngestRun? run)
    {
        if (FindOpen() is not { State: StartState.Started } open)
            return null;
        bool hasNewer = project.Known.Read(FileState.Sent).Any(file => file.Job > open.LastJob);
        if (hasNewer)
            return null;
        BulkIngestRun? resumed = run is null
            ? null
            : new BulkIngestRun
            {
                Uploads = run.Uploads,
                IngestedBefore = run.IngestedBefore,
                Before = open.Before is { } kept ? new MappingMark(kept.Rows, kept.Last) : null,
                Note = "It was started by an earlier call.",
            };
        return Describe() with
        {
            Status = TransactionStatus.Running,
            ServerStatus = "409",
            SubmittedAt = open.Transaction.SubmittedAt,
            StartedAt = open.Transaction.StartedAt,
            SeenAt = routes.Time.GetUtcNow(),
            Total = resumed?.Total,
            Message = "It was started by an earlier call.",
            Expectation = resumed,
        };
    }

    /// <summary>
    /// The project is free, so a run that was under way has ended. One whose answer was never seen took place where the mapping has grown.
    /// </summary>
    private void Close(ProjectJournal project, JournaledTransaction open, MappingMark now)
    {
        // Its process is still sending it.
        if (open.State == StartState.Starting)
            return;
        bool tookPlace = open.State == StartState.Started || now.Rows > (open.Before?.Rows ?? 0);
        if (!tookPlace)
        {
            journal.CancelStart(open.Key);
            return;
        }

        long leftOver = project.RecordLeftOvers(open.LastJob);
        long? total = open.Transaction.Total;
        journal.EndStart(
            open.Key,
            open.Transaction with
            {
                Status = leftOver == 0 ? TransactionStatus.Succeeded : TransactionStatus.PartlySucceeded,
                CompletedAt = routes.Time.GetUtcNow(),
                SeenAt = routes.Time.GetUtcNow(),
                Completed = total is null ? null : Math.Max(0, total.Value - leftOver),
            }
        );
    }

    private async Task<Transaction> StartAsync(
        ProjectMemory memory,
        BulkIngestRun? plan,
        MappingMark? before,
        long lastJob,
        CancellationToken cancellationToken
    )
    {
        Transaction planned = Describe() with { SubmittedAt = routes.Time.GetUtcNow(), Total = plan?.Total };
        JournaledStart start = new()
        {
            Kind = TransactionKind.BulkIngest,
            Place = ProjectJournal.PlaceOf(routes, shortcode),
            Connection = routes.Connection.Name,
            Transaction = planned,
            Before = before is { } mark ? new PlaceMark(mark.Rows, mark.LastDerivative) : null,
            LastJob = lastJob,
            ManualCheck =
                $"The answer to the start of project {shortcode} was never seen. Rows that are new in its mapping show that it ran: "
                + $"Get-IngestMapping {shortcode}.",
        };
        return await journal
            .StartAsync(start, () => SendAsync(memory, plan, planned, before, cancellationToken), routes.Logger)
            .ConfigureAwait(false);
    }

    private async Task<Transaction> SendAsync(
        ProjectMemory memory,
        BulkIngestRun? plan,
        Transaction planned,
        MappingMark? before,
        CancellationToken cancellationToken
    )
    {
        List<string> notes = [];
        if (plan is not null && before is null)
            notes.Add("The project was busy when this run was started, so rows of earlier runs count as ingested too.");
        await StartWhenFreeAsync(before, notes, cancellationToken).ConfigureAwait(false);
        string? note = notes.Count == 0 ? null : string.Join(' ', notes);
        BulkIngestRun? run = plan is null
            ? null
            : new BulkIngestRun
            {
                Uploads = plan.Uploads,
                IngestedBefore = plan.IngestedBefore,
                Before = before,
                Note = note,
            };
        memory.Started(run);
        return planned with
        {
            Status = TransactionStatus.Running,
            ServerStatus = "202",
            StartedAt = routes.Time.GetUtcNow(),
            SeenAt = routes.Time.GetUtcNow(),
            Message = note,
            Expectation = run,
        };
    }

    private Transaction Describe() => BulkIngestTransactions.Describe(shortcode, routes.Connection);

    private async Task StartWhenFreeAsync(MappingMark? before, List<string> notes, CancellationToken cancellationToken)
    {
        StartAttempts attempts = new();
        try
        {
            await AttemptAsync(attempts, before, notes, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (attempts.MayHaveStarted && e.ErrorId != ErrorId.OutcomeUnknown && BulkIngestRoutes.IsNoMapping(e))
        {
            throw FinalizedSince(e);
        }
        catch (IngestException e) when (attempts.MayHaveStarted && e.ErrorId != ErrorId.OutcomeUnknown && before is null)
        {
            throw MayHaveBegun(e);
        }
    }

    private async Task AttemptAsync(StartAttempts attempts, MappingMark? before, List<string> notes, CancellationToken cancellationToken)
    {
        for (int tries = 1; ; )
        {
            try
            {
                ProjectAnswer answer = await routes.StartAsync(shortcode, cancellationToken).ConfigureAwait(false);
                if (!string.Equals(answer.Id, shortcode.Value, StringComparison.OrdinalIgnoreCase))
                    routes.Logger.LogWarning(
                        "The server took the start for project {Shortcode} and answered with the id {Id}.",
                        shortcode,
                        answer.Id
                    );
                return;
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
            {
                if (!attempts.HasWaited)
                    routes.Logger.LogWarning(
                        "Project {Shortcode} is busy with another call; its bulk ingest is started when it is free.",
                        shortcode
                    );
                attempts.HasWaited = true;
                await WaitAfterRefusalAsync(attempts.MayHaveStarted, cancellationToken).ConfigureAwait(false);
            }
            catch (NotSentException) when (attempts.MayHaveStarted)
            {
                throw new OperationCanceledException(cancellationToken);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
            {
                attempts.HasWaited = attempts.MayHaveStarted = true;
                if (await DidStartAsync(e, before, cancellationToken).ConfigureAwait(false) is not { } didStart)
                {
                    notes.Add(
                        "The answer to the start was lost. The project is busy, most likely with this run; its end shows what was ingested."
                    );
                    return;
                }

                if (didStart)
                {
                    notes.Add("The answer to the start was lost; the project's mapping shows that a run took place.");
                    return;
                }

                if (tries++ == MaxTries)
                    throw NeverBegan(e);
                routes.Logger.LogInformation(
                    "The answer to the start was lost, and project {Shortcode} shows no run: it is started again.",
                    shortcode
                );
                await Task.Delay(PollPause.WithJitter(FirstPause * Math.Pow(4, tries - 1)), routes.Time, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e))
            {
                throw NothingToIngest(e, attempts.HasWaited);
            }
        }
    }

    /// <summary>
    /// The server refused the start. One that is canceled while it waits was not sent, unless the answer to an earlier request was lost.
    /// </summary>
    private async Task WaitAfterRefusalAsync(bool mayHaveStarted, CancellationToken cancellationToken)
    {
        try
        {
            await _lock.WaitAfterRefusalAsync(null, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!mayHaveStarted && cancellationToken.IsCancellationRequested)
        {
            throw new NotSentException(cancellationToken);
        }
    }

    /// <summary>
    /// Whether a start whose answer was lost took place; null where the project stays busy. A request that fails leaves that unknown,
    /// however it failed.
    /// </summary>
    private async Task<bool?> DidStartAsync(IngestException lost, MappingMark? before, CancellationToken cancellationToken)
    {
        try
        {
            return await _lock.WaitUntilFreeAsync(LockTimeout, cancellationToken).ConfigureAwait(false) == ProjectState.Locked
                ? null
                : await HasGrownAsync(before, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            routes.Logger.LogWarning(
                "Whether project {Shortcode} began its bulk ingest cannot be found out: {Reason}",
                shortcode,
                e.Message
            );
            throw lost.With(message: $"{lost.Message} Whether it began cannot be found out right now: {e.Message}");
        }
    }

    /// <summary>
    /// An attempt failed after the answer to an earlier one was lost, and what the project had before is not known, so its mapping shows
    /// nothing.
    /// </summary>
    private IngestException MayHaveBegun(IngestException e) =>
        e.With(
            ErrorId.OutcomeUnknown,
            $"{e.Message} The answer to an earlier attempt was lost, so the bulk ingest of project {shortcode} may have begun.",
            $"Look at the project's mapping before you start it again: Get-IngestMapping {shortcode}."
        );

    /// <summary>The project has neither an import folder nor a mapping any more, so nothing shows whether the run took place.</summary>
    private IngestException FinalizedSince(IngestException e) =>
        e.With(
            ErrorId.OutcomeUnknown,
            $"The answer to the start of project {shortcode} was lost, and somebody finalized the project since. The bulk ingest may "
                + $"have run before.",
            "Ask whoever finalized it for the mapping, or look for the files among the project's assets, before you send them again."
        );

    private IngestException NeverBegan(IngestException e) =>
        e.With(
            e.StatusCode is null ? ErrorId.ConnectionFailed : ErrorId.ServerError,
            $"The bulk ingest of project {shortcode} was asked for {MaxTries} times, and the project shows no run: "
                + $"{e.ServerMessage ?? e.Message}",
            "The files are on the server. Look at its log, then start again."
        );

    private IngestException NothingToIngest(IngestException e, bool waited) =>
        waited
            ? e.With(
                message: $"Project {shortcode} has no import folder any more: it was finalized while its start waited, and what was "
                    + $"uploaded is gone.",
                advice: "Send the files again."
            )
            : e.With(
                message: $"Project {shortcode} has nothing to ingest: no file was uploaded to it since it was finalized, or ever.",
                advice: $"Upload files first: Send-IngestFile -Shortcode {shortcode}."
            );

    /// <summary>
    /// After a lost answer: rows that were not there before show that a run took place; a held lock shows nothing, since any call holds it.
    /// Where nothing shows a run, starting again does no harm: what was ingested has left the import folder, and a second run takes up what
    /// is in it.
    /// </summary>
    public async Task<bool> DidStartAsync(MappingMark? before, CancellationToken cancellationToken)
    {
        await _lock.WaitUntilFreeAsync(null, cancellationToken).ConfigureAwait(false);
        return await HasGrownAsync(before, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> HasGrownAsync(MappingMark? before, CancellationToken cancellationToken) =>
        before is not null && await TryMarkAsync(cancellationToken).ConfigureAwait(false) is { } now && now != before;

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

    /// <summary>What is known of the attempts of one start.</summary>
    private sealed class StartAttempts
    {
        /// <summary>Whether the start has waited for other calls, so that the project may have changed.</summary>
        public bool HasWaited { get; set; }

        /// <summary>Whether the answer to an attempt was lost.</summary>
        public bool MayHaveStarted { get; set; }
    }
}
