using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Disconnect-IngestService: closes connections of this session, or deletes saved profiles.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "IngestService", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class DisconnectIngestServiceCommand : PSCmdlet
{
    private readonly ConnectionTable _connections = IngestSession.Current.Connections;

    /// <summary>The connections, or their names; wildcards are taken.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    [NameText]
    public ConnectionArgument[] Connection { get; set; } = [];

    /// <summary>Deletes the saved profiles of these names; connections of this session stay.</summary>
    [Parameter]
    public SwitchParameter Saved { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (ConnectionArgument argument in Connection)
        {
            try
            {
                bool found = Saved ? DeleteProfiles(argument) : Close(argument);
                if (!found && !WildcardPattern.ContainsWildcardCharacters(argument.Name))
                    WriteError(ConnectionTable.NoSuchConnection(argument.Name).ToErrorRecord(argument));
            }
            catch (IngestException e)
            {
                WriteError(e.ToErrorRecord(argument));
            }
        }
    }

    private bool Close(ConnectionArgument argument)
    {
        IngestConnection[] open = argument.Connection is { } given ? [given] : [.. _connections.All.Where(c => IsNamed(argument, c.Name))];
        foreach (IngestConnection connection in open)
        {
            if (
                ShouldProcess($"{connection.Name} to {connection.Server}", "Close connection")
                && _connections.Remove(connection) is { } next
            )
                WriteWarning(ConnectionTable.DescribeNext(next));
        }

        return open.Length > 0;
    }

    private bool DeleteProfiles(ConnectionArgument argument)
    {
        ConnectionProfile[] saved = [.. _connections.ReadProfiles().Where(p => IsNamed(argument, p.Name))];
        foreach (ConnectionProfile profile in saved)
        {
            if (
                ShouldProcess(
                    $"{profile.Name} to {IngestConnection.ServerOf(profile.ToSettings(SecretVault.ReadAsync)) ?? "no usable address"}",
                    "Delete saved profile"
                )
            )
                new ProfileStore().Remove(profile.Name);
        }

        return saved.Length > 0;
    }

    private static bool IsNamed(ConnectionArgument argument, string name) =>
        new WildcardPattern(argument.Name, WildcardOptions.IgnoreCase).IsMatch(name);
}
