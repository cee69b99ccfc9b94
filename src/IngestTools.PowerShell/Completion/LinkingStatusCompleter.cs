using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the statuses of items of linking batches, those first that are looked for most. The service may add others.</summary>
public sealed class LinkingStatusCompleter : NameCompleter
{
    private static readonly string[] Statuses =
    [
        "FAILED",
        "PARTIALLY_LINKED",
        "LINKED",
        "ALREADY_LINKED",
        "INITIALISED",
        "WAITING_RESOURCES",
        "RUNNING",
    ];

    private protected override IEnumerable<string> Names(IngestSession session) => Statuses;
}
