using System.ComponentModel;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Scheduler;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that speaks to the scheduler.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class SchedulerCmdlet : AsyncCmdlet
{
    private SchedulerClient? _client;
    private bool _isWarned;

    /// <summary>What is known in this runspace.</summary>
    private protected IngestSession Session { get; } = IngestSession.Current;

    /// <summary>Speaks to the scheduler.</summary>
    private protected SchedulerClient Client =>
        _client ??= new SchedulerClient(Session.SchedulerSocket, ReadsStopped ? ReadStoppedAsync : null);

    /// <summary>Whether the store is read where the scheduler does not run: for cmdlets that change nothing.</summary>
    private protected virtual bool ReadsStopped => false;

    private async Task<Stream?> ReadStoppedAsync(string request, CancellationToken cancellationToken)
    {
        string? folder = Session.SchedulerFolder ?? SchedulerPlace.FolderOf(Client.Socket);
        if (folder is null || StoppedScheduler.TryOpen(folder, request) is not { } answer)
            return null;
        if (!_isWarned)
        {
            _isWarned = true;
            await PostWarningAsync(
                    $"The scheduler does not run. Its store in {folder} is read. Nothing is loaded until Start-IngestScheduler starts it.",
                    cancellationToken
                )
                .ConfigureAwait(false);
        }

        return answer;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _client?.Dispose();
    }

    /// <summary>That nobody listens does not change from one schedule to the next.</summary>
    private protected override bool IsSoForAll(IngestException error) => error.ErrorId == ErrorId.SchedulerNotRunning;
}
