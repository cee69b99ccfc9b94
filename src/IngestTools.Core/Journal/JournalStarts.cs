using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Journal;

/// <summary>Sends the request of a start between the two records that are kept of it.</summary>
internal static class JournalStarts
{
    /// <summary>Records the start, sends it, and records the outcome. A start whose answer is lost stays recorded as such.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="start">What is started.</param>
    /// <param name="send">Sends the request, and returns the transaction.</param>
    /// <param name="logger">The log.</param>
    /// <param name="admit">
    /// Checks, by the key of the record, whether the start may be sent; null allows it. What is checked here cannot change meanwhile: of
    /// two processes that start the same, the later one finds the record of the earlier one.
    /// </param>
    /// <exception cref="IngestException">Those of the request and of the check; <see cref="ErrorId.JournalUnavailable"/> before anything is
    /// sent.</exception>
    public static async Task<Transaction> StartAsync(
        this IIngestJournal journal,
        JournaledStart start,
        Func<Task<Transaction>> send,
        ILogger logger,
        Func<long, Task>? admit = null
    )
    {
        long key = journal.BeginStart(start);
        Transaction started;
        bool isSending = false;
        try
        {
            if (admit is not null)
                await admit(key).ConfigureAwait(false);
            isSending = true;
            started = await send().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (isSending && MayHaveActed(e))
                TryRecord(() => journal.LoseStart(key, start.ManualCheck), start, logger);
            else
                TryRecord(() => journal.CancelStart(key), start, logger);
            throw;
        }

        // The server has taken it, so its id must reach the caller. Where it cannot be recorded, the record stays one whose answer was not
        // seen.
        TryRecord(() => journal.EndStart(key, started), start, logger);
        return started;
    }

    /// <summary>Whether the server may have taken a start that ended with an exception.</summary>
    private static bool MayHaveActed(Exception exception) =>
        exception switch
        {
            IngestException e => e.ErrorId == ErrorId.OutcomeUnknown,
            NotSentException => false,
            _ => true,
        };

    private static void TryRecord(Action record, JournaledStart start, ILogger logger)
    {
        try
        {
            record();
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            logger.LogWarning(
                "What came of the start of {Kind} at {Place} could not be recorded: {Reason}",
                start.Kind,
                start.Place.Name,
                e.Message
            );
        }
    }
}
