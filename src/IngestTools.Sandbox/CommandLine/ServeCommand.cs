using System.Globalization;
using System.Text.Json;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Voss;

namespace IngestTools.Sandbox.CommandLine;

/// <summary>What "ingest-sandbox serve" was told.</summary>
/// <param name="Options">How the sandbox is started.</param>
/// <param name="ParentId">The process with which the sandbox ends, if any.</param>
/// <param name="RunTime">After how long the sandbox ends by itself.</param>
internal sealed record ServeCommand(SandboxOptions Options, int? ParentId, TimeSpan RunTime)
{
    /// <summary>For --help.</summary>
    public static readonly string Help = $"""
        ingest-sandbox serve [OPTION]...

        Imitates the ingest services on one loopback port, to try IngestTools against. When it listens it prints one line of JSON
        with its address and its process id. It ends on Ctrl+C and SIGTERM.

          --port N                  listen here; 0, the default, takes a free port
          --data DIR                keep files and mappings here, also over a restart; without it hashes and lengths stay in memory
          --fault TEXT              misbehave, see below; may be given several times
          --token T                 this bearer token is valid without a login (others can see it: rather --token-from env:NAME)
          --token-from env:NAME     the same, from an environment variable
          --user EMAIL              the user who can log in; default root@example.com
          --password-from env:NAME  that user's password; default "test"
          --accept-any-token        any bearer token is valid
          --release 0.19.1|current  the release of DSP-INGEST to imitate
          --ingest-ms N             how long a file's ingest takes; default 2
          --ingest-fails GLOB       files like this fail to ingest and are left over; may be given several times
          --finalize-ms N           how long finalize goes on after its answer; default 20
          --voss NAME=VALUE         set an option of VOSS, see below; may be given several times
          --voss-user NAME          VOSS's administrator; default hcsadmin@sys.hcs
          --voss-password-from env:NAME   that user's password; default "test"
          --seed N                  repeat a run: what is random depends on this alone
          --parent PID              end when this process is gone
          --run-seconds N           end after this time

        Exit codes: 0 ended as it was told, 1 could not listen, 64 wrong usage.

        {FaultText.Help}

        CONTROL, below the same address; no fault touches these
          GET    /sandbox/requests[?last=N]                  the newest requests; never a header's value
          GET    /sandbox/connections                        open and accepted connections, requests in flight
          GET    /sandbox/faults                             the faults in force
          POST   /sandbox/faults                             others instead: ["503=1%","latency=20ms"]
          DELETE /sandbox/faults                             none
          GET    /sandbox/dsp/projects[/0001]                files waiting and ingested, with counts and SHA-256
          POST   /sandbox/dsp/projects/0001/mapping?rows=N   append rows to the mapping
          POST   /sandbox/dsp/tokens/expire                  make every token an expired one
          POST   /sandbox/dsp/options                        any of ingestMs, finalizeMs, ingestFails, corruptsChecksum (patterns),
                                                             hasAssetsRoute, isHealthy
          GET    /sandbox/voss/files                         uploaded files, with length and count of uploads
          GET    /sandbox/voss/transactions                  loads, the oldest first
          DELETE /sandbox/voss/transactions/PKID             forget one
          GET    /sandbox/voss/schedules                     loads that will run later
          POST   /sandbox/voss/schedules/run                 run them now
          GET    /sandbox/voss/rate                          the most requests that came within a second; how often somebody signed in
          POST   /sandbox/voss/sessions/expire               end all sessions
          POST   /sandbox/voss/options                       any of the options of VOSS

        {VossSettings.Help}
        """;

    private static readonly Dictionary<string, Action<Draft, Arguments>> Known = new(StringComparer.Ordinal)
    {
        ["--port"] = static (draft, given) => draft.Port = given.Number(0, ushort.MaxValue),
        ["--data"] = static (draft, given) => draft.DataFolder = Path.GetFullPath(given.Value()),
        ["--fault"] = static (draft, given) => draft.Faults.Add(ParseFault(given.Value())),
        ["--token"] = static (draft, given) => draft.Dsp.Token = given.Value(),
        ["--token-from"] = static (draft, given) => draft.Dsp.Token = given.Secret(),
        ["--user"] = static (draft, given) => draft.User = given.Value(),
        ["--password-from"] = static (draft, given) => draft.Password = given.Secret(),
        ["--accept-any-token"] = static (draft, _) => draft.Dsp.AcceptsAnyToken = true,
        ["--release"] = static (draft, given) => draft.Dsp.Release = ParseRelease(given.Value()),
        ["--ingest-ms"] = static (draft, given) => draft.Dsp.IngestTimePerFile = given.Milliseconds(),
        ["--ingest-fails"] = static (draft, given) => draft.IngestFails.Add(given.Value()),
        ["--finalize-ms"] = static (draft, given) => draft.Dsp.FinalizeDelay = given.Milliseconds(),
        ["--voss"] = static (draft, given) => Set(draft.Voss, given.Value()),
        ["--voss-user"] = static (draft, given) => draft.VossUser = given.Value(),
        ["--voss-password-from"] = static (draft, given) => draft.VossPassword = given.Secret(),
        ["--seed"] = static (draft, given) => draft.Seed = given.Number(int.MinValue, int.MaxValue),
        ["--parent"] = static (draft, given) => draft.ParentId = given.Number(1, int.MaxValue),
        ["--run-seconds"] = static (draft, given) => draft.RunTime = TimeSpan.FromSeconds(given.Number(0, int.MaxValue / 1000)),
    };

    /// <exception cref="UsageException">Something is wrong with the arguments.</exception>
    public static ServeCommand Parse(IReadOnlyList<string> arguments)
    {
        Arguments given = new(arguments);
        Draft draft = new();
        while (given.TryNext(out string option))
        {
            if (!Known.TryGetValue(option, out Action<Draft, Arguments>? take))
                throw new UsageException($"there is no option '{option}'");
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

    private static void Set(VossOptions options, string text)
    {
        try
        {
            VossSettings.Parse(text).ApplyTo(options);
        }
        catch (JsonException e)
        {
            throw new UsageException($"--voss '{text}': {e.Message}");
        }
    }

    private static DspIngestRelease ParseRelease(string text) => text switch
    {
        "0.19.1" or "v0.19.1" => DspIngestRelease.V0191,
        "current" => DspIngestRelease.Current,
        _ => throw new UsageException($"--release is 0.19.1 or current, not '{text}'"),
    };

    /// <summary>What was read until now.</summary>
    private sealed class Draft
    {
        public DspIngestOptions Dsp { get; } = new();

        public List<Fault> Faults { get; } = [];

        public List<string> IngestFails { get; } = [];

        public int Port { get; set; }

        public string? DataFolder { get; set; }

        public VossOptions Voss { get; } = new();

        public string? VossUser { get; set; }

        public string? VossPassword { get; set; }

        public string? User { get; set; }

        public string? Password { get; set; }

        public int? Seed { get; set; }

        public int? ParentId { get; set; }

        public TimeSpan RunTime { get; set; } = Timeout.InfiniteTimeSpan;

        public ServeCommand ToCommand()
        {
            DspUser usual = Dsp.Users[0];
            Dsp.Users = [new DspUser(User ?? usual.Email, Password ?? usual.Password)];
            Dsp.IngestFails = DspIngestOptions.FilesLike([.. IngestFails]);
            VossUser administrator = Voss.Users[0];
            Voss.Users = [administrator with { Name = VossUser ?? administrator.Name, Password = VossPassword ?? administrator.Password }];
            SandboxOptions options = new() { Port = Port, DataFolder = DataFolder, Seed = Seed, Faults = Faults, DspIngest = Dsp, Voss = Voss };
            return new ServeCommand(options, ParentId, RunTime);
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

        public TimeSpan Milliseconds() => TimeSpan.FromMilliseconds(Number(0, int.MaxValue));

        public string Secret()
        {
            const string Prefix = "env:";
            string source = Value();
            if (!source.StartsWith(Prefix, StringComparison.Ordinal))
                throw new UsageException($"{_option} is env:NAME, the name of an environment variable");
            return Environment.GetEnvironmentVariable(source[Prefix.Length..]) is { Length: > 0 } secret
                ? secret
                : throw new UsageException($"{_option}: the environment variable {source[Prefix.Length..]} is not set");
        }
    }
}
