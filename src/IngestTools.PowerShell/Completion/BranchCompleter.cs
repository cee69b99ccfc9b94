using System.Collections;
using IngestTools.PowerShell.Connections;
using IngestTools.Services.LakeFs;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes branches: those that were used, and those that the server has in the repository that was typed.</summary>
public sealed class BranchCompleter : NameCompleter
{
    private protected override IEnumerable<string> Names(IngestSession session) => session.Branches.ToArray();

    private protected override IEnumerable<string> Names(IngestSession session, IDictionary boundParameters) =>
        boundParameters["Repository"] is string { Length: > 0 } repository
            ? Names(session)
                .Union(
                    ServerList
                        .Of(
                            session,
                            IngestService.LakeFs,
                            boundParameters,
                            $"branches of {repository}",
                            async connection =>
                                ServerList.Plain(
                                    await new LakeFsClient(connection, ServerList.Silence)
                                        .ListBranchesAsync(repository, CancellationToken.None)
                                        .ConfigureAwait(false)
                                )
                        )
                        .Keys
                )
            : Names(session);
}
