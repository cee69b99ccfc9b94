using System.ComponentModel;
using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that speaks to a service.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class IngestCmdlet : AsyncCmdlet
{
    private IIngestJournal? _journal;
    private bool _isConnectionGiven;

    /// <summary>
    /// The connection, or its name. Without it: the newest of the service in this session, the saved default, or the environment's.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    [NameText(IsRefusedLater = true)]
    public virtual ConnectionArgument? Connection { get; set; }

    /// <summary>The base address of the server that an input object is of, as results and transactions have it.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, DontShow = true)]
    [AllowNull]
    public ServerArgument? Server { get; set; }

    /// <summary>The journal of this account, opened when it is first used; one that records nothing where it is turned off.</summary>
    private protected IIngestJournal Journal => _journal ??= IsJournalOff ? IngestJournal.Off : IngestJournal.Open();

    /// <summary>Whether the command line turns the journal off.</summary>
    private protected virtual bool IsJournalOff => false;

    /// <summary>Whether <see cref="Connection"/> stands on the command line, and did not come with an input object.</summary>
    private protected bool IsConnectionGiven => _isConnectionGiven;

    /// <summary>Without its journal a cmdlet sends nothing, whatever comes.</summary>
    private protected override bool IsSoForAll(IngestException error) => error.ErrorId == ErrorId.JournalUnavailable;

    /// <summary>What is known in this runspace.</summary>
    private protected IngestSession Session { get; } = IngestSession.Current;

    /// <summary>Notes what the command line says, before input objects say more.</summary>
    protected override void BeginProcessing() => _isConnectionGiven = MyInvocation.BoundParameters.ContainsKey(nameof(Connection));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _journal?.Dispose();
    }

    /// <summary>
    /// The connection to use for an input object; null where the object names one that cannot be used, which is written as an error.
    /// Where the object names none, that there is no connection is so for all objects, and ends the cmdlet.
    /// </summary>
    /// <param name="service">The service.</param>
    /// <param name="input">The input object.</param>
    /// <param name="named">The connection that the input object names, for where <see cref="Connection"/> says nothing.</param>
    /// <param name="server">The base address of the server that the input object is of; null where it does not say. A connection to another
    /// server is refused.</param>
    private protected IngestConnection? ResolveConnection(IngestService service, object input, string? named = null, string? server = null)
    {
        try
        {
            server ??= ServerOfInput();
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(input));
            return null;
        }

        if (Resolve(service, input, named, server) is not { } connection)
            return null;
        if (server is null || connection.Uri.AbsoluteUri == server)
            return connection;
        WriteError(IngestErrors.WrongServer(server, connection).ToErrorRecord(input));
        return null;
    }

    /// <summary>Asks whether something may be done at a server: what, where and at which server.</summary>
    /// <param name="connection">The connection to the server.</param>
    /// <param name="target">What it is done to.</param>
    /// <param name="action">What is done.</param>
    private protected bool ShouldProcessAt(IngestConnection connection, string target, string action) =>
        ShouldProcess($"{target} at {connection.Server}", action);

    /// <summary>The server that an input object says it is of; null where it does not say.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: what it says is not the base address of a server.</exception>
    private protected string? ServerOfInput() => Server?.ReadBaseAddress();

    private IngestConnection? Resolve(IngestService service, object input, string? named, string? server)
    {
        ConnectionArgument? argument = Connection ?? (string.IsNullOrEmpty(named) ? null : new ConnectionArgument(named));
        try
        {
            if (NameTextAttribute.WhyRefused(argument?.Name) is { } why)
                throw IngestErrors.Create(ErrorId.Rejected, why, "Give the connection's name as text.");
            IngestConnection? match =
                server is null || _isConnectionGiven ? null : Session.Connections.FindOf(service, server, argument?.Name, Log);
            return match ?? Session.Connections.Resolve(service, argument, Log);
        }
        catch (IngestException e) when (!_isConnectionGiven && argument is { Name.Length: > 0 })
        {
            WriteError(e.ToErrorRecord(input));
            return null;
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(Connection));
            throw;
        }
    }
}
