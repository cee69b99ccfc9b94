using System.Management.Automation;
using IngestTools.Journal;
using IngestTools.Logging;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Formatting;

namespace IngestTools.PowerShell.Commands;

/// <summary>Clear-IngestJournal: deletes records of the journal. Files whose records are deleted are sent again.</summary>
[Cmdlet(
    VerbsCommon.Clear,
    "IngestJournal",
    DefaultParameterSetName = ProjectSet,
    SupportsShouldProcess = true,
    ConfirmImpact = ConfirmImpact.High
)]
[OutputType(typeof(void))]
public sealed class ClearIngestJournalCommand : JournalCmdlet
{
    private const string ProjectSet = "Project";
    private const string HierarchySet = "Hierarchy";
    private const string IdSet = "Id";

    /// <summary>Only what began before this time.</summary>
    [Parameter(ParameterSetName = ProjectSet)]
    [Parameter(ParameterSetName = HierarchySet)]
    public DateTimeOffset? OlderThan { get; set; }

    /// <summary>DSP-INGEST: only what belongs to this project.</summary>
    [Parameter(ParameterSetName = ProjectSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string? Shortcode { get; set; }

    /// <summary>VOSS: only what belongs to this hierarchy, as it was given to Send-IngestFile.</summary>
    [Parameter(Mandatory = true, ParameterSetName = HierarchySet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(HierarchyCompleter))]
    [NameText]
    public string? Hierarchy { get; set; }

    /// <summary>Only the record of the transaction with this id, also where it has not ended.</summary>
    [Parameter(Mandatory = true, ParameterSetName = IdSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(TransactionCompleter))]
    [NameText]
    public string? Id { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing() =>
        RunFor(
            IngestJournal.DefaultPath,
            async token =>
            {
                ClearQuery query = new()
                {
                    OlderThan = OlderThan,
                    Shortcode = Shortcode,
                    Hierarchy = Hierarchy,
                    Id = Id,
                };
                JournalCleared found = Journal.Count(query);
                if (found is { Files: 0, Jobs: 0, Transactions: 0 })
                    Log.Write(LogSeverity.Information, "The journal has no such records.");
                else if (
                    await AskAsync(
                            () => ShouldProcess($"The journal {IngestJournal.DefaultPath}", $"Delete {Display.Records(found)}"),
                            token
                        )
                        .ConfigureAwait(false)
                )
                    Journal.Clear(query);
            }
        );
}
