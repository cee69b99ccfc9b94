using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>Imports as transactions.</summary>
internal sealed class ImportTransactions(LakeFsRoutes routes) : ITransactionSource
{
    /// <summary>Servers before v1.74 return the id before they have recorded the import.</summary>
    private static readonly TimeSpan RecordTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The server writes the status each second. So long without that is a server that was restarted, and left the import behind.
    /// </summary>
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);

    /// <summary>Clocks differ by less: a status as old as this has been given up, whoever's clock is right.</summary>
    private static readonly TimeSpan OldAge = TimeSpan.FromHours(1);

    /// <summary>An id whose time is further from ours was not made just now.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromMinutes(2);

    /// <summary>A server checks for a cancellation each second, and shows a commit up to two seconds late.</summary>
    private static readonly TimeSpan CancelTime = TimeSpan.FromSeconds(2);

    /// <summary>What stands for the server's word of an import that ended well.</summary>
    public const string CompletedWord = "completed";

    /// <summary>All that the server says of a cancellation. Its libraries say more, also with this word, of walks that broke off.</summary>
    private const string CanceledWord = "Canceled";

    /// <summary>The server writes the status each second; peers of ours look every 2 to 5 s.</summary>
    public TimeSpan LongestPause => TimeSpan.FromSeconds(5);

    private TimeProvider Time => routes.Time;

    public static Transaction Describe(ImportId id, IngestConnection? connection) =>
        new()
        {
            Id = id.ToString(),
            Kind = TransactionKind.Import,
            Status = TransactionStatus.Unknown,
            Unit = "objects",
            Repository = id.Repository,
            Branch = id.Branch,
            ImportId = id.Import,
            StartedAt = id.MadeAt,
            Connection = connection?.Name,
            Server = connection?.Uri.AbsoluteUri,
        };

    /// <remarks>
    /// lakeFS, GET /repositories/{repository}/branches/{branch}/import. An import that failed is answered with 200 and an error in the
    /// body.
    /// </remarks>
    public async Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ImportWatch watch = transaction.Expectation as ImportWatch ?? new ImportWatch();
        Transaction seen = transaction with
        {
            SeenAt = Time.GetUtcNow(),
            Connection = routes.Connection.Name,
            Server = routes.Connection.Uri.AbsoluteUri,
        };
        try
        {
            ImportStatusAnswer status = await routes.GetStatusAsync(ImportId.Of(transaction), cancellationToken).ConfigureAwait(false);
            Transaction read = Read(
                seen with
                {
                    Completed = status.IngestedObjects ?? status.ImportProgress ?? seen.Completed,
                },
                status,
                watch
            );
            return read.Status == TransactionStatus.Succeeded && string.IsNullOrEmpty(status.ImportBranch)
                ? await CheckObjectsAsync(read, status, cancellationToken).ConfigureAwait(false)
                : read;
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return NotThere(seen, watch, e);
        }
    }

    /// <summary>The server names no items: an import succeeds or fails as a whole.</summary>
    public async IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(
        Transaction transaction,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }

    public string ListCommand(Transaction transaction) => $"Get-Transaction {transaction.Id} | Format-List";

    /// <summary>
    /// Looks first: a cancellation would write over the error of an import that has failed. And looks afterwards: one that comes in the
    /// import's last second is reported as a cancellation, although the commit is on the branch.
    /// </summary>
    /// <remarks>
    /// lakeFS, DELETE /repositories/{repository}/branches/{branch}/import: 204 says that it was noted, 409 that the import had completed.
    /// </remarks>
    public async Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        ImportId id = ImportId.Of(transaction);
        Transaction seen = await LookUntilThereAsync(transaction, cancellationToken).ConfigureAwait(false);
        if (seen.Status == TransactionStatus.Unknown)
        {
            throw new IngestException(ErrorId.NotFound, $"{seen.Id} cannot be canceled: {seen.Message}")
            {
                Service = IngestService.LakeFs,
                Operation = "cancel the import",
                Advice = "Check the id.",
                Target = seen.Id,
            };
        }

        if (seen.IsTerminal)
            return seen;

        try
        {
            await routes.CancelAsync(id, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Conflict)
        {
            Transaction completed = await LookAsync(seen, cancellationToken).ConfigureAwait(false);
            return completed with { Message = $"It had completed before it could be canceled. {completed.Message}".TrimEnd() };
        }

        await Task.Delay(CancelTime, Time, cancellationToken).ConfigureAwait(false);
        Transaction after = await LookAsync(seen, cancellationToken).ConfigureAwait(false);
        return after.Status == TransactionStatus.Canceled
            ? await LookForCommitAsync(after, id, cancellationToken).ConfigureAwait(false)
            : after;
    }

    /// <summary>
    /// An import that brings nothing replaces all that was there by nothing, and ends as completed: a mistyped source is enough. What it
    /// deleted is in the commit before.
    /// </summary>
    private async Task<Transaction> CheckObjectsAsync(Transaction completed, ImportStatusAnswer status, CancellationToken cancellationToken)
    {
        long? minimum = completed.MinimumObjects;
        long objects = completed.Completed ?? 0;
        if (objects >= (minimum ?? 1))
            return completed;
        string brought = objects == 0 ? "It brought no object" : $"It brought {objects:N0} objects, and {minimum:N0} are the minimum";
        string? before = status.Commit?.Parents is [{ } parent, ..] ? parent : null;
        (long removed, bool hasMore)? deleted = await TryCountDeletedAsync(
                completed.Repository!,
                before,
                status.Commit?.Id,
                cancellationToken
            )
            .ConfigureAwait(false);
        if (minimum is null && deleted is (0, false))
            return completed with { Message = $"{brought}, and deleted none. {completed.Message}".TrimEnd() };
        if (minimum is null && deleted is null)
            return completed with { Message = $"{brought}. Whether it deleted any could not be found out." };
        string branch = $"{completed.Repository}/{completed.Branch}";
        string gone = deleted switch
        {
            null => $"How many it deleted on {branch} could not be found out.",
            (0, false) => $"It deleted none on {branch}.",
            (1, false) => $"It deleted 1 object on {branch}.",
            var (count, isMore) => $"It deleted {count:N0}{(isMore ? " or more" : "")} objects on {branch}.",
        };
        string back =
            before is null || deleted is (0, false)
                ? ""
                : $" The commit before, {before}, has them. To get them back: lakectl branch revert lakefs://{branch} {status.Commit!.Id}";
        return completed with { Status = TransactionStatus.Failed, Message = $"{brought}. {gone}{back}" };
    }

    private async Task<(long Removed, bool HasMore)?> TryCountDeletedAsync(
        string repository,
        string? before,
        string? after,
        CancellationToken cancellationToken
    )
    {
        if (before is null || after is null)
            return null;
        try
        {
            DiffAnswer diff = await routes.DiffAsync(repository, before, after, cancellationToken).ConfigureAwait(false);
            return (diff.Results?.Count(entry => entry.Type == "removed") ?? 0, diff.Pagination?.HasMore == true);
        }
        catch (IngestException e)
        {
            routes.Logger.LogWarning("What the import {After} deleted cannot be looked at. {Reason}", after, e.Message);
            return null;
        }
    }

    private Transaction Read(Transaction seen, ImportStatusAnswer status, ImportWatch watch)
    {
        if (status.Completed == true)
        {
            return Ended(seen, status) with
            {
                Status = TransactionStatus.Succeeded,
                ServerStatus = CompletedWord,
                CommitId = status.Commit?.Id,
                MetaRangeId = status.MetaRangeId ?? seen.MetaRangeId,
                Message = string.IsNullOrEmpty(status.ImportBranch)
                    ? null
                    : $"The commit is on the branch '{status.ImportBranch}': merge it into '{seen.Branch}', which is as it was.",
            };
        }

        if (status.Error is { } error)
        {
            bool isCanceled = error.Message?.Trim() == CanceledWord;
            return Ended(seen, status) with
            {
                Status = isCanceled ? TransactionStatus.Canceled : TransactionStatus.Failed,
                ServerStatus = isCanceled ? CanceledWord : "error",
                Message = routes.Door.Words(error.Message) ?? "the server gives no reason",
            };
        }

        return GoingOn(seen, status, watch);
    }

    /// <summary>
    /// The end by the server's clock, but not before the start nor after now by this one: clocks differ, and an import never took less than
    /// nothing.
    /// </summary>
    private static Transaction Ended(Transaction seen, ImportStatusAnswer status)
    {
        DateTimeOffset now = seen.SeenAt!.Value;
        DateTimeOffset ended = status.UpdateTime is { } update && update < now ? update : now;
        return seen with { CompletedAt = (seen.SubmittedAt ?? seen.StartedAt) is { } began && ended < began ? now : ended };
    }

    private Transaction GoingOn(Transaction seen, ImportStatusAnswer status, ImportWatch watch)
    {
        long now = Time.GetTimestamp();
        bool hasMoved = watch.UpdateTime is null || status.UpdateTime != watch.UpdateTime;
        long since = hasMoved ? now : watch.StandsSince;
        TimeSpan stood = Time.GetElapsedTime(since, now);
        if (status.UpdateTime is { } update && seen.SeenAt - update > OldAge)
            stood = seen.SeenAt!.Value - update;
        bool isStalled = stood >= StallLimit;
        if (isStalled && !watch.IsStallTold)
            routes.Logger.LogWarning(
                "{Id} is stalled: the server has not written its status for {Time}. A server that was restarted never updates them again.",
                seen.Id,
                Brief(stood)
            );
        return seen with
        {
            Status = TransactionStatus.Running,
            ServerStatus = isStalled ? "stalled" : "in progress",
            Message = isStalled
                ? $"The server has not written its status for {Brief(stood)}. It may have been restarted, and then this import never "
                    + $"ends: cancel it, and start it again."
                : RateOf(seen, watch, now),
            Expectation = watch with
            {
                MissedSince = 0,
                UpdateTime = status.UpdateTime,
                StandsSince = since,
                IsStallTold = isStalled,
                Objects = seen.Completed,
                SeenAt = now,
            },
        };
    }

    /// <summary>There is no total, so progress is reported as a rate.</summary>
    private string? RateOf(Transaction seen, ImportWatch watch, long now)
    {
        if (
            watch.Objects is not { } before
            || seen.Completed is not { } objects
            || Time.GetElapsedTime(watch.SeenAt, now) is not { TotalSeconds: > 0 } passed
        )
            return null;
        return objects > before ? $"{(objects - before) / passed.TotalSeconds:N0} objects/s"
            : objects > 0 ? "The objects are counted; ranges and the commit are being written."
            : null;
    }

    /// <summary>Just after the start this is normal; later nothing more can be known.</summary>
    private Transaction NotThere(Transaction seen, ImportWatch watch, IngestException error)
    {
        long since = watch.MissedSince == 0 ? Time.GetTimestamp() : watch.MissedSince;
        if (WasJustStarted(seen, watch) && Time.GetElapsedTime(since) < RecordTimeout)
        {
            return seen with
            {
                Status = TransactionStatus.Queued,
                ServerStatus = "404",
                Message = "The server has not written it down yet.",
                Expectation = watch with { MissedSince = since },
            };
        }

        return seen with
        {
            Status = TransactionStatus.Unknown,
            ServerStatus = "404",
            CompletedAt = seen.CompletedAt ?? Time.GetUtcNow(),
            Message =
                $"The server does not know it ({error.ServerMessage ?? error.Message}): it ended more than a day ago, or never "
                + $"existed. The branch's commits tell whether it succeeded.",
        };
    }

    /// <summary>Once it was seen with a status it is there, and what is gone then is gone.</summary>
    private bool WasJustStarted(Transaction seen, ImportWatch watch)
    {
        if (seen.Status == TransactionStatus.Running)
            return false;
        if (watch.AnsweredAt != 0)
            return Time.GetElapsedTime(watch.AnsweredAt) < RecordTimeout;
        DateTimeOffset now = Time.GetUtcNow();
        return seen.SubmittedAt is { } submitted
            ? now - submitted < RecordTimeout
            : seen.StartedAt is { } made && (now - made).Duration() < ClockDifference;
    }

    private static string Brief(TimeSpan time) =>
        time.TotalMinutes < 2 ? $"{time.TotalSeconds:N0} s"
        : time.TotalHours < 2 ? $"{time.TotalMinutes:N0} min"
        : $"{time.TotalHours:N0} h";

    private async Task<Transaction> LookUntilThereAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        Transaction seen = await LookAsync(transaction, cancellationToken).ConfigureAwait(false);
        for (TimeSpan pause = PollPause.First / 4; seen.Status == TransactionStatus.Queued; pause = PollPause.Next(pause, PollPause.First))
        {
            await Task.Delay(pause, Time, cancellationToken).ConfigureAwait(false);
            seen = await LookAsync(seen, cancellationToken).ConfigureAwait(false);
        }

        return seen;
    }

    /// <summary>
    /// The branch's last commit may be the import's, which the status does not say. A newer one is reported, also with the import's
    /// message: messages are no proof, since those who import each night give the same one each time. One with another message is not the
    /// import's.
    /// </summary>
    private async Task<Transaction> LookForCommitAsync(Transaction canceled, ImportId id, CancellationToken cancellationToken)
    {
        ImportWatch watch = canceled.Expectation as ImportWatch ?? new ImportWatch();
        if (await TryReadHeadAsync(id, watch.HeadBefore, cancellationToken).ConfigureAwait(false) is not { } head)
            return canceled;
        bool isNewer = id.MadeAt is not { } made || head.CreationDate is not { } created || created >= made.ToUnixTimeSeconds();
        if (!isNewer || (watch.CommitMessage is not null && watch.CommitMessage != head.Message))
            return canceled;
        routes.Logger.LogWarning(
            "{Id} was canceled, perhaps too late: the branch has a newer commit, {Commit}. Look whether it is the import's.",
            id,
            head.Id
        );
        string which = watch.CommitMessage is null ? "" : ", with the import's message";
        return canceled with
        {
            Message = $"{canceled.Message}. The branch has a newer commit, {head.Id}{which}: look whether it is the import's.",
        };
    }

    /// <summary>
    /// The last commit of the branch that the import commits to; null where there is none since the start, or it cannot be looked at.
    /// </summary>
    private async Task<CommitAnswer?> TryReadHeadAsync(ImportId id, string? before, CancellationToken cancellationToken)
    {
        string branch = id.IsLegacy ? $"_{id.Branch}_imported" : id.Branch;
        try
        {
            string? head = (await routes.GetBranchAsync(id.Repository, branch, cancellationToken).ConfigureAwait(false)).CommitId;
            return head is null || head == before
                ? null
                : await routes.GetCommitAsync(id.Repository, head, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            // The legacy dialect makes its branch with the first import.
            if (!id.IsLegacy || e.ErrorId != ErrorId.NotFound)
                routes.Logger.LogWarning(
                    "Whether {Id} reached its branch before it was canceled cannot be looked at. {Reason}",
                    id,
                    e.Message
                );
            return null;
        }
    }
}
