using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Disconnect-IngestService: closes connections of this session, and forgets saved profiles.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "IngestService", DefaultParameterSetName = ConnectionSet, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class DisconnectIngestServiceCommand : PSCmdlet
{
    private const string ConnectionSet = "Connection";
    private const string ServiceSet = "Service";

    /// <summary>The connections, or their names; wildcards are taken.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ConnectionSet)]
    [Alias("Name")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    public ConnectionArgument[] Connection { get; set; } = [];

    /// <summary>The services whose connections are closed.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ServiceSet)]
    public IngestService[] Service { get; set; } = [];

    /// <summary>Removes the saved profiles too.</summary>
    [Parameter]
    public SwitchParameter Saved { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            if (ParameterSetName == ServiceSet)
                Disconnect(c => Service.Contains(c.Service), p => Service.Contains(p.Service));
            foreach (ConnectionArgument connection in Connection)
                Disconnect(connection);
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }
    }

    private void Disconnect(ConnectionArgument argument)
    {
        WildcardPattern name = new(argument.Name, WildcardOptions.IgnoreCase);
        bool found = argument.Connection is { } given
            ? Disconnect(c => c == given, p => IsSame(p, given))
            : Disconnect(c => name.IsMatch(c.Name), p => name.IsMatch(p.Name));
        if (!found && !WildcardPattern.ContainsWildcardCharacters(argument.Name))
            WriteError(ConnectionTable.NoSuchConnection(argument.Name).ToErrorRecord(argument));
    }

    private bool Disconnect(Func<IngestConnection, bool> isMeant, Func<ConnectionProfile, bool> isMeantProfile)
    {
        ConnectionTable connections = IngestSession.Current.Connections;
        IngestConnection[] open = [.. connections.All.Where(isMeant)];
        foreach (IngestConnection connection in open)
        {
            if (ShouldProcess(connection.Name, "Close connection"))
                connections.Remove(connection);
        }

        return (Saved && RemoveProfiles(connections, isMeantProfile)) || open.Length > 0;
    }

    private bool RemoveProfiles(ConnectionTable connections, Func<ConnectionProfile, bool> isMeant)
    {
        ConnectionProfile[] saved = [.. connections.ReadProfiles().Where(isMeant)];
        foreach (ConnectionProfile profile in saved)
        {
            if (ShouldProcess(profile.Name, "Remove saved profile"))
                new ProfileStore().Remove(profile.Name);
        }

        return saved.Length > 0;
    }

    private static bool IsSame(ConnectionProfile profile, IngestConnection connection) =>
        string.Equals(profile.Name, connection.Name, StringComparison.OrdinalIgnoreCase);
}
