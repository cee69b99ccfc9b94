using Microsoft.Extensions.Logging;

namespace IngestTools.Journal;

/// <summary>Sends the request of a start between the two records that are kept of it.</summary>
internal static class JournalStarts
{
    /// <summary>Records the start, sends it, and records what came of it. A start whose answer is lost stays recorded as such.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="start">What is started.</param>
    /// <param name="send">Sends the request, and returns the transaction.</param>
    /// <param name="logger">The log.</param>
    /// <exception cref="IngestException">Those of the request; <see cref="ErrorId.JournalUnavailable"/> before anything is sent.</exception>
    public static async Task<Transaction> StartAsync(this IIngestJournal journal, JournaledStart start, Func<Task<Transaction>> send, ILogger logger)
    {
        long key = journal.BeginStart(start);
        Transaction started;
        try
        {
            started = await send().ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            if (e.ErrorId == ErrorId.OutcomeUnknown)
                journal.LoseStart(key, start.ManualCheck);
            else
                journal.CancelStart(key);
            throw;
        }
        catch (OperationCanceledException)
        {
            journal.LoseStart(key, start.ManualCheck);
            throw;
        }

        try
        {
            journal.EndStart(key, started);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            // The server has taken it, so its id must reach the caller. The record stays one whose answer was not seen.
            logger.LogWarning("{Transaction} was started, and the journal could not record it: {Reason}", started.Id, e.Message);
        }

        return started;
    }
}
