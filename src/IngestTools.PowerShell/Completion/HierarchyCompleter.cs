using System.Collections;
using IngestTools.PowerShell.Connections;
using IngestTools.Services.Voss;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes nodes of a hierarchy: those that were used, and those of the server.</summary>
public sealed class HierarchyCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Hierarchies.ToArray();

    private protected override IEnumerable<string> Names(IngestSession session, IDictionary boundParameters) =>
        Names(session)
            .Union(
                ServerList
                    .Of(
                        session,
                        IngestService.Voss,
                        boundParameters,
                        "hierarchies",
                        static async connection =>
                            ServerList.Plain(
                                await new VossClient(connection, ServerList.Silence)
                                    .ListHierarchiesAsync(CancellationToken.None)
                                    .ConfigureAwait(false)
                            )
                    )
                    .Keys
            );
}
