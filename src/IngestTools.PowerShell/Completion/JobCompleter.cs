using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using IngestTools.Journal;
using IngestTools.PowerShell.Formatting;

namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the ids of the newest jobs in the journal, and shows what each of them is.</summary>
public sealed class JobCompleter : IArgumentCompleter
{
    /// <summary>More than fit on a screen of completions.</summary>
    private const int Limit = 64;

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
            .. Jobs()
                .Where(job => IsMatch(job, typed))
                .Select(job => new CompletionResult(job.Id, job.Id, CompletionResultType.ParameterValue, Display.Job(job))),
        ];
    }

    private static bool IsMatch(IngestJob job, string typed) =>
        job.Id.StartsWith(typed, StringComparison.OrdinalIgnoreCase)
        || IngestJob
            .ParseId(job.Id)
            .ToString(System.Globalization.CultureInfo.InvariantCulture)
            .StartsWith(typed, StringComparison.Ordinal);

    private static IReadOnlyList<IngestJob> Jobs()
    {
        // To complete a word makes no file.
        if (!File.Exists(IngestJournal.DefaultPath))
            return [];
        try
        {
            using IIngestJournal journal = IngestJournal.Open();
            return journal.ReadJobs(new JobQuery { Last = Limit });
        }
        catch (IngestException)
        {
            // A completion has no place for an error. The command that follows reports it.
            return [];
        }
    }
}
