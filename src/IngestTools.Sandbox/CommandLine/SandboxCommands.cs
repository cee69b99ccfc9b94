using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.Json;
using IngestTools.Sandbox.NamedOptions;

namespace IngestTools.Sandbox.CommandLine;

/// <summary>The commands of ingest-sandbox.</summary>
internal static class SandboxCommands
{
    private const string Program = "ingest-sandbox";

    private const int WrongUsage = 64;

    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> InvokeAsync(string[] arguments)
    {
        Command serve = ServeCommand.Create();
        RootCommand root = new("Imitates the ingest services, to try IngestTools against.") { serve, CreateOptions() };
        // An argument may begin with @, and is not the name of a file with arguments then.
        ParseResult result = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        string[] errors =
            result.Action is not ParseErrorAction ? [.. FindEmptyOptions(result)]
            : result.CommandResult.Command == root ? [DescribeCommand(root, result)]
            : [.. result.Errors.Select(error => error.Message)];
        if (errors.Length > 0)
        {
            // The first line is for a caller that shows one.
            Console.Error.WriteLine($"{Program}: {string.Join(' ', errors)}");
            Console.Error.WriteLine($"See {Program} --help.");
            return WrongUsage;
        }

        // 'serve' handles signals itself.
        int code = await result.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
        );
        if (result.Action is HelpAction && result.CommandResult.Command == serve)
            Console.WriteLine(ServeCommand.Tables);
        return code;
    }

    private static Command CreateOptions()
    {
        Command command = new("options", "Prints the options of 'serve' as JSON.");
        command.SetAction(static _ =>
        {
            var options = OptionSet.All.Select(static o => new
            {
                o.Name,
                o.Values,
                o.Description,
            });
            Console.WriteLine(JsonSerializer.Serialize(options, JsonSerializerOptions.Web));
        });
        return command;
    }

    /// <summary>
    /// What is wrong where no command is named. The library says that it was not provided, and that a word was not recognized.
    /// </summary>
    private static string DescribeCommand(RootCommand root, ParseResult result)
    {
        string commands = string.Join(", ", root.Subcommands.Select(command => command.Name));
        return result.UnmatchedTokens is [string word, ..]
            ? $"'{word}' is not a command. The commands are {commands}."
            : $"Name a command: {commands}.";
    }

    private static IEnumerable<string> FindEmptyOptions(ParseResult result) =>
        result
            .CommandResult.Children.OfType<OptionResult>()
            .Where(option => option.Tokens.Any(token => token.Value.Length == 0))
            .Select(option => $"{option.Option.Name} needs a value");
}
