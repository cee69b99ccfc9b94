using System.Collections;
using IngestTools.PowerShell.Connections;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes repositories: those that were used, and those of the server.</summary>
public sealed class RepositoryCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Repositories.ToArray();

    private protected override IEnumerable<string> Names(IngestSession session, IDictionary boundParameters) =>
        Names(session)
            .Union(
                ServerList
                    .Of(
                        session,
                        IngestService.LakeFs,
                        boundParameters,
                        "repositories",
                        static async connection =>
                            ServerList.Plain(
                                await new LakeFsClient(connection, ServerList.Silence)
                                    .ListRepositoriesAsync(CancellationToken.None)
                                    .ConfigureAwait(false)
                            )
                    )
                    .Keys
            );
}
