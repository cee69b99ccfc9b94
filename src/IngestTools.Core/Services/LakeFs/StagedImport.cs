using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using IngestTools.Journal;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.LakeFs;

/// <summary>A staged import as it ended.</summary>
/// <param name="Transaction">The import; its branch is the one that it was merged into, or would have been.</param>
/// <param name="Error">Why it was not merged; null where it was.</param>
public sealed record StagedImportResult(Transaction Transaction, IngestException? Error);

/// <summary>
/// Imports into a branch of its own, and merges it when the import has brought what it should. Until then the branch that is meant stays as
/// it was.
/// </summary>
internal sealed class StagedImport(LakeFsClient client, LakeFsRoutes routes, IIngestJournal journal, ImportPlan plan)
{
    private const string NoChanges = "no changes";

    private ImportRequest Request => plan.Request;

    private string Where => $"{Request.Repository}/{Request.Branch}";

    public async Task<StagedImportResult> RunAsync(Action<Transaction>? seen, CancellationToken cancellationToken)
    {
        if (plan.Dialect == ImportDialect.Legacy)
            throw LakeFsErrors.Refused(
                "An import in the legacy dialect cannot be staged: it commits on a branch of its own as it is.",
                "Leave -Staged out, and merge that branch.",
                Where
            );
        string staging = NameBranch();
        await routes.CreateBranchAsync(Request.Repository, staging, Request.Branch, cancellationToken).ConfigureAwait(false);
        try
        {
            Transaction started = await client
                .StartAsync(plan with { Request = Request with { Branch = staging } }, cancellationToken)
                .ConfigureAwait(false);
            seen?.Invoke(started);
            (Transaction ended, IngestException? error) = await WaitAsync(started, seen, cancellationToken).ConfigureAwait(false);
            if (!ended.IsTerminal)
                return Stays(staging, ended, error);
            if (ended.Status != TransactionStatus.Succeeded)
                return await GiveUpAsync(staging, ended, cancellationToken).ConfigureAwait(false);
            return await MergeAsync(staging, ended, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            routes.Logger.LogWarning(
                "The import continues in the temporary branch {Repository}/{Branch}. Merge it or delete it.",
                Request.Repository,
                staging
            );
            throw;
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.OutcomeUnknown)
        {
            await TryDeleteAsync(staging, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A name that no other import has.</summary>
    private string NameBranch()
    {
        const int randomBytes = 4;
        string now = routes.Time.GetUtcNow().ToString(@"yyyyMMdd\THHmmss\Z", CultureInfo.InvariantCulture);
        return $"ingesttools-{now}-{Convert.ToHexString(RandomNumberGenerator.GetBytes(randomBytes)).ToLowerInvariant()}";
    }

    private async Task<(Transaction Transaction, IngestException? Error)> WaitAsync(
        Transaction started,
        Action<Transaction>? seen,
        CancellationToken cancellationToken
    )
    {
        Channel<WaitRequest> requests = Channel.CreateBounded<WaitRequest>(1);
        requests.Writer.TryWrite(new WaitRequest(started, TransactionSources.For(routes.Connection, routes.Logger, journal)));
        requests.Writer.Complete();
        Transaction last = started;
        IngestException? error = null;
        await foreach (
            WaitEvent happened in new TransactionWaiter(new WaitOptions(), routes.Logger, routes.Time)
                .WaitAsync(requests.Reader, cancellationToken)
                .ConfigureAwait(false)
        )
        {
            last = happened.Transaction;
            error = (happened as WaitEvent.Failed)?.Error ?? error;
            if (happened is WaitEvent.Seen)
                seen?.Invoke(last);
        }

        return (last, error);
    }

    private async Task<StagedImportResult> MergeAsync(string staging, Transaction ended, CancellationToken cancellationToken)
    {
        string message = string.IsNullOrEmpty(Request.Message) ? ImportRequest.DefaultMessage : Request.Message;
        MergeCreation merge = new(message, Request.Metadata is { Count: > 0 } metadata ? metadata : null);
        string? commit;
        try
        {
            commit = await routes.MergeAsync(Request.Repository, staging, Request.Branch, merge, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
            when (e.ErrorId == ErrorId.Rejected && e.ServerMessage?.Contains(NoChanges, StringComparison.OrdinalIgnoreCase) == true)
        {
            commit = (await routes.GetBranchAsync(Request.Repository, Request.Branch, cancellationToken).ConfigureAwait(false)).CommitId;
        }
        catch (IngestException e)
        {
            return Stays(staging, ended, e);
        }

        await TryDeleteAsync(staging, cancellationToken).ConfigureAwait(false);
        return new StagedImportResult(ended with { Branch = Request.Branch, CommitId = commit }, null);
    }

    /// <summary>What the import did on its own branch does not matter any more.</summary>
    private async Task<StagedImportResult> GiveUpAsync(string staging, Transaction ended, CancellationToken cancellationToken)
    {
        await TryDeleteAsync(staging, cancellationToken).ConfigureAwait(false);
        string objects =
            ended.ServerStatus == ImportTransactions.CompletedWord
                ? $"it brought {ended.Completed ?? 0:N0} objects, and {Request.MinimumObjects ?? 1:N0} are the minimum"
                : ended.Message ?? "the server gives no reason";
        Transaction told = ended with
        {
            Branch = Request.Branch,
            CommitId = null,
            Message = $"The import was not merged: {objects.TrimEnd('.')}. {Where} is as it was.",
        };
        return new StagedImportResult(told, ErrorOf(told, "Check the source, then start the import again."));
    }

    /// <summary>The temporary branch has what was imported.</summary>
    private StagedImportResult Stays(string staging, Transaction ended, IngestException? error)
    {
        string why = error?.Message.TrimEnd('.') ?? "it has not ended";
        Transaction told = ended with
        {
            Branch = Request.Branch,
            Status = ended.IsTerminal ? TransactionStatus.Failed : ended.Status,
            Message = $"The import was not merged: {why}. {Where} is as it was; the temporary branch {staging} has the import.",
        };
        return new StagedImportResult(
            told,
            ErrorOf(
                told,
                $"Merge it: lakectl merge lakefs://{Request.Repository}/{staging} lakefs://{Where}. Or delete it: lakectl branch "
                    + $"delete lakefs://{Request.Repository}/{staging}"
            )
        );
    }

    private static IngestException ErrorOf(Transaction ended, string advice) =>
        new(ErrorId.TransactionFailed, $"{ended.Id}: {ended.Message}")
        {
            Service = IngestService.LakeFs,
            Operation = "import",
            Advice = advice,
            Target = ended.Id,
        };

    private async Task TryDeleteAsync(string staging, CancellationToken cancellationToken)
    {
        try
        {
            await routes.DeleteBranchAsync(Request.Repository, staging, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            routes.Logger.LogWarning(
                "The temporary branch {Repository}/{Branch} is left over. {Reason}",
                Request.Repository,
                staging,
                e.Message
            );
        }
    }
}
