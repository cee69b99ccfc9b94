using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using IngestTools.PowerShell.Programs;

namespace IngestTools.PowerShell.Sandbox;

/// <summary>Starts the program that imitates the services.</summary>
internal static class SandboxProgram
{
    private const string Name = "ingest-sandbox";
    private const string Needs = "It needs the .NET 10 runtime and a free port.";
    private const string Prefix = Name + ": ";

    // The exit codes of ingest-sandbox.
    private const int WrongUsage = 64;
    private const int CannotWriteSample = 73;

    private static readonly JsonSerializerOptions ListFormat = new(JsonSerializerDefaults.Web);

    /// <summary>A cold start of .NET on a slow disk, and then some.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    /// <summary>Starts it, and waits until it listens. It ends with this process, however that ends.</summary>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.FileNotFound"/>, <see cref="ErrorId.ServerError"/>, <see cref="ErrorId.TimedOut"/>,
    /// <see cref="ErrorId.InvalidAnswer"/>
    /// </exception>
    internal static async Task<IngestSandbox> StartAsync(SandboxOptions options, CancellationToken cancellationToken)
    {
        Process process = Launch(ArgumentsOf(options));
        try
        {
            // Read to its end: a program whose error stream nobody reads stands still when that is full.
            Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            string? greeting = await process
                .StandardOutput.ReadLineAsync(cancellationToken)
                .AsTask()
                .WaitAsync(StartLimit, cancellationToken)
                .ConfigureAwait(false);
            if (greeting is null)
            {
                string said = (await errors.WaitAsync(StartLimit, cancellationToken).ConfigureAwait(false)).Trim();
                await process.WaitForExitAsync(cancellationToken).WaitAsync(StartLimit, cancellationToken).ConfigureAwait(false);
                throw Ended(process.ExitCode, said);
            }

            Uri uri = UriIn(greeting);
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return new IngestSandbox(uri, process);
        }
        catch (TimeoutException e)
        {
            End(process);
            throw Failed(ErrorId.TimedOut, $"it did not listen within {StartLimit.TotalSeconds:0} seconds.", e);
        }
        catch
        {
            End(process);
            throw;
        }
    }

    /// <summary>The options that the program takes.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>, <see cref="ErrorId.InvalidAnswer"/></exception>
    internal static async Task<IReadOnlyList<SandboxOption>> ListOptionsAsync(CancellationToken cancellationToken)
    {
        using Process process = Launch(["options"]);
        try
        {
            _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
            string list = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Deserialize<SandboxOption[]>(list, ListFormat) ?? [];
        }
        catch (JsonException e)
        {
            throw Failed(ErrorId.InvalidAnswer, "it did not list its options.", e);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>The error of a program that ended before it listened.</summary>
    private static IngestException Ended(int exitCode, string said)
    {
        const string Help = "'Get-Help Start-IngestSandbox -Full' explains -Fault and -Option; Tab completes the names of options.";
        string first = said.Split('\n')[0].Trim();
        string why = first.StartsWith(Prefix, StringComparison.Ordinal) ? first[Prefix.Length..] : said;
        return exitCode switch
        {
            WrongUsage => Failed(ErrorId.Rejected, why + ".", advice: Help),
            CannotWriteSample => Failed(ErrorId.Conflict, why + ".", advice: "Give -Sample another folder, or move the file away."),
            _ => Failed(ErrorId.ServerError, why),
        };
    }

    private static void End(Process process)
    {
        process.Kill();
        process.Dispose();
    }

    /// <summary>Where it listens: what it says first, in one line of JSON.</summary>
    private static Uri UriIn(string greeting)
    {
        try
        {
            using JsonDocument said = JsonDocument.Parse(greeting);
            return new Uri(said.RootElement.GetProperty("uri").GetString()!);
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentNullException or UriFormatException)
        {
            throw Failed(ErrorId.InvalidAnswer, $"it said '{greeting}', and not where it listens.", e);
        }
    }

    private static Process Launch(IEnumerable<string> arguments)
    {
        (string file, string? assembly) = ModuleProgram.Find("sandbox", Name, "IngestTools.Sandbox");
        ProcessStartInfo start = new(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        if (assembly is not null)
            start.ArgumentList.Add(assembly);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw Failed(ErrorId.FileNotFound, $"{file} cannot be run: {e.Message}", e);
        }
    }

    private static IEnumerable<string> ArgumentsOf(SandboxOptions options)
    {
        yield return "serve";
        yield return "--port";
        yield return options.Port.ToString(CultureInfo.InvariantCulture);
        yield return "--parent";
        yield return Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (options.DataPath is not null)
        {
            yield return "--data";
            yield return options.DataPath;
        }

        if (options.SamplePath is not null)
        {
            yield return "--sample";
            yield return options.SamplePath;
        }

        foreach (string fault in options.Faults)
        {
            yield return "--fault";
            yield return fault;
        }

        foreach (string option in options.Options)
        {
            yield return "--option";
            yield return option;
        }
    }

    private static IngestException Failed(ErrorId errorId, string why, Exception? cause = null, string advice = Needs) =>
        new(errorId, $"The sandbox did not start: {why}", cause) { Advice = advice };
}
