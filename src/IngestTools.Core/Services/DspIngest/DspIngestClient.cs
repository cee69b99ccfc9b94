using System.Runtime.CompilerServices;
using System.Text;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Logging;
using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Services.DspIngest;

/// <summary>DSP-INGEST's bulk ingest: upload, start, mapping, finalize.</summary>
/// <param name="connection">The connection.</param>
/// <param name="logger">The log.</param>
/// <param name="journal">The journal; null records nothing and knows nothing.</param>
public sealed class DspIngestClient(IngestConnection connection, ILogger? logger = null, IIngestJournal? journal = null)
{
    /// <summary>How long a finalize waits for a lock that others hold.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromMinutes(2);

    /// <summary>The maximum number of attempts to finalize.</summary>
    private const int MostTries = 3;

    private readonly BulkIngestRoutes _routes = new(connection, logger ?? NullLogger.Instance);

    private readonly IIngestJournal _journal = journal ?? IngestJournal.Off;

    /// <summary>Makes a client, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">The log.</param>
    /// <param name="journal">The journal; null records nothing and knows nothing.</param>
    public DspIngestClient(IngestConnection connection, IngestLog log, IIngestJournal? journal = null)
        : this(connection, log.Logger, journal) { }

    private TimeProvider Time => _routes.Time;

    /// <summary>The target that files of a project are sent to.</summary>
    /// <param name="shortcode">The project's shortcode, four hexadecimal digits.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not a shortcode.</exception>
    public IUploadTarget CreateUploadTarget(string shortcode) => new DspUploadTarget(_routes, Shortcode.Parse(shortcode));

    /// <summary>
    /// Starts the bulk ingest of a project. A 409 is not taken for success: it is waited until the project is free, and started again.
    /// </summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="uploads">What was uploaded to it, so that the transaction can tell what was left over; null where that is not
    /// known.</param>
    /// <param name="cancellationToken">Cancels the wait. A run that was started continues.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/>: nothing was uploaded. <see cref="ErrorId.NotSignedIn"/>,
    /// <see cref="ErrorId.NotAllowed"/> and others.</exception>
    /// <remarks>DSP-INGEST, POST /projects/{shortcode}/bulk-ingest</remarks>
    public Task<Transaction> StartAsync(string shortcode, UploadedNames? uploads, CancellationToken cancellationToken) =>
        new BulkIngestStart(_routes, Shortcode.Parse(shortcode), _journal).RunAsync(uploads, cancellationToken);

    /// <summary>Marks the mapping as it is, before a bulk ingest is started; null while another call holds the project's lock.</summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public Task<MappingMark?> MarkAsync(string shortcode, CancellationToken cancellationToken) =>
        new BulkIngestStart(_routes, Shortcode.Parse(shortcode), _journal).TryMarkAsync(cancellationToken);

    /// <summary>Waits while another call holds the project's lock, and reads how far its mapping goes then.</summary>
    /// <param name="shortcode">The project.</param>
    /// <param name="limit">How long it waits.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The mark; null where the lock was held until the limit.</returns>
    /// <exception cref="IngestException">What the service answers.</exception>
    public async Task<MappingMark?> MarkWhenFreeAsync(string shortcode, TimeSpan limit, CancellationToken cancellationToken)
    {
        Shortcode project = Shortcode.Parse(shortcode);
        BulkIngestStart start = new(_routes, project, _journal);
        long began = Time.GetTimestamp();
        MappingMark? mark = await start.TryMarkAsync(cancellationToken).ConfigureAwait(false);
        if (mark is null)
            _routes.Logger.LogInformation("Project {Shortcode} is busy with another call. This one waits for it.", project);
        while (mark is null && Time.GetElapsedTime(began) < limit)
        {
            await new ProjectLock(_routes, project)
                .WaitAfterRefusalAsync(limit - Time.GetElapsedTime(began), cancellationToken)
                .ConfigureAwait(false);
            mark = await start.TryMarkAsync(cancellationToken).ConfigureAwait(false);
        }

        return mark;
    }

    /// <summary>
    /// Starts the bulk ingest of a project as <see cref="StartAsync(string, UploadedNames?, CancellationToken)"/> does, for one who has
    /// marked its mapping and kept the mark.
    /// </summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="uploads">What was uploaded to it.</param>
    /// <param name="before">The mapping before the start, by <see cref="MarkAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the wait. A run that was started continues.</param>
    public Task<Transaction> StartAsync(string shortcode, UploadedNames uploads, MappingMark? before, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(uploads);
        return new BulkIngestStart(_routes, Shortcode.Parse(shortcode), _journal).RunAsync(uploads, before, cancellationToken);
    }

    /// <summary>
    /// Whether a start whose answer nobody has took place: waits until the project is free, and looks for rows that are new since the mark.
    /// </summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="before">The mapping before the start, by <see cref="MarkAsync"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>False also where a run ingested nothing; starting again then does no harm, since what was ingested has left the import
    /// folder.</returns>
    public Task<bool> DidStartAsync(string shortcode, MappingMark? before, CancellationToken cancellationToken) =>
        new BulkIngestStart(_routes, Shortcode.Parse(shortcode), _journal).DidStartAsync(before, cancellationToken);

    /// <summary>A bulk ingest that was started earlier, maybe by another process, with what is to come out of it.</summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="uploads">What was uploaded before it was started.</param>
    /// <param name="before">The mapping before the start, by <see cref="MarkAsync"/>.</param>
    public Transaction Resume(string shortcode, UploadedNames uploads, MappingMark? before)
    {
        ArgumentNullException.ThrowIfNull(uploads);
        Shortcode project = Shortcode.Parse(shortcode);
        return BulkIngestTransactions.Describe(project, connection) with
        {
            Total = uploads.Count,
            Expectation = new BulkIngestRun { Uploads = uploads, Before = before },
        };
    }

    /// <summary>The rows of the mapping, as they come.</summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Locked"/> during a run, <see cref="ErrorId.NotFound"/> where there is no
    /// mapping, <see cref="ErrorId.InvalidAnswer"/>.</exception>
    /// <remarks>DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv</remarks>
    public IAsyncEnumerable<MappingRow> ReadMappingAsync(string shortcode, CancellationToken cancellationToken) =>
        new MappingDownload(_routes, Shortcode.Parse(shortcode)).ReadAsync(cancellationToken);

    /// <summary>The rows of the mapping, as they come; those that come together in one list.</summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="IngestException">As <see cref="ReadMappingAsync"/>.</exception>
    /// <remarks>DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv</remarks>
    public IAsyncEnumerable<IReadOnlyList<MappingRow>> ReadMappingPartsAsync(string shortcode, CancellationToken cancellationToken) =>
        new MappingDownload(_routes, Shortcode.Parse(shortcode)).ReadPartsAsync(cancellationToken);

    /// <summary>Writes the mapping to a file, as it came, atomically: the file is there whole, or as it was.</summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the writing; the file stays as it was.</param>
    /// <returns>The number of bytes written.</returns>
    /// <exception cref="IngestException"><see cref="ErrorId.FileUnreadable"/> where the file cannot be written, and those of
    /// <see cref="ReadMappingAsync"/>.</exception>
    public async Task<long> SaveMappingAsync(string shortcode, string path, CancellationToken cancellationToken)
    {
        Shortcode project = Shortcode.Parse(shortcode);
        (long bytes, long rows) = await new MappingFile(_routes, project).SaveAsync(path, cancellationToken).ConfigureAwait(false);
        ProjectMemory.Of(connection, project).Saved(rows);
        return bytes;
    }

    /// <summary>
    /// For each file that was uploaded, whether it was ingested: one <see cref="IngestMapping"/> each, in their order; left-overs have no
    /// derivative.
    /// </summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="uploads">What was uploaded to this project.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async IAsyncEnumerable<IngestMapping> CompareAsync(
        string shortcode,
        IReadOnlyList<UploadResult> uploads,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(uploads);
        Shortcode project = Shortcode.Parse(shortcode);
        Dictionary<string, string?> derivatives = new(uploads.Count, StringComparer.Ordinal);
        foreach (UploadResult upload in uploads.Where(upload => upload.IsOnServer))
            derivatives[upload.RemoteName.Normalize(NormalizationForm.FormC)] = upload.Derivative;
        // The mapping is gone once the project was finalized. What the journal knows of the files stays.
        if (derivatives.Values.Any(derivative => derivative is null))
            await ReadDerivativesAsync(project, derivatives, cancellationToken).ConfigureAwait(false);
        foreach (UploadResult upload in uploads)
        {
            string? derivative = upload.IsOnServer ? derivatives[upload.RemoteName.Normalize(NormalizationForm.FormC)] : null;
            yield return new IngestMapping
            {
                Shortcode = project.Value,
                Original = upload.RemoteName,
                Derivative = derivative,
                Ingested = derivative is not null,
                Path = upload.Path,
                Connection = connection.Name,
                Server = connection.Server,
            };
        }
    }

    private async Task ReadDerivativesAsync(Shortcode project, Dictionary<string, string?> derivatives, CancellationToken cancellationToken)
    {
        HashSet<string> leftOvers = await LeftOversOfLastRunAsync(project, cancellationToken).ConfigureAwait(false);
        await foreach (MappingRow row in ReadMappingAsync(project.Value, cancellationToken).ConfigureAwait(false))
        {
            string original = row.Original.Normalize(NormalizationForm.FormC);
            if (derivatives.ContainsKey(original) && !leftOvers.Contains(original))
                derivatives[original] = row.Derivative;
        }
    }

    /// <summary>
    /// A file that was uploaded again and left over has a row of its earlier content; that row is not the file's that was sent.
    /// </summary>
    private async Task<HashSet<string>> LeftOversOfLastRunAsync(Shortcode project, CancellationToken cancellationToken)
    {
        UploadedNames? names = await LastLeftOversAsync(project, cancellationToken).ConfigureAwait(false);
        return new HashSet<string>(names?.Read().Select(name => name.Normalize(NormalizationForm.FormC)) ?? [], StringComparer.Ordinal);
    }

    private async Task<UploadedNames?> LastLeftOversAsync(Shortcode project, CancellationToken cancellationToken)
    {
        if (ProjectMemory.Of(connection, project).Run is not { } run)
            return null;
        return run.LeftOvers
            ?? await run.CompareAsync(
                    ReadMappingAsync(project.Value, cancellationToken),
                    derivative => _routes.TryGetChecksumAsync(project, derivative, cancellationToken)
                )
                .ConfigureAwait(false);
    }

    /// <summary>
    /// Compares SHA-256 with the server's; Verified stays null where the server does not know the asset or the file's own is not known.
    /// </summary>
    /// <param name="mapping">A row of the mapping.</param>
    /// <param name="localSha256">The SHA-256 of the local file, hexadecimal; null where it is not known.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <remarks>DSP-INGEST, GET /projects/{shortcode}/assets/{assetId}: checksumOriginal</remarks>
    public async Task<IngestMapping> VerifyAsync(IngestMapping mapping, string? localSha256, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        if (mapping.Derivative is null)
            return mapping;
        AssetAnswer? asset = await _routes
            .TryGetAssetAsync(Shortcode.Parse(mapping.Shortcode), Path.GetFileNameWithoutExtension(mapping.Derivative), cancellationToken)
            .ConfigureAwait(false);
        return mapping with
        {
            Sha256 = asset?.ChecksumOriginal,
            Verified =
                asset?.ChecksumOriginal is { } remote && localSha256 is not null
                    ? string.Equals(remote, localSha256, StringComparison.OrdinalIgnoreCase)
                    : null,
        };
    }

    /// <summary>
    /// Finalizes a project and waits until the server has done so. This deletes the mapping and the left-over files, so it refuses while
    /// the mapping was not saved through this connection, or while files are known to be left over.
    /// </summary>
    /// <param name="shortcode">The project's shortcode.</param>
    /// <param name="mappingPath">Saves the mapping here first; null where it was saved before.</param>
    /// <param name="force">Finalizes although the mapping is unsaved or files are left over.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.MappingUnsaved"/>, <see cref="ErrorId.LeftOvers"/>,
    /// <see cref="ErrorId.NotFound"/>, <see cref="ErrorId.Locked"/> and others.</exception>
    /// <remarks>DSP-INGEST, POST /projects/{shortcode}/bulk-ingest/finalize, which answers before it deletes.</remarks>
    public async Task CompleteAsync(string shortcode, string? mappingPath, bool force, CancellationToken cancellationToken)
    {
        Shortcode project = Shortcode.Parse(shortcode);
        ProjectMemory memory = ProjectMemory.Of(connection, project);
        using IPlaceJournal? place = _journal.IsOn ? _journal.OpenPlace(ProjectJournal.PlaceOf(_routes, project)) : null;
        ProjectJournal? known = place is null ? null : new ProjectJournal(_routes, project, _journal, place);
        bool wasFinalized = known is not null && await IsFinalizedAsync(known, project, cancellationToken).ConfigureAwait(false);
        try
        {
            if (!wasFinalized)
                await SaveAndFinalizeAsync(project, memory, place, mappingPath, force, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (known is not null && BulkIngestRoutes.IsNoMapping(e))
        {
            // Another process may have finalized it meanwhile.
            wasFinalized = await IsFinalizedAsync(known, project, cancellationToken).ConfigureAwait(false);
            if (!wasFinalized)
                throw;
        }

        if (wasFinalized)
            _routes.Logger.LogWarning(
                "Project {Shortcode} has nothing to finalize: all files that were sent are ingested, and it was finalized before.",
                project
            );
        else
            known?.ForgetUningested();
        memory.Started(null);
    }

    private async Task SaveAndFinalizeAsync(
        Shortcode project,
        ProjectMemory memory,
        IPlaceJournal? place,
        string? mappingPath,
        bool force,
        CancellationToken cancellationToken
    )
    {
        if (!force)
            await RefuseLeftOversAsync(project, memory, place, cancellationToken).ConfigureAwait(false);
        if (mappingPath is not null)
            await SaveMappingAsync(project.Value, mappingPath, cancellationToken).ConfigureAwait(false);
        else if (!force)
            await RefuseUnsavedAsync(project, memory, cancellationToken).ConfigureAwait(false);
        if (place is not null)
            place.IsClosing = true;
        await FinalizeAsync(project, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether all that was sent from here is ingested, and the project was finalized since. So a script that is run again after its end
    /// does not fail.
    /// </summary>
    private async Task<bool> IsFinalizedAsync(ProjectJournal known, Shortcode project, CancellationToken cancellationToken)
    {
        if (await known.RefreshAsync(cancellationToken).ConfigureAwait(false) is not { Rows: 0 })
            return false;
        bool isAllIngested =
            known.Known.Count(FileState.Ingested) > 0
            && known.Known.Count(FileState.Sent) == 0
            && known.Known.Count(FileState.LeftOver) == 0;
        return isAllIngested && await _routes.ProbeAsync(project, cancellationToken).ConfigureAwait(false) == ProjectState.NoMapping;
    }

    /// <summary>A run that nobody waited for is compared now: what it left over would be deleted unseen.</summary>
    private async Task RefuseLeftOversAsync(
        Shortcode project,
        ProjectMemory memory,
        IPlaceJournal? place,
        CancellationToken cancellationToken
    )
    {
        UploadedNames? leftOvers = await LastLeftOversAsync(project, cancellationToken).ConfigureAwait(false);
        long count = Math.Max(
            (leftOvers?.Count ?? 0) + memory.UploadsSinceStart,
            place is null ? 0 : place.Count(FileState.Sent) + place.Count(FileState.LeftOver)
        );
        if (count == 0)
            return;
        string? first =
            leftOvers?.Read().FirstOrDefault() ?? place?.Read(FileState.LeftOver).Concat(place.Read(FileState.Sent)).FirstOrDefault()?.Name;
        throw new IngestException(
            ErrorId.LeftOvers,
            count == 1
                ? $"1 file of project {project} was uploaded and not ingested{(first is null ? "" : $", {first}")}; finalizing would "
                    + $"delete it."
                : $"{count:N0} files of project {project} were uploaded and not "
                    + $"ingested{(first is null ? "" : $", {first} among them")}; finalizing would delete them."
        )
        {
            Service = IngestService.DspIngest,
            Operation = "finalize",
            Advice = $"Ingest them with Start-BulkIngest -Shortcode {project} and Wait-Transaction, or give -Force to delete them.",
            Target = project.Value,
        };
    }

    /// <summary>What was saved counts only while the mapping is still that long.</summary>
    private async Task RefuseUnsavedAsync(Shortcode project, ProjectMemory memory, CancellationToken cancellationToken)
    {
        long rows = 0;
        await foreach (MappingRow _ in new MappingDownload(_routes, project).ReadAsync(cancellationToken).ConfigureAwait(false))
            rows++;
        if (memory.SavedRows == rows)
            return;
        throw new IngestException(
            ErrorId.MappingUnsaved,
            $"The mapping of project {project} ({Quantity.Of(rows, "row")}) was not saved; finalizing would delete the only record of "
                + $"which file became which."
        )
        {
            Service = IngestService.DspIngest,
            Operation = "finalize",
            Advice = "Give -MappingPath to save it first, or -Force to finalize without it.",
            Target = project.Value,
        };
    }

    private async Task FinalizeAsync(Shortcode project, CancellationToken cancellationToken)
    {
        long started = Time.GetTimestamp();
        bool lost = false;
        int tries = 1;
        ProjectLock projectLock = new(_routes, project);
        while (true)
        {
            try
            {
                await _routes.FinalizeAsync(project, cancellationToken).ConfigureAwait(false);
                if (!await projectLock.WaitUntilFinalizedAsync(LockTimeout, cancellationToken).ConfigureAwait(false))
                    throw NotFinalized(project);
                return;
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.Locked && Time.GetElapsedTime(started) < LockTimeout)
            {
                await projectLock
                    .WaitAfterRefusalAsync(LockTimeout - Time.GetElapsedTime(started), cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
            {
                // The answer was lost, and the project's own state shows the outcome.
                lost = true;
                if (await projectLock.WaitUntilFreeAsync(null, cancellationToken).ConfigureAwait(false) == ProjectState.NoMapping)
                    return;
                if (tries++ == MostTries)
                {
                    throw e.With(
                        e.StatusCode is null ? ErrorId.ConnectionFailed : ErrorId.ServerError,
                        $"Project {project} was asked to finalize {MostTries} times, and its mapping is still there: "
                            + $"{e.ServerMessage ?? e.Message}",
                        "Nothing was deleted. Look at the server's log, then try again."
                    );
                }

                await Task.Delay(PollPause.First * tries, Time, cancellationToken).ConfigureAwait(false);
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e) && lost)
            {
                return;
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e))
            {
                throw e.With(
                    message: $"Project {project} has nothing to finalize: no file was uploaded to it, or it was finalized before."
                );
            }
        }
    }

    private static IngestException NotFinalized(Shortcode project) =>
        new(ErrorId.TimedOut, $"Project {project} is not finalized after {LockTimeout.TotalMinutes:0} minutes: its mapping is still there.")
        {
            Service = IngestService.DspIngest,
            Operation = "finalize",
            Advice = $"The server may still be deleting. Look again with Get-Transaction dsp:{project}.",
            Target = project.Value,
        };
}
