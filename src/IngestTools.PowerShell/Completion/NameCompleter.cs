using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Completion;

/// <summary>
/// Completes names that this session has in memory, or finds at once. Only <see cref="ServerList"/> asks a service, for a second at most.
/// </summary>
public abstract class NameCompleter : IArgumentCompleter
{
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
            .. Names(IngestSession.Current, fakeBoundParameters)
                .Where(n => IsMatch(n, typed))
                .OrderBy(n => !IsPrefix(n, typed))
                .Select(ToResult),
        ];
    }

    /// <summary>Whether a name is one that a typed text can become. Names that begin with it come first.</summary>
    private protected virtual bool IsMatch(string name, string typed) => IsPrefix(name, typed);

    private static bool IsPrefix(string name, string typed) => name.StartsWith(typed, StringComparison.OrdinalIgnoreCase);

    private protected virtual IEnumerable<string> Names(IngestSession session, IDictionary boundParameters) => Names(session);

    private protected abstract IEnumerable<string> Names(IngestSession session);

    /// <summary>What is shown beside a name that is completed.</summary>
    private protected virtual string MeaningOf(string name) => name;

    private CompletionResult ToResult(string name) => new(Quote(name), name, CompletionResultType.ParameterValue, MeaningOf(name));

    /// <summary>As it must be typed: bare where that is the same, else in single quotes.</summary>
    private static string Quote(string name) =>
        name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/')
            ? name
            : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
