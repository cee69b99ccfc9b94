using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>The commands of ingest-scheduler.</summary>
internal static class SchedulerCommands
{
    private const string Program = "ingest-scheduler";

    private const int WrongUsage = 64;

    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> InvokeAsync(string[] arguments)
    {
        // An argument may begin with @, and is not the name of a file with arguments then.
        ParseResult result = Create().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        string[] errors =
            result.Action is not ParseErrorAction ? [.. FindEmptyOptions(result)]
            : result.CommandResult.Command is RootCommand root ? [DescribeCommand(root, result)]
            : [.. result.Errors.Select(error => error.Message)];
        if (errors.Length > 0)
        {
            Console.Error.WriteLine($"{Program}: {string.Join(' ', errors)} See {Program} --help.");
            return WrongUsage;
        }

        // The daemon handles signals itself.
        return await result.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
        );
    }

    /// <summary>The option that names where the daemon listens.</summary>
    public static Option<string?> SocketOption(string description) => new("--socket") { Description = description, HelpName = "PATH" };

    /// <summary>An option that takes a number of seconds.</summary>
    public static Option<TimeSpan?> SecondsOption(string name, double least, double most, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "SECONDS",
            CustomParser = result => ParseSeconds(result, name, least, most),
        };

    /// <summary>An option that takes a name of letters, digits, hyphens, underscores and periods.</summary>
    public static Option<string?> NameOption(string name, int longest, string description)
    {
        Option<string?> option = new(name) { Description = description, HelpName = "NAME" };
        option.Validators.Add(result =>
        {
            string text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
            if (text.Length == 0 || text.Length > longest || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
                result.AddError($"{name} takes at most {longest} letters, digits, hyphens, underscores and periods, not '{text}'.");
        });
        return option;
    }

    /// <summary>
    /// What is wrong where no command is named. The library says that it was not provided, and that a word was not recognized.
    /// </summary>
    private static string DescribeCommand(RootCommand root, ParseResult result)
    {
        string commands = string.Join(", ", root.Subcommands.Where(command => !command.Hidden).Select(command => command.Name));
        return result.UnmatchedTokens is [string word, ..]
            ? $"'{word}' is not a command. The commands are {commands}."
            : $"Name a command: {commands}.";
    }

    private static IEnumerable<string> FindEmptyOptions(ParseResult result) =>
        result
            .CommandResult.Children.OfType<OptionResult>()
            .Where(option => option.Tokens.Any(token => token.Value.Length == 0))
            .Select(option => $"{option.Option.Name} needs a value.");

    private static RootCommand Create() =>
        new(
            "Runs loads later, each of them once. Loads are registered with Register-BulkLoadSchedule of the PowerShell module "
                + "IngestTools.\n\n"
                + "Exit codes of all commands: 0 success, 1 refused, 64 wrong usage, 75 a scheduler with this store runs "
                + "already. 'status' has its own."
        )
        {
            RunCommand.Create(),
            StatusCommand.Create(),
            UnitCommand.Create(),
            DefinitionCommands.CreateExport(),
            DefinitionCommands.CreateImport(),
            ReadCommand.Create(),
        };

    private static TimeSpan? ParseSeconds(ArgumentResult result, string name, double least, double most)
    {
        string text = result.Tokens[0].Value;
        if (
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds >= least
            && seconds <= most
        )
            return TimeSpan.FromSeconds(seconds);
        result.AddError(
            string.Create(CultureInfo.InvariantCulture, $"{name} takes a number of seconds from {least} to {most}, not '{text}'.")
        );
        return null;
    }
}
