using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes texts of a few known forms, each with what it means.</summary>
public abstract class WordCompleter : NameCompleter
{
    private protected abstract IReadOnlyList<(string Text, string Meaning)> Words { get; }

    private protected override IEnumerable<string> Names(IngestSession session) => Words.Select(word => word.Text);

    private protected override string MeaningOf(string name) => Words.First(word => word.Text == name).Meaning;
}
