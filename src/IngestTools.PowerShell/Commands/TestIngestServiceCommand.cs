using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.Ica;

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
    [NameText]
    public ConnectionArgument[]? Connection { get; set; }

    /// <summary>The services, each by the connection that would be used if none were named.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ServiceSet)]
    public IngestService[] Service { get; set; } = [];

    /// <summary>DSP-INGEST: a project, to look whether it may be used.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string? Shortcode { get; set; }

    /// <summary>ICA: a project, to look whether it may be seen.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ProjectCompleter))]
    [NameText]
    public string? ProjectId { get; set; }

    /// <summary>lakeFS: a repository, to look whether it can be seen and is not read-only.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    [NameText]
    public string? Repository { get; set; }

    /// <summary>VOSS: a node of the hierarchy, to look whether it may be used.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(HierarchyCompleter))]
    [NameText]
    public string? Hierarchy { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            foreach (IngestConnection connection in FindConnections())
                Run(async token =>
                    await PostAsync(
                            await ServiceCheck.RunAsync(connection, ScopeOf(connection.Service), Log, token).ConfigureAwait(false),
                            token
                        )
                        .ConfigureAwait(false)
                );
        }
        catch (IngestException e)
        {
            WriteError(e.ToErrorRecord(Connection));
        }
    }

    /// <summary>What is to be used of a service, in its own terms.</summary>
    private string? ScopeOf(IngestService service) =>
        service switch
        {
            IngestService.DspIngest => Shortcode,
            IngestService.Ica => ProjectId ?? IcaClient.DefaultProjectId,
            IngestService.LakeFs => Repository,
            IngestService.Voss => Hierarchy,
            _ => null,
        };

    /// <summary>The service that what is to be used belongs to; null where nothing is named.</summary>
    private IngestService? ServiceOfScope() =>
        (Shortcode, ProjectId, Repository, Hierarchy) switch
        {
            (not null, _, _, _) => IngestService.DspIngest,
            (_, not null, _, _) => IngestService.Ica,
            (_, _, not null, _) => IngestService.LakeFs,
            (_, _, _, not null) => IngestService.Voss,
            _ => null,
        };

    private IngestConnection[] FindConnections()
    {
        ConnectionTable connections = _session.Connections;
        if (ParameterSetName == ServiceSet)
            return [.. Service.Select(s => connections.Resolve(s, null, Log))];
        if (Connection is not null)
            return [.. Connection.Select(c => connections.Resolve(c, Log))];
        return [ServiceOfScope() is { } service ? connections.Resolve(service, null, Log) : connections.Resolve(Log)];
    }
}
