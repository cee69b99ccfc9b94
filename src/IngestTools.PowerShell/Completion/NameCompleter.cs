using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes names that this session has in memory, or finds at once. No service is asked: completing must never be waited for.</summary>
public abstract class NameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string typed = (wordToComplete ?? "").Trim('\'', '"');
        return [.. Names(IngestSession.Current).Where(n => n.StartsWith(typed, StringComparison.OrdinalIgnoreCase)).Select(Result)];
    }

    private protected abstract IEnumerable<string> Names(IngestSession session);

    private static CompletionResult Result(string name) => new(Quote(name), name, CompletionResultType.ParameterValue, name);

    /// <summary>As it must be typed: bare where that is the same, else in single quotes.</summary>
    private static string Quote(string name) =>
        name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/') ? name : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
