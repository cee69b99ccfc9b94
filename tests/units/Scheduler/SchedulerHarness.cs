using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Scheduling;
using IngestTools.Units.Support;

namespace IngestTools.Units.Scheduler;

/// <summary>A sandbox, a home with connections to it, and daemons that are started there.</summary>
internal sealed class SchedulerHarness : IAsyncDisposable
{
    public const string Token = "canary-scheduler-5e1d";

    private readonly List<SchedulerProcess> _daemons = [];

    private SchedulerHarness(SandboxServer sandbox)
    {
        Sandbox = sandbox;
        Home = Path.Join(Folder.Path, "home");
        Directory.CreateDirectory(Home);
        Save(Connections());
    }

    public SandboxServer Sandbox { get; }

    public TemporaryFolder Folder { get; } = new();

    public string Home { get; }

    public string Store => Path.Join(Home, "scheduler");

    public string Socket => Path.Join(Store, "control.sock");

    public Dictionary<string, string> Environment { get; } = new() { ["SCHEDULER_TEST_TOKEN"] = Token };

    public static async Task<SchedulerHarness> StartAsync(Action<SandboxOptions>? configure = null)
    {
        SandboxOptions options = new() { Seed = 1 };
        options.DspIngest.Token = Token;
        configure?.Invoke(options);
        return new SchedulerHarness(await SandboxServer.StartAsync(options));
    }

    /// <summary>A daemon that answers.</summary>
    public Task<SchedulerProcess> RunAsync(params string[] options) => Begin(["--poll-interval", "0.1", .. options]).ReadyAsync();

    /// <summary>A daemon that may or may not come to answer.</summary>
    public SchedulerProcess Begin(params string[] options) => Begin(Home, Socket, SchedulerProcess.Command(["run", .. options]));

    public SchedulerProcess Begin(string home, string socket, string[] command)
    {
        SchedulerProcess daemon = SchedulerProcess.Start(home, socket, Environment, command);
        _daemons.Add(daemon);
        return daemon;
    }

    /// <summary>Another command of the program: its exit code, output and errors.</summary>
    public async Task<(int Code, string Output, string Errors)> CommandAsync(params string[] arguments)
    {
        await using SchedulerProcess process = SchedulerProcess.Start(Home, Socket, Environment, SchedulerProcess.Command(arguments));
        string output = await process.OutputAsync();
        return (await process.EndsAsync(), output, process.Log);
    }

    public void Save(params ConnectionProfile[] profiles)
    {
        foreach (ConnectionProfile profile in profiles)
            new ProfileStore(Home).Save(profile);
    }

    /// <summary>A DSP load of some small files into a project.</summary>
    public LoadDefinition DspLoad(string shortcode, int files = 2, string connection = "dsp")
    {
        for (int i = 0; i < files; i++)
            Folder.Write($"{shortcode}/file {i}.txt", 50 + i);
        return new LoadDefinition { Kind = LoadKind.BulkIngest, Connection = connection, Path = Path.Join(Folder.Path, shortcode), Shortcode = shortcode };
    }

    /// <summary>A schedule whose times are far away, to be started by hand.</summary>
    public static ScheduleDefinition Yearly(string name, LoadDefinition load) => new() { Name = name, Load = load, Cron = "0 3 1 1 *", TimeZone = "UTC" };

    public async ValueTask DisposeAsync()
    {
        foreach (SchedulerProcess daemon in _daemons)
            await daemon.DisposeAsync();
        await Sandbox.DisposeAsync();
        Folder.Dispose();
    }

    private ConnectionProfile[] Connections() =>
    [
        new ConnectionProfile { Name = "dsp", Service = IngestService.DspIngest, Uri = Sandbox.Uri, SignIn = SignInKind.Token, SecretFrom = "env:SCHEDULER_TEST_TOKEN" },
    ];
}
