using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-IngestConnection: the connections of this session, newest first, or the saved profiles.</summary>
[Cmdlet(VerbsCommon.Get, "IngestConnection", DefaultParameterSetName = SessionSet)]
[OutputType(typeof(IngestConnection), ParameterSetName = [SessionSet])]
[OutputType(typeof(ConnectionProfile), ParameterSetName = [SavedSet])]
public sealed class GetIngestConnectionCommand : PSCmdlet
{
    private const string SessionSet = "Session";
    private const string SavedSet = "Saved";

    /// <summary>The names to list; wildcards are taken.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    [NameText]
    public string[] Name { get; set; } = ["*"];

    /// <summary>The services to list.</summary>
    [Parameter]
    public IngestService[]? Service { get; set; }

    /// <summary>Lists the saved profiles instead.</summary>
    [Parameter(Mandatory = true, ParameterSetName = SavedSet)]
    public SwitchParameter Saved { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        ConnectionTable connections = IngestSession.Current.Connections;
        if (Saved)
            List(ReadProfiles(connections), p => p.Name, p => p.Service);
        else
            List([.. connections.All.Reverse()], c => c.Name, c => c.Service);
    }

    private IReadOnlyList<ConnectionProfile> ReadProfiles(ConnectionTable connections)
    {
        try
        {
            return connections.ReadProfiles();
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
            throw;
        }
    }

    private void List<T>(IReadOnlyList<T> all, Func<T, string> nameOf, Func<T, IngestService> serviceOf)
    {
        foreach (string name in Name)
        {
            WildcardPattern pattern = new(name, WildcardOptions.IgnoreCase);
            T[] found = [.. all.Where(c => pattern.IsMatch(nameOf(c)) && (Service is null || Service.Contains(serviceOf(c))))];
            if (found.Length == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
                WriteError(ConnectionTable.NoSuchConnection(name).ToErrorRecord(name));
            WriteObject(found, enumerateCollection: true);
        }
    }
}
