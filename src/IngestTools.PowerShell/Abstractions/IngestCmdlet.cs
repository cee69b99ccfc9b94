using System.ComponentModel;
using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that speaks to a service.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class IngestCmdlet : AsyncCmdlet
{
    /// <summary>The connection, or its name. Without it: the newest of the service in this session, the saved default, or the environment's.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    public virtual ConnectionArgument? Connection { get; set; }

    /// <summary>What is known in this runspace.</summary>
    private protected IngestSession Session { get; } = IngestSession.Current;

    /// <summary>The connection to use for an input object.</summary>
    /// <param name="service">The service.</param>
    /// <param name="named">The connection that the input object names, for where <see cref="Connection"/> says nothing.</param>
    private protected IngestConnection ResolveConnection(IngestService service, string? named = null)
    {
        try
        {
            ConnectionArgument? argument = Connection ?? (string.IsNullOrEmpty(named) ? null : new ConnectionArgument(named));
            return Session.Connections.Resolve(service, argument, Log);
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(Connection));
            throw;
        }
    }

    /// <summary>Runs work for one input object. If it fails, that is written as an error, and the next object has its turn.</summary>
    private protected void RunFor(object? input, Func<CancellationToken, Task> work)
    {
        try
        {
            Run(work);
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(input));
        }
    }
}
