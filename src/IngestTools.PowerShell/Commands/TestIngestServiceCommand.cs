using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Commands;

/// <summary>Test-IngestService: looks whether a service is there, takes the credentials, and allows what is wanted.</summary>
[Cmdlet(VerbsDiagnostic.Test, "IngestService", DefaultParameterSetName = ConnectionSet)]
[OutputType(typeof(ServiceReport))]
public sealed class TestIngestServiceCommand : AsyncCmdlet
{
    private const string ConnectionSet = "Connection";
    private const string ServiceSet = "Service";

    private readonly IngestSession _session = IngestSession.Current;

    /// <summary>The connections, or their names. Without it: the newest of this session, the saved default, or the environment's.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = ConnectionSet)]
    [Alias("Name")]
    [ArgumentCompleter(typeof(ConnectionCompleter))]
    public ConnectionArgument[]? Connection { get; set; }

    /// <summary>The services, each by the connection that would be used if none were named.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ServiceSet)]
    public IngestService[] Service { get; set; } = [];

    /// <summary>DSP-INGEST: a project, to look whether it may be used.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    public string? Shortcode { get; set; }

    /// <summary>VOSS: a node of the hierarchy, to look whether it may be used.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(HierarchyCompleter))]
    public string? Hierarchy { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            foreach (IngestConnection connection in FindConnections())
                Run(async token => await PostAsync(await ServiceCheck.RunAsync(connection, ScopeOf(connection.Service), Log, token).ConfigureAwait(false), token).ConfigureAwait(false));
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(Connection));
        }
    }

    /// <summary>What is to be used of a service, in its own terms.</summary>
    private string? ScopeOf(IngestService service) => service switch
    {
        IngestService.DspIngest => Shortcode,
        IngestService.Voss => Hierarchy,
        _ => null,
    };

    private IngestConnection[] FindConnections()
    {
        ConnectionTable connections = _session.Connections;
        if (ParameterSetName == ServiceSet)
            return [.. Service.Select(s => connections.Resolve(s, null, Log))];
        return Connection is null ? [connections.Resolve(Log)] : [.. Connection.Select(c => connections.Resolve(c, Log))];
    }
}
