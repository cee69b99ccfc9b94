using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using IngestTools.Services.DspIngest;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Loads;

/// <summary>DSP-INGEST: uploads a folder, starts the bulk ingest once, follows it, and saves the mapping.</summary>
internal sealed class BulkIngestLoad : ILoad
{
    /// <summary>
    /// Of more files the names are not kept over a crash: the run is then known to have ended, and not what it left over.
    /// </summary>
    private const int MostNamesKept = 100_000;

    /// <summary>The maximum number of reasons in the message of a run. Its log has them all.</summary>
    private const int MostReasonsTold = 5;

    private const string LeaveOutAdvice =
        "Rename the files, or leave them out: Set-BulkLoadSchedule -Exclude. With -ContinueOnFailure the other files are ingested.";

    private const string LogAdvice = "The run's log names the files: Get-BulkLoadRun -Id.";

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A bulk ingest takes minutes, and a lock that outlasts this one may be there until somebody sees to it: the run then pauses, and ends
    /// when it stays so.
    /// </summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromMinutes(10);

    private readonly LoadRun _run;
    private readonly DspIngestClient _client;
    private readonly string _shortcode;
    private UploadedNames? _uploaded;
    private MappingMark _before;
    private IngestException? _unsent;
    private Transaction? _started;

    public BulkIngestLoad(LoadRun run)
    {
        _run = run;
        _client = new DspIngestClient(run.Connection, run.Log, run.Journal);
        _shortcode = run.Load.Shortcode!;
    }

    public LoadRun Run => _run;

    public string WhatToLookAt =>
        $"Look whether the mapping has new rows (Get-IngestMapping -Shortcode {_shortcode}); if not, Start-BulkIngest -Shortcode "
        + $"{_shortcode}.";

    /// <summary>Sends what the journal does not know, or knows otherwise. What was sent before a crash is not sent again.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await _run.UploadingAsync(null, null, "files", cancellationToken);
        UploadedNames names = new();
        UploadEngine engine = new(
            new UploadOptions
            {
                Recurse = _run.Load.Recurse,
                Include = _run.Load.Include ?? [],
                Exclude = _run.Load.Exclude ?? [],
                Journal = _run.Journal,
                Again = _run.Load.Again,
            },
            _run.Log
        );
        Channel<UploadRequest> requests = Channel.CreateBounded<UploadRequest>(1);
        requests.Writer.TryWrite(new UploadRequest(_run.Load.Path!, _client.CreateUploadTarget(_shortcode)));
        requests.Writer.Complete();
        FailureTally failures = new();
        long ingested = 0;
        long noted = Environment.TickCount64;
        await foreach (UploadResult result in engine.SendAsync(requests.Reader, cancellationToken))
        {
            if (result.Reason == SkipReason.AlreadyIngested)
                ingested++;
            else if (result.IsOnServer)
                names.Add(result.RemoteName, result.Sha256);
            else
                Tell(result, failures);
            if (Environment.TickCount64 - noted < ProgressInterval.TotalMilliseconds)
                continue;
            noted = Environment.TickCount64;
            await _run.UploadingAsync(names.Count, null, "files", cancellationToken);
        }

        foreach ((IngestException _, string message) in failures.ReadFolded())
            _run.Log.LogWarning("{Message}", message);
        // Later runs look here whether there were files.
        long all = names.Count + ingested + failures.Count;
        await _run.UploadingAsync(names.Count, all, "files", cancellationToken);
        _unsent = failures.Count == 0 ? null : DescribeUnsent(failures, all);
        if (_unsent is not null && !IsGoingOn(_unsent, failures.Count < all))
            throw _unsent;
        if (ingested > 0)
            _run.Log.LogInformation("{Count:N0} files had been ingested before and have not changed.", ingested);
        if (names.Count == 0)
        {
            _run.EndEarly = ingested > 0 ? EndOfIngested(ingested) : await EndOfEmptyAsync(engine.LeftOutByPatterns, cancellationToken);
            return;
        }

        _uploaded = names;
        // Without the mapping before the start, a lost answer could not be looked into.
        _before = await _client.MarkWhenFreeAsync(_shortcode, LockTimeout, cancellationToken) ?? throw StaysLocked();
    }

    public async Task SubmitAsync(CancellationToken cancellationToken)
    {
        UploadedNames names = _uploaded!;
        Marker marker = new(_before.Rows, _before.LastDerivative, names.Count <= MostNamesKept ? [.. names.Read()] : null)
        {
            Unsent = _unsent?.Message,
        };
        await _run.RememberAsync(JsonSerializer.Serialize(marker, BulkIngestJson.Default.Marker), cancellationToken);
        await _run.SubmittingAsync(null, cancellationToken);
        _started = await _client.StartAsync(_shortcode, names, _before, cancellationToken);
        await _run.SubmittedAsync(_started.Id);
    }

    /// <summary>
    /// New rows show that the run took place. Where there are none, starting it again takes up what lies there, and nothing twice.
    /// </summary>
    public async Task<Finding> LookIntoAsync(CancellationToken cancellationToken)
    {
        if (ReadMarker() is not { } marker)
            return Finding.Unknown;
        if (!await _client.DidStartAsync(_shortcode, marker.Before, cancellationToken))
            return Finding.NotSubmitted;
        await _run.SubmittedAsync($"dsp:{_shortcode.ToUpperInvariant()}");
        return Finding.Submitted;
    }

    public Transaction Resume(string transactionId)
    {
        if (_started is not null)
            return _started;
        return ReadMarker() is { Names: { } names } marker
            ? _client.Resume(_shortcode, NamesOf(names), marker.Before)
            : Transactions.TransactionSources.Parse(transactionId).Transaction;
    }

    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        string? unsent = ReadMarker()?.Unsent;
        try
        {
            if (_run.Load.MappingPath is { } path)
            {
                await _client.SaveMappingAsync(_shortcode, path, cancellationToken);
                _run.Log.LogInformation("The mapping was saved to {Path}.", path);
            }
        }
        catch (IngestException e) when (unsent is not null)
        {
            throw e.With(message: $"{unsent} {e.Message}");
        }

        if (unsent is not null)
            throw new IngestException(ErrorId.ItemFailed, unsent)
            {
                Service = IngestService.DspIngest,
                Operation = "upload",
                Advice = LogAdvice,
            };
    }

    private void Tell(UploadResult result, FailureTally failures)
    {
        if (result.Status != UploadStatus.Failed)
            _run.Log.LogInformation("{File} was left out: {Reason}", result.RemoteName, result.Error?.Message);
        else if (failures.Add(result) is { } error)
            _run.Log.LogWarning("{File} could not be sent: {Reason}", result.RemoteName, error.Message);
    }

    /// <summary>
    /// Whether what could be sent is ingested. What may pass is tried again first, by the run's own attempts.
    /// </summary>
    private bool IsGoingOn(IngestException unsent, bool isAnySent) =>
        _run.Load.ContinueOnFailure && isAnySent && (_run.IsLastTry || !unsent.IsTransient);

    /// <summary>All of the folder's files are there already, or could not be sent.</summary>
    private LoadEnd EndOfIngested(long ingested) =>
        _unsent is null
            ? new LoadEnd(
                RunStatus.Succeeded,
                $"All {ingested:N0} files in {_run.Load.Path} had been ingested before, so nothing was started."
            )
            : new LoadEnd(
                RunStatus.PartlySucceeded,
                $"{_unsent.Message} The other {ingested:N0} had been ingested before, so nothing was started. {LogAdvice}"
            );

    /// <summary>
    /// Where there was no file yet, there may be none. Where there were files, somebody moved them, or a disk is not mounted.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>: an earlier run had files.</exception>
    private async Task<LoadEnd> EndOfEmptyAsync(long leftOut, CancellationToken cancellationToken)
    {
        string path = _run.Load.Path!;
        string empty =
            leftOut > 0
                ? $"{path} has no file to send: -Include and -Exclude left out all {leftOut:N0} that were found"
                : $"{path} has no file to send";
        if (await _run.FindEarlierWithItemsAsync(cancellationToken) is not { } earlier)
            return new LoadEnd(RunStatus.Succeeded, $"{empty}, so nothing was started.");
        throw new IngestException(
            ErrorId.FileNotFound,
            $"{empty}, and {earlier.Id}, due at {earlier.DueAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC, had "
                + $"{Quantity.Of(Math.Max(earlier.Total ?? 0, earlier.Completed ?? 0), "file")}. Nothing was started."
        )
        {
            Service = IngestService.DspIngest,
            Operation = "upload",
            Advice =
                leftOut > 0
                    ? "Check the patterns: Set-BulkLoadSchedule changes them."
                    : "Check that the disk is mounted and the files are there.",
            Target = path,
        };
    }

    private static bool MayPass(IngestException error) => error.IsTransient || error.ErrorId == ErrorId.Locked;

    /// <summary>What could not be sent, and why, the most common reason first.</summary>
    private IngestException DescribeUnsent(FailureTally failures, long all)
    {
        (IngestException Error, long Count)[] reasons = [.. failures.ReadErrors()];
        IngestException commonest = reasons[0].Error;
        string[] told = [.. reasons.Take(MostReasonsTold).Select(reason => $"{Quantity.Of(reason.Count, "file")}: {reason.Error.Message}")];
        string more = reasons.Length > MostReasonsTold ? $" And {reasons.Length - MostReasonsTold:N0} other reasons." : "";
        bool isGoingOn = _run.Load.ContinueOnFailure && failures.Count < all;
        return new IngestException(
            commonest.ErrorId,
            $"{failures.Count:N0} of {all:N0} files could not be sent{(isGoingOn ? "" : ", so the bulk ingest was not started")}. "
                + $"{string.Join(' ', told)}{more}",
            commonest
        )
        {
            Service = IngestService.DspIngest,
            Operation = "upload",
            IsTransient = isGoingOn ? reasons.Any(reason => MayPass(reason.Error)) : MayPass(commonest),
            Advice = commonest.ErrorId == ErrorId.NameRejected ? LeaveOutAdvice : commonest.Advice,
        };
    }

    private Marker? ReadMarker() => _run.Record.Marker is { } text ? JsonSerializer.Deserialize(text, BulkIngestJson.Default.Marker) : null;

    private static UploadedNames NamesOf(string[] kept)
    {
        UploadedNames names = new();
        foreach (string name in kept)
            names.Add(name);
        return names;
    }

    private IngestException StaysLocked() =>
        new(
            ErrorId.Locked,
            $"Project {_shortcode} has been busy with another call for {LockTimeout.TotalMinutes:0} minutes, so the bulk ingest was "
                + $"not started."
        )
        {
            Service = IngestService.DspIngest,
            Operation = "bulk-ingest",
            IsTransient = true,
            Advice = "Wait until the other call has ended; if none runs, ask the operator of the service to release the project's lock.",
            Target = _shortcode,
        };

    /// <summary>What is kept until the run has ended.</summary>
    /// <param name="Rows">Rows of the mapping before the start.</param>
    /// <param name="LastDerivative">The derivative of the last of them.</param>
    /// <param name="Names">The names of the files that were sent; null where they are too many.</param>
    internal sealed record Marker(long Rows, string? LastDerivative, string[]? Names)
    {
        /// <summary>What could not be sent, and why; null where all was sent.</summary>
        public string? Unsent { get; init; }

        [JsonIgnore]
        public MappingMark Before => new(Rows, LastDerivative);
    }
}

/// <summary>How the marker of a bulk ingest is kept.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(BulkIngestLoad.Marker))]
internal sealed partial class BulkIngestJson : JsonSerializerContext;
