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
    private const string Needs = "It needs the .NET 10 runtime, a free port, and faults that it knows.";

    /// <summary>A cold start of .NET on a slow disk, and then some.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    /// <summary>Starts it, and waits until it listens. It ends with this process, however that ends.</summary>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.FileNotFound"/>, <see cref="ErrorId.ServerError"/>, <see cref="ErrorId.TimedOut"/>, <see cref="ErrorId.InvalidAnswer"/>
    /// </exception>
    internal static async Task<IngestSandbox> StartAsync(SandboxOptions options, CancellationToken cancellationToken)
    {
        Process process = Launch(options);
        try
        {
            // Read to its end: a program whose error stream nobody reads stands still when that is full.
            Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            string? greeting = await process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(StartLimit, cancellationToken).ConfigureAwait(false);
            if (greeting is null)
                throw Failed(ErrorId.ServerError, (await errors.WaitAsync(StartLimit, cancellationToken).ConfigureAwait(false)).Trim());
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
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentNullException or UriFormatException)
        {
            throw Failed(ErrorId.InvalidAnswer, $"it said '{greeting}', and not where it listens.", e);
        }
    }

    private static Process Launch(SandboxOptions options)
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
        foreach (string argument in ArgumentsOf(options))
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

        foreach (string fault in options.Faults)
        {
            yield return "--fault";
            yield return fault;
        }
    }

    private static IngestException Failed(ErrorId errorId, string why, Exception? cause = null) =>
        new(errorId, $"The sandbox did not start: {why}", cause) { Advice = Needs };
}
