using System.Globalization;
using IngestTools.Http;

namespace IngestTools.Reports;

/// <summary>Makes rows of a report. Messages and addresses lose what looks like a secret here; names stay as they are.</summary>
public static class ReportRows
{
    /// <summary>The rows of an object.</summary>
    /// <param name="value">An <see cref="UploadResult"/>, a <see cref="Transaction"/>, an <see cref="IngestMapping"/>, a
    /// <see cref="LinkingBatchItem"/>, a <see cref="BulkLoadRun"/> or an <see cref="IngestJob"/>.</param>
    /// <returns>The rows; null for any other object.</returns>
    public static IEnumerable<ReportRow>? Of(object? value) =>
        value switch
        {
            UploadResult result => [Of(result)],
            Transaction transaction => Of(transaction),
            IngestMapping mapping => [Of(mapping)],
            LinkingBatchItem item => [Of(item)],
            BulkLoadRun run => [Of(run)],
            IngestJob job => [Of(job)],
            _ => null,
        };

    /// <summary>The row of an upload.</summary>
    /// <param name="result">The upload.</param>
    /// <param name="completedAt">
    /// When it ended, where the caller knows it better than the result. It places the upload in the throughput over time.
    /// </param>
    public static ReportRow Of(UploadResult result, DateTimeOffset? completedAt = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        completedAt ??= result.CompletedAt;
        TimeSpan? duration = result.Duration > TimeSpan.Zero ? result.Duration : null;
        return new ReportRow
        {
            Kind = ReportRowKind.Upload,
            Outcome = OutcomeOf(result.Status),
            Status = result.Status.ToString(),
            Path = result.Path,
            RemoteName = result.RemoteName,
            FileName = result.FileName,
            Derivative = result.Derivative,
            Shortcode = result.Shortcode,
            Hierarchy = result.Hierarchy,
            Length = result.Length,
            Sha256 = result.Sha256,
            Attempts = result.Attempts > 0 ? result.Attempts : null,
            StartedAt = completedAt - duration,
            CompletedAt = completedAt,
            Duration = duration,
            BytesPerSecond = result.BytesPerSecond > 0 ? result.BytesPerSecond : null,
            Reason = result.Reason,
            ErrorId = result.Error?.ErrorId,
            StatusCode = (int?)result.Error?.StatusCode,
            Message = Words(result.Error?.Message),
            ServerMessage = Words(result.Error?.ServerMessage),
            RequestId = Words(result.Error?.RequestId),
            Advice = Words(result.Error?.Advice),
            Connection = result.Connection,
            Server = Address(result.Server),
        };
    }

    /// <summary>The rows of a transaction: itself, then its parts that failed, where it has them.</summary>
    /// <param name="transaction">The transaction.</param>
    public static IEnumerable<ReportRow> Of(Transaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        ReportOutcome outcome = OutcomeOf(transaction.Status);
        yield return new ReportRow
        {
            Kind = ReportRowKind.Transaction,
            Outcome = outcome,
            Status = transaction.Status.ToString(),
            Id = transaction.Id,
            Name = transaction.Kind.ToString(),
            FileName = transaction.FileName,
            Shortcode = transaction.Shortcode,
            Hierarchy = transaction.Hierarchy,
            ProjectId = transaction.ProjectId,
            BatchId = transaction.BatchId,
            Repository = transaction.Repository,
            Branch = transaction.Branch,
            Completed = transaction.Completed,
            Total = transaction.Total,
            Unit = transaction.Unit,
            StartedAt = transaction.StartedAt ?? transaction.SubmittedAt,
            CompletedAt = transaction.CompletedAt,
            Duration = transaction.Elapsed,
            ErrorId = ErrorIdOf(outcome, IngestTools.ErrorId.TransactionFailed),
            Message = Words(transaction.Message),
            Connection = transaction.Connection,
            Server = Address(transaction.Server),
        };
        foreach (SubTransaction part in transaction.SubTransactions ?? [])
        {
            // A sheet fails with its rows, and is not counted besides them.
            if (part.Row is not null && part.Status == TransactionStatus.Failed)
                yield return Of(transaction, part);
        }
    }

    /// <summary>The row of a row of a mapping.</summary>
    /// <param name="mapping">The row of the mapping.</param>
    public static ReportRow Of(IngestMapping mapping)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        bool isDifferent = mapping is { Ingested: true, Verified: false };
        bool isWell = mapping.Ingested && !isDifferent;
        return new ReportRow
        {
            Kind = ReportRowKind.Mapping,
            Outcome = isWell ? ReportOutcome.Succeeded : ReportOutcome.Failed,
            Status =
                isDifferent ? "Different"
                : mapping.Ingested ? "Ingested"
                : "LeftOver",
            Path = mapping.Path,
            RemoteName = mapping.Original,
            Derivative = mapping.Derivative,
            Shortcode = mapping.Shortcode,
            Sha256 = mapping.Sha256,
            Verified = mapping.Verified,
            ErrorId = isWell ? null : IngestTools.ErrorId.ItemFailed,
            Message =
                isWell ? null
                : isDifferent ? "The server's SHA-256 is not that of the local file."
                : "It is not among the ingested files of the project.",
            Connection = mapping.Connection,
            Server = Address(mapping.Server),
        };
    }

    /// <summary>The row of an item of a linking batch.</summary>
    /// <param name="item">The item.</param>
    public static ReportRow Of(LinkingBatchItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        ReportOutcome outcome = item.Status switch
        {
            "LINKED" or "ALREADY_LINKED" => ReportOutcome.Succeeded,
            "PARTIALLY_LINKED" => ReportOutcome.PartlySucceeded,
            "FAILED" => ReportOutcome.Failed,
            null => ReportOutcome.Unknown,
            _ => ReportOutcome.Running,
        };
        return new ReportRow
        {
            Kind = ReportRowKind.LinkingItem,
            Outcome = outcome,
            Status = item.Status ?? "",
            Id = item.ItemId,
            ProjectId = item.ProjectId,
            BatchId = item.BatchId,
            DataId = item.DataId,
            ErrorId = ErrorIdOf(outcome, IngestTools.ErrorId.ItemFailed),
            Message = Words(item.Reason),
            Connection = item.Connection,
            Server = Address(item.Server),
        };
    }

    /// <summary>The row of a run of a schedule.</summary>
    /// <param name="run">The run.</param>
    public static ReportRow Of(BulkLoadRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        ReportOutcome outcome = run.Status switch
        {
            RunStatus.Succeeded => ReportOutcome.Succeeded,
            RunStatus.PartlySucceeded => ReportOutcome.PartlySucceeded,
            RunStatus.Failed or RunStatus.Missed => ReportOutcome.Failed,
            RunStatus.Canceled => ReportOutcome.Canceled,
            RunStatus.Unknown => ReportOutcome.Unknown,
            _ => ReportOutcome.Running,
        };
        return new ReportRow
        {
            Kind = ReportRowKind.Run,
            Outcome = outcome,
            Status = run.Status.ToString(),
            Id = run.Id,
            Name = run.Name,
            RemoteName = null,
            FileName = run.RemoteName,
            Completed = run.Completed,
            Total = run.Total,
            Unit = run.Unit,
            DueAt = run.DueAt,
            StartedAt = run.StartedAt,
            CompletedAt = run.CompletedAt,
            Duration = run.CompletedAt - run.StartedAt,
            ErrorId = ErrorIdOf(outcome, IngestTools.ErrorId.TransactionFailed),
            Message = Words(run.Message),
            Server = Address(run.Server),
        };
    }

    /// <summary>The row of a job of the journal.</summary>
    /// <param name="job">The job.</param>
    public static ReportRow Of(IngestJob job)
    {
        ArgumentNullException.ThrowIfNull(job);
        bool isInterrupted = job.Status == IngestJobStatus.Interrupted;
        return new ReportRow
        {
            Kind = ReportRowKind.Job,
            Outcome =
                job.Status == IngestJobStatus.Running ? ReportOutcome.Running
                : isInterrupted ? ReportOutcome.Failed
                : job.Failed > 0 ? ReportOutcome.PartlySucceeded
                : ReportOutcome.Succeeded,
            Status = job.Status.ToString(),
            Id = job.Id,
            Shortcode = job.Shortcode,
            Hierarchy = job.Hierarchy,
            Length = job.Bytes,
            Uploaded = job.Uploaded,
            Failed = job.Failed,
            Skipped = job.Skipped,
            StartedAt = job.StartedAt,
            CompletedAt = job.CompletedAt,
            Duration = job.CompletedAt - job.StartedAt,
            Message = isInterrupted ? "The job was stopped, or its process ended, before all files were sent." : null,
            Connection = job.Connection,
            Server = Address(job.Server),
        };
    }

    private static ReportRow Of(Transaction transaction, SubTransaction part) =>
        new()
        {
            Kind = ReportRowKind.TransactionItem,
            Outcome = ReportOutcome.Failed,
            Status = part.Status.ToString(),
            Id = transaction.Id,
            Name = string.Create(CultureInfo.InvariantCulture, $"{part.Sheet ?? part.Detail ?? part.Action} row {part.Row}"),
            FileName = transaction.FileName,
            Hierarchy = transaction.Hierarchy,
            ErrorId = IngestTools.ErrorId.ItemFailed,
            Message = Words(part.Message),
            Connection = transaction.Connection,
            Server = Address(transaction.Server),
        };

    private static ReportOutcome OutcomeOf(UploadStatus status) =>
        status switch
        {
            UploadStatus.Uploaded => ReportOutcome.Succeeded,
            UploadStatus.Failed => ReportOutcome.Failed,
            _ => ReportOutcome.Skipped,
        };

    private static ReportOutcome OutcomeOf(TransactionStatus status) =>
        status switch
        {
            TransactionStatus.Succeeded => ReportOutcome.Succeeded,
            TransactionStatus.PartlySucceeded => ReportOutcome.PartlySucceeded,
            TransactionStatus.Failed => ReportOutcome.Failed,
            TransactionStatus.Canceled => ReportOutcome.Canceled,
            TransactionStatus.Unknown => ReportOutcome.Unknown,
            _ => ReportOutcome.Running,
        };

    private static ErrorId? ErrorIdOf(ReportOutcome outcome, ErrorId failed) =>
        outcome switch
        {
            ReportOutcome.Failed or ReportOutcome.PartlySucceeded => failed,
            ReportOutcome.Unknown => IngestTools.ErrorId.OutcomeUnknown,
            _ => null,
        };

    /// <summary>A message. The server's words in it came without the connection's secrets; an object could come from elsewhere.</summary>
    internal static string? Words(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null : Redaction.EscapeControls(Redaction.HideSecrets(text));

    private static string? Address(string? server) => string.IsNullOrEmpty(server) ? null : Redaction.Of(server);
}
