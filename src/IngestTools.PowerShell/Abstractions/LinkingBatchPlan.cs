using IngestTools.Connections;
using IngestTools.PowerShell.Connections;
using IngestTools.Services.Ica;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>What is to be done next: a batch is to be sent, or the first one of a connection prepared.</summary>
/// <param name="Connection">Where to.</param>
/// <param name="Content">The ids; null while they are still collected.</param>
internal sealed record LinkingBatchPlan(IngestConnection Connection, LinkingBatchContent? Content);

/// <summary>A project that ids are collected for, and the words by which the input names it.</summary>
internal sealed class LinkingBatchTarget(IngestConnection connection, LinkingBatchCollector collector)
{
    private string? _connectionName;
    private string? _server;
    private string? _projectId;

    internal IngestConnection Connection { get; } = connection;

    internal LinkingBatchCollector Collector { get; } = collector;

    /// <summary>
    /// Whether an input object names this project, as the last one did: looking that up for each of a million ids would take longer than
    /// all else.
    /// </summary>
    internal bool IsFor(ConnectionArgument? connection, ServerArgument? server, string? projectId) =>
        connection?.Name == _connectionName && server?.Address == _server && projectId == _projectId;

    internal void Remember(ConnectionArgument? connection, ServerArgument? server, string? projectId)
    {
        _connectionName = connection?.Name;
        _server = server?.Address;
        _projectId = projectId;
    }
}
