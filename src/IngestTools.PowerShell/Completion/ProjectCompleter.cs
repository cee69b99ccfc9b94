using System.Collections;
using IngestTools.PowerShell.Connections;
using IngestTools.Services.Ica;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes ids of ICA projects, by id or by name: those that were used, and those of the server.</summary>
public sealed class ProjectCompleter : NameCompleter
{
    private IReadOnlyDictionary<string, string> _names = new Dictionary<string, string>();

    private protected override IEnumerable<string> Names(IngestSession session) => session.Projects.ToArray();

    private protected override IEnumerable<string> Names(IngestSession session, IDictionary boundParameters)
    {
        _names = ServerList.Of(
            session,
            IngestService.Ica,
            boundParameters,
            "projects",
            static connection => new IcaClient(connection, ServerList.Silence).ListProjectsAsync(CancellationToken.None)
        );
        return Names(session).Union(_names.Keys);
    }

    private protected override bool IsMatch(string name, string typed) =>
        base.IsMatch(name, typed) || MeaningOf(name).Contains(typed, StringComparison.OrdinalIgnoreCase);

    private protected override string MeaningOf(string name) => _names.GetValueOrDefault(name, name);
}
