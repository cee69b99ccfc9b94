using IngestTools.PowerShell.Connections;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Completion;

/// <summary>
/// Completes the names of schedules. The daemon is on this machine, so it is asked; if it does not answer at once, those that this session
/// has seen must do.
/// </summary>
public sealed class ScheduleCompleter : NameCompleter
{
    /// <summary>What a person at a keyboard does not take for a hang.</summary>
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);

    private protected override IEnumerable<string> Names(IngestSession session)
    {
        using CancellationTokenSource limit = new(TimeLimit);
        try
        {
            return Task.Run(() => ReadAsync(session.SchedulerSocket, limit.Token), limit.Token).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is IngestException or OperationCanceledException)
        {
            return session.Schedules.ToArray();
        }
    }

    private static async Task<List<string>> ReadAsync(string? socket, CancellationToken cancellationToken)
    {
        using SchedulerClient client = new(socket);
        List<string> names = [];
        await foreach (BulkLoadSchedule schedule in client.ReadSchedulesAsync([], cancellationToken).ConfigureAwait(false))
            names.Add(schedule.Name);
        return names;
    }
}
