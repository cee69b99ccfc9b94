using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.NamedOptions;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Sandbox.Services.Voss;

namespace IngestTools.Sandbox.CommandLine;

/// <summary>What "ingest-sandbox serve" was given.</summary>
/// <param name="Options">How the sandbox is started.</param>
/// <param name="SampleFolder">Where sample files are written; null for nowhere.</param>
/// <param name="Parent">The process with which the sandbox ends, if any.</param>
/// <param name="RunTime">After how long the sandbox ends by itself.</param>
internal sealed record ServeCommand(SandboxOptions Options, string? SampleFolder, ParentWatch? Parent, TimeSpan RunTime)
{
    /// <summary>What --help prints after the options.</summary>
    public static readonly string Tables = $"""
        FAULTS
        {FaultText.Help}

        OPTIONS
        {OptionSet.Help}

        CONTROL, below the same address; no fault touches these
          GET    /sandbox/requests[?last=N]                  the newest requests; never a header's value
          GET    /sandbox/connections                        open and accepted connections, requests in flight
          GET    /sandbox/faults                             the faults in force
          POST   /sandbox/faults                             others instead: ["503=1%","latency=20ms"]
          DELETE /sandbox/faults                             none
          GET    /sandbox/dsp/projects[/0001]                files waiting and ingested, with counts and SHA-256
          POST   /sandbox/dsp/projects/0001/mapping?rows=N   append rows to the mapping
          POST   /sandbox/dsp/tokens/expire                  make every token an expired one
          POST   /sandbox/dsp/options                        the options of dsp: as JSON, without the prefix: {"{"}"ingestMs": 5{"}"}
          GET    /sandbox/ica/batches                        linking batches and how their jobs stand
          POST   /sandbox/ica/batches/<id>/stop              stop a batch's job
          GET    /sandbox/ica/tokens                         how many tokens were given out
          POST   /sandbox/ica/tokens/expire                  make every token an expired one
          POST   /sandbox/ica/options                        the options of ica: in the same form
          GET    /sandbox/lakefs/repositories[/lake]         branches with their keys, imports, staging tokens
          POST   /sandbox/lakefs/repositories/R              add one; storageNamespace, readOnly
          POST   /sandbox/lakefs/repositories/R/branches/B   the keys it holds; keys staged without a commit
          POST   /sandbox/lakefs/objects                     more to import: addresses; prefix, count, suffix
          POST   /sandbox/lakefs/tokens/expire               make every token of /auth/login an expired one
          POST   /sandbox/lakefs/options                     the options of lakefs: in the same form
          GET    /sandbox/voss/files                         uploaded files, with length and count of uploads
          GET    /sandbox/voss/transactions                  loads, the oldest first
          DELETE /sandbox/voss/transactions/PKID             forget one
          GET    /sandbox/voss/schedules                     loads that will run later
          POST   /sandbox/voss/schedules/run                 run them now
          GET    /sandbox/voss/rate                          the most requests that came within a second; how often somebody signed in
          POST   /sandbox/voss/sessions/expire               end all sessions
          POST   /sandbox/voss/options                       the options of voss: in the same form
        """;

    /// <summary>The command 'serve'.</summary>
    public static Command Create()
    {
        Option<int> port = NumberOption("--port", "N", "Listens on this port. 0, the default, takes a free one.", 0, ushort.MaxValue);
        Option<string?> data = new("--data")
        {
            HelpName = "DIR",
            Description = "Keeps files and mappings in this folder, also over a restart. Default: in memory.",
        };
        Option<string?> sample = new("--sample")
        {
            HelpName = "DIR",
            Description = "Writes sample files into this folder: scans, ids and workbooks to try the cmdlets with.",
        };
        Option<Fault[]> faults = new("--fault")
        {
            HelpName = "TEXT",
            Description = "Misbehaves: see FAULTS. Can be given several times.",
            CustomParser = static result => [.. result.Tokens.Select(token => ParseFault(result, token.Value)).OfType<Fault>()],
        };
        Option<OptionSet?> options = new("--option")
        {
            HelpName = "NAME=VALUE",
            Description = "Sets an option: see OPTIONS. Can be given several times.",
            Arity = ArgumentArity.OneOrMore,
            CustomParser = ParseOptions,
        };
        Option<ParentWatch?> parent = new("--parent")
        {
            HelpName = "PID",
            Description = "Ends with this process.",
            CustomParser = ParseParent,
        };
        Command command = new(
            "serve",
            "Imitates the ingest services on one port of this machine, to try IngestTools against. When it listens, it prints one "
                + "line of JSON with its address "
                + "and its process id. It ends on Ctrl+C and SIGTERM.\n\nExit codes: 0 success, 1 cannot listen, 64 wrong usage, 73 a "
                + "sample file cannot be written."
        )
        {
            port,
            data,
            sample,
            faults,
            options,
            parent,
        };
        command.SetAction(
            (result, _) =>
                ServeAsync(
                    Read(
                        result.GetValue(port),
                        result.GetValue(data),
                        result.GetValue(sample),
                        result.GetValue(faults) ?? [],
                        result.GetValue(options) ?? new OptionSet(),
                        result.GetValue(parent)
                    )
                )
        );
        return command;
    }

    private static ServeCommand Read(int port, string? data, string? sample, Fault[] faults, OptionSet given, ParentWatch? parent)
    {
        SandboxSettings common = given.Read<SandboxSettings>();
        SandboxOptions options = new()
        {
            Port = port,
            DataFolder = FullPath(data),
            Seed = common.Seed,
            Faults = faults,
        };
        common.ApplyTo(options);
        given.Read<DspIngestSettings>().ApplyTo(options.DspIngest);
        given.Read<IcaSettings>().ApplyTo(options.Ica);
        given.Read<LakeFsSettings>().ApplyTo(options.LakeFs);
        given.Read<VossSettings>().ApplyTo(options.Voss);
        return new ServeCommand(options, FullPath(sample), parent, common.RunTime);
    }

    private static string? FullPath(string? path) => path is null ? null : Path.GetFullPath(path);

    private static Option<int> NumberOption(string name, string helpName, string description, int least, int most) =>
        new(name)
        {
            HelpName = helpName,
            Description = description,
            CustomParser = result => ParseNumber(result, name, least, most),
        };

    private static int ParseNumber(ArgumentResult result, string name, int least, int most)
    {
        string text = result.Tokens[0].Value;
        if (
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            && number >= least
            && number <= most
        )
            return number;
        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} takes a number from {least} to {most}, not '{text}'"));
        return 0;
    }

    private static Fault? ParseFault(ArgumentResult result, string text)
    {
        try
        {
            return Fault.Parse(text);
        }
        catch (FormatException e)
        {
            result.AddError($"--fault {e.Message}");
            return null;
        }
    }

    private static OptionSet? ParseOptions(ArgumentResult result)
    {
        OptionSet options = new();
        try
        {
            foreach (Token token in result.Tokens)
                options.Add(token.Value);
            return options;
        }
        catch (FormatException e)
        {
            result.AddError(e.Message);
            return null;
        }
    }

    private static ParentWatch? ParseParent(ArgumentResult result)
    {
        int id = ParseNumber(result, "--parent", 1, int.MaxValue);
        if (id != 0 && ParentWatch.Find(id) is { } parent)
            return parent;
        if (id != 0)
            result.AddError($"--parent {id}: there is no such process");
        return null;
    }

    private static async Task<int> ServeAsync(ServeCommand command)
    {
        if (command.SampleFolder is { } folder)
            Samples.SampleFolder.Write(folder);
        ParentWatch? parent = command.Parent;
        using CancellationTokenSource end = new();
        // Ctrl+C at a shell reaches everything that runs in it. A sandbox that somebody started as part of a session stays for as long as
        // the session does.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(
            PosixSignal.SIGINT,
            parent is null ? End : static signal => signal.Cancel = true
        );
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using ILoggerFactory loggers = LoggerFactory.Create(Log);

        await using SandboxServer sandbox = await SandboxServer.StartAsync(command.Options with { LoggerFactory = loggers }, end.Token);
        Console.WriteLine(
            JsonSerializer.Serialize(new { uri = sandbox.Uri.GetLeftPart(UriPartial.Authority), pid = Environment.ProcessId })
        );

        Task parentEnds = parent?.WaitForEndAsync(end.Token) ?? Task.Delay(Timeout.Infinite, end.Token);
        await Task.WhenAny(parentEnds, Task.Delay(command.RunTime, end.Token));
        await end.CancelAsync();
        return 0;

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            end.Cancel();
        }
    }

    // Kestrel reports as errors what the sandbox does on purpose: answers that are shorter than announced, bodies left unread.
    private static void Log(ILoggingBuilder logging) =>
        logging
            .AddConsole(static console => console.LogToStandardErrorThreshold = LogLevel.Trace)
            .AddFilter("Microsoft.AspNetCore", LogLevel.Critical)
            .SetMinimumLevel(LogLevel.Warning);
}
