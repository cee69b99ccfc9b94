using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.PowerShell.Sandbox;

namespace IngestTools.PowerShell.Connections;

/// <summary>
/// What the module knows in one runspace. Runspaces share nothing, so that parallel pipelines do not use each other's credentials by
/// accident.
/// </summary>
internal sealed class IngestSession
{
    private static readonly ConditionalWeakTable<Runspace, IngestSession> Sessions = new();

    private int _lastActivity;

    private IngestSession() { }

    /// <summary>The session of the runspace whose thread this is.</summary>
    internal static IngestSession Current => Sessions.GetValue(Runspace.DefaultRunspace, Begin);

    /// <summary>The connections, newest last.</summary>
    internal ConnectionTable Connections { get; } = new();

    /// <summary>Shortcodes that were seen, to be completed.</summary>
    internal RecentNames Shortcodes { get; } = new();

    /// <summary>Ids of ICA projects that were seen, to be completed.</summary>
    internal RecentNames Projects { get; } = new();

    /// <summary>lakeFS repositories that were seen, to be completed.</summary>
    internal RecentNames Repositories { get; } = new();

    /// <summary>Their branches that were seen, to be completed.</summary>
    internal RecentNames Branches { get; } = new();

    /// <summary>Nodes of hierarchies that were seen, to be completed.</summary>
    internal RecentNames Hierarchies { get; } = new();

    /// <summary>The lists of names that the server of a connection was asked for, to be completed.</summary>
    internal ConditionalWeakTable<IngestConnection, NameLists> ServerLists { get; } = new();

    /// <summary>Ids of transactions that were seen, to be completed.</summary>
    internal RecentNames Transactions { get; } = new();

    /// <summary>Names of schedules that were seen, to be completed.</summary>
    internal RecentNames Schedules { get; } = new();

    /// <summary>Where the scheduler listens that this session started in a folder of its own; null is the usual place.</summary>
    internal string? SchedulerSocket { get; set; }

    /// <summary>The folder of the scheduler that this session started in a folder of its own; null is the usual place.</summary>
    internal string? SchedulerFolder { get; set; }

    /// <summary>The sandboxes that were started and not stopped.</summary>
    internal List<IngestSandbox> Sandboxes { get; } = [];

    /// <summary>The options that a sandbox takes, once they were completed.</summary>
    internal Task<IReadOnlyList<SandboxOption>>? SandboxOptions { get; set; }

    /// <summary>The log that Start-IngestLog or INGESTTOOLS_LOG began; null where there is none.</summary>
    internal LogFile? Log { get; set; }

    /// <summary>Whether INGESTTOOLS_LOG was looked at.</summary>
    internal bool IsLogVariableRead { get; set; }

    /// <summary>Closes what the runspace of this thread opened.</summary>
    internal static void CloseCurrent()
    {
        if (Runspace.DefaultRunspace is not { } runspace || !Sessions.TryGetValue(runspace, out IngestSession? session))
            return;
        Sessions.Remove(runspace);
        session.Close();
    }

    /// <summary>A number for a progress bar that no other bar of this session has.</summary>
    internal int NextActivity() => Interlocked.Increment(ref _lastActivity);

    /// <summary>Remembers a transaction, so that its id and its project can be completed.</summary>
    internal void Remember(Transaction transaction)
    {
        Transactions.Add(transaction.Id);
        Shortcodes.Add(transaction.Shortcode);
        Projects.Add(transaction.ProjectId);
        Repositories.Add(transaction.Repository);
        Branches.Add(transaction.Branch);
        Hierarchies.Add(transaction.Hierarchy);
    }

    private static IngestSession Begin(Runspace runspace)
    {
        IngestSession session = new();
        runspace.StateChanged += (_, change) =>
        {
            if (change.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken)
                session.Close();
        };
        return session;
    }

    private void Close()
    {
        foreach (IngestSandbox sandbox in Sandboxes)
            sandbox.Stop();
        Sandboxes.Clear();
        Connections.Clear();
        Log?.Dispose();
        Log = null;
    }
}
