using System.ComponentModel;
using IngestTools.Journal;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>A cmdlet that reads or clears the journal, and speaks to no service.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class JournalCmdlet : AsyncCmdlet
{
    private IIngestJournal? _journal;

    /// <summary>The journal of this account, opened when it is first used.</summary>
    private protected IIngestJournal Journal => _journal ??= IngestJournal.Open();

    /// <summary>Says that a journal that is turned off is not read either.</summary>
    protected override void BeginProcessing()
    {
        if (IngestJournal.IsTurnedOff)
            WriteWarning("The journal is turned off: INGESTTOOLS_JOURNAL is 'off' in this session.");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
            _journal?.Dispose();
    }

    private protected override bool IsSoForAll(IngestException error) => error.ErrorId == ErrorId.JournalUnavailable;
}
