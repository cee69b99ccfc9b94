using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Sandbox;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes options of the sandbox, and values that are one of a few words. The sandbox lists them, once a session.</summary>
public sealed class SandboxOptionCompleter : IArgumentCompleter
{
    /// <summary>The longest time that a press of Tab takes.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

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
        IEnumerable<CompletionResult> all = Options(IngestSession.Current).SelectMany(TextsOf);
        return [.. all.Where(r => r.CompletionText.StartsWith(typed, StringComparison.OrdinalIgnoreCase))];

        // The values come once the name is complete: until then the list of names stays short.
        IEnumerable<CompletionResult> TextsOf(SandboxOption option) =>
            typed.Contains('=', StringComparison.Ordinal) && option.Values.Contains('|', StringComparison.Ordinal)
                ? option.Values.Split('|').Select(value => Result(option, $"{option.Name}={value}"))
                : [Result(option, option.Name + "=")];
    }

    private static CompletionResult Result(SandboxOption option, string text) =>
        new(text, text, CompletionResultType.ParameterValue, $"{option.Name}={option.Values}: {option.Description}");

    private static IReadOnlyList<SandboxOption> Options(IngestSession session)
    {
        Task<IReadOnlyList<SandboxOption>> list = session.SandboxOptions ??= Task.Run(() =>
            SandboxProgram.ListOptionsAsync(CancellationToken.None)
        );
        try
        {
            if (list.Wait(Timeout))
                return list.Result;
        }
        catch (AggregateException)
        {
            // A completion cannot show an error; the command that follows shows it.
            session.SandboxOptions = null;
        }

        return [];
    }
}
