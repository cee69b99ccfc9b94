using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes texts of a few known forms, each with what it means.</summary>
public abstract class WordCompleter : IArgumentCompleter
{
    private protected abstract IReadOnlyList<(string Text, string Meaning)> Words { get; }

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName,
        string parameterName,
        string wordToComplete,
        CommandAst commandAst,
        IDictionary fakeBoundParameters
    )
    {
        string typed = (wordToComplete ?? "").Trim('\'', '"');
        return
        [
            .. Words
                .Where(word => word.Text.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
                .Select(word => new CompletionResult(
                    NameCompleter.Quote(word.Text),
                    word.Text,
                    CompletionResultType.ParameterValue,
                    word.Meaning
                )),
        ];
    }
}
