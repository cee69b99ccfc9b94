using System.Globalization;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.NamedOptions;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Sandbox.Services.Voss;

namespace IngestTools.Sandbox.CommandLine;

/// <summary>The arguments of "ingest-sandbox serve".</summary>
/// <param name="Options">How the sandbox is started.</param>
/// <param name="SampleFolder">Where sample files are written; null for nowhere.</param>
/// <param name="ParentId">The process with which the sandbox ends, if any.</param>
/// <param name="RunTime">After how long the sandbox ends by itself.</param>
internal sealed record ServeCommand(SandboxOptions Options, string? SampleFolder, int? ParentId, TimeSpan RunTime)
{
    /// <summary>For --help.</summary>
    public static readonly string Help = $"""
        ingest-sandbox serve [OPTION]...
        ingest-sandbox options          prints the OPTIONS below as JSON

        Imitates the ingest services on one loopback port, to try IngestTools against. When it listens it prints one line of JSON
        with its address and its process id. It ends on Ctrl+C and SIGTERM.

          --port N                  listen on this port; 0, the default, takes a free one
          --data DIR                keep files and mappings in this folder, also over a restart; without it they are in memory
          --sample DIR              write sample files into this folder: scans, ids and workbooks to try the cmdlets with
          --fault TEXT              misbehave, see FAULTS; can be given several times
          --option NAME=VALUE       set an option, see OPTIONS; can be given several times
          --parent PID              end when this process ends

        Exit codes: 0 success, 1 cannot listen, 64 wrong usage, 73 a sample file cannot be written.

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

    private static readonly Dictionary<string, Action<Draft, Arguments>> Known = new(StringComparer.Ordinal)
    {
        ["--port"] = static (draft, given) => draft.Port = given.Number(0, ushort.MaxValue),
        ["--data"] = static (draft, given) => draft.DataFolder = Path.GetFullPath(given.Value()),
        ["--fault"] = static (draft, given) => draft.Faults.Add(ParseFault(given.Value())),
        ["--sample"] = static (draft, given) => draft.SampleFolder = Path.GetFullPath(given.Value()),
        ["--option"] = static (draft, given) => draft.Add(given.Value()),
        ["--parent"] = static (draft, given) => draft.ParentId = given.Number(1, int.MaxValue),
    };

    /// <exception cref="UsageException">Something is wrong with the arguments.</exception>
    public static ServeCommand Parse(IReadOnlyList<string> arguments)
    {
        Arguments given = new(arguments);
        Draft draft = new();
        while (given.TryNext(out string option))
        {
            if (!Known.TryGetValue(option, out Action<Draft, Arguments>? take))
                throw new UsageException($"unknown option '{option}'; the options are {string.Join(", ", Known.Keys)}");
            take(draft, given);
        }
        return draft.ToCommand();
    }

    private static Fault ParseFault(string text)
    {
        try
        {
            return Fault.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--fault {e.Message}");
        }
    }

    /// <summary>What was read until now.</summary>
    private sealed class Draft
    {
        private readonly OptionSet _options = new();

        public List<Fault> Faults { get; } = [];

        public int Port { get; set; }

        public string? DataFolder { get; set; }

        public string? SampleFolder { get; set; }

        public int? ParentId { get; set; }

        public void Add(string option)
        {
            try
            {
                _options.Add(option);
            }
            catch (FormatException e)
            {
                throw new UsageException(e.Message);
            }
        }

        public ServeCommand ToCommand()
        {
            SandboxSettings common = _options.Read<SandboxSettings>();
            SandboxOptions options = new() { Port = Port, DataFolder = DataFolder, Seed = common.Seed, Faults = Faults };
            common.ApplyTo(options);
            _options.Read<DspIngestSettings>().ApplyTo(options.DspIngest);
            _options.Read<IcaSettings>().ApplyTo(options.Ica);
            _options.Read<LakeFsSettings>().ApplyTo(options.LakeFs);
            _options.Read<VossSettings>().ApplyTo(options.Voss);
            return new ServeCommand(options, SampleFolder, ParentId, common.RunTime);
        }
    }

    /// <summary>The arguments one by one; "--option value" and "--option=value" are the same.</summary>
    private sealed class Arguments(IReadOnlyList<string> arguments)
    {
        private int _next;
        private string _option = "";
        private string? _attached;

        public bool TryNext(out string option)
        {
            option = _option;
            if (_attached is not null)
                throw new UsageException($"{_option} takes no value");
            if (_next == arguments.Count)
                return false;
            string[] sides = arguments[_next++].Split('=', 2);
            option = _option = sides[0];
            _attached = sides.Length == 2 ? sides[1] : null;
            return true;
        }

        public string Value()
        {
            string? value = _attached ?? (_next < arguments.Count ? arguments[_next++] : null);
            _attached = null;
            return string.IsNullOrEmpty(value) ? throw new UsageException($"{_option} needs a value") : value;
        }

        public int Number(int least, int most)
        {
            string text = Value();
            bool isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number);
            if (isNumber && number >= least && number <= most)
                return number;
            throw new UsageException(
                string.Create(CultureInfo.InvariantCulture, $"{_option} is a number from {least} to {most}, not '{text}'"));
        }
    }
}
