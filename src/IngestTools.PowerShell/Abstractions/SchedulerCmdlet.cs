using System.ComponentModel;
using IngestTools.PowerShell.Connections;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that speaks to the scheduler.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class SchedulerCmdlet : AsyncCmdlet
{
    private SchedulerClient? _client;

    /// <summary>What is known in this runspace.</summary>
    private protected IngestSession Session { get; } = IngestSession.Current;

    /// <summary>Speaks to the scheduler.</summary>
    private protected SchedulerClient Client => _client ??= new SchedulerClient(Session.SchedulerSocket);

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
