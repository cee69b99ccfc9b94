using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>What the server said before the first file.</summary>
/// <param name="Closed">Why every file would fail; null where files can be sent.</param>
/// <param name="IsKnownUpToDate">Whether the journal has what the server has done with the files since.</param>
internal readonly record struct TargetCheck(IngestException? Closed, bool IsKnownUpToDate)
{
    /// <summary>Asks the server. An error that is not about every file is a warning.</summary>
    /// <param name="target">The target.</param>
    /// <param name="journal">The journal.</param>
    /// <param name="known">What it knows of the target's files; null where nothing is recorded.</param>
    /// <param name="then">What happens to the files nevertheless: "sent".</param>
    /// <param name="logger">Takes the warning.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<TargetCheck> RunAsync(
        IUploadTarget target,
        IIngestJournal journal,
        IPlaceJournal? known,
        string then,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return new TargetCheck(null, await target.PrepareAsync(journal, known, cancellationToken).ConfigureAwait(false));
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable && TargetFailure.IsForEveryFile(e))
        {
            return new TargetCheck(e, IsKnownUpToDate: true);
        }
        catch (IngestException e) when (e.ErrorId != ErrorId.JournalUnavailable)
        {
            logger.LogWarning(
                "{Target} could not be checked before the first file. The files are {Then} nevertheless. {Reason}",
                target.Description,
                then,
                e.Message
            );
            return new TargetCheck(null, IsKnownUpToDate: true);
        }
    }
}
