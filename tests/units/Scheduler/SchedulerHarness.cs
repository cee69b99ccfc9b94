using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Scheduling;
using IngestTools.Units.Support;

namespace IngestTools.Units.Scheduler;

/// <summary>A sandbox, a home with connections to it, and daemons that are started there.</summary>
internal sealed class SchedulerHarness : IAsyncDisposable
{
    public const string VossUser = "hcsadmin@sys.hcs";

    public const string Hierarchy = "sys.hcs.Provider";

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

    public Dictionary<string, string> Environment { get; } =
        new() { ["SCHEDULER_TEST_TOKEN"] = Token, ["SCHEDULER_TEST_PASSWORD"] = "test" };

    public static async Task<SchedulerHarness> StartAsync(Action<SandboxOptions>? configure = null)
    {
        SandboxOptions options = new() { Seed = 1 };
        options.DspIngest.Token = Token;
        options.Ica.ApiKeys = [Token];
        options.LakeFs.SecretAccessKey = Token;
        options.Voss.Users = [new IngestTools.Sandbox.Services.Voss.VossUser(VossUser, Token)];
        // A daemon in a test does in seconds what takes hours elsewhere.
        options.Voss.RequestsPerSecond = null;
        (options.LakeFs.StatusInterval, options.LakeFs.RecordDelay, options.LakeFs.WriteTime) = (
            TimeSpan.Zero,
            TimeSpan.Zero,
            TimeSpan.Zero
        );
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
        return new LoadDefinition
        {
            Kind = LoadKind.BulkIngest,
            Connection = connection,
            Path = Path.Join(Folder.Path, shortcode),
            Shortcode = shortcode,
        };
    }

    /// <summary>
    /// A VOSS load of a workbook of so many rows. Each workbook has a content of its own: the same content is loaded once.
    /// </summary>
    public LoadDefinition VossLoad(string name, int rows = 3)
    {
        string domain = $"{Guid.NewGuid():N}.example.org";
        return new()
        {
            Kind = LoadKind.BulkLoad,
            Connection = "voss",
            Path = new TestWorkbook()
                .Add(
                    "Users",
                    [
                        ["Username", "Email"],
                        .. Enumerable.Range(1, rows).Select(i => new[] { $"user{i}", $"user{i}@{domain}" }),
                    ]
                )
                .Save(Path.Join(Folder.Path, name)),
            Hierarchy = Hierarchy,
        };
    }

    /// <summary>An ICA load of a file of so many ids.</summary>
    public LoadDefinition IcaLoad(int ids, string project = IcaHarness.ProjectId)
    {
        string path = Path.Join(Folder.Path, $"{project}.csv");
        File.WriteAllLines(path, ["Name,DataId", .. IcaHarness.Ids(ids).Select(id => $"x,{id}")]);
        return new LoadDefinition
        {
            Kind = LoadKind.LinkingBatch,
            Connection = "ica",
            DataIdPath = path,
            ProjectId = project,
        };
    }

    /// <summary>A lakeFS load of some objects of the store, into the sandbox's repository or one of its own.</summary>
    public LoadDefinition LakeLoad(string repository = LakeFsState.FirstRepository)
    {
        if (repository != LakeFsState.FirstRepository)
            Sandbox.LakeFs.AddRepository(repository);
        for (int i = 0; i < 3; i++)
            Sandbox.LakeFs.Store.Add($"s3://bucket/nightly/{i}.txt");
        return new LoadDefinition
        {
            Kind = LoadKind.Import,
            Connection = "lake",
            Source = "s3://bucket/nightly/",
            Repository = repository,
            Branch = "main",
            Destination = "raw/",
            Message = "nightly",
        };
    }

    /// <summary>A schedule whose times are far away, to be started by hand.</summary>
    public static ScheduleDefinition Yearly(string name, LoadDefinition load) =>
        new()
        {
            Name = name,
            Load = load,
            Cron = "0 3 1 1 *",
            TimeZone = "UTC",
        };

    public async ValueTask DisposeAsync()
    {
        foreach (SchedulerProcess daemon in _daemons)
            await daemon.DisposeAsync();
        await Sandbox.DisposeAsync();
        Folder.Dispose();
    }

    private ConnectionProfile[] Connections() =>
        [
            new ConnectionProfile
            {
                Name = "dsp",
                Service = IngestService.DspIngest,
                Uri = Sandbox.Uri,
                SignIn = SignInKind.Token,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
            },
            new ConnectionProfile
            {
                Name = "dsp-login",
                Service = IngestService.DspIngest,
                Uri = Sandbox.Uri,
                SignIn = SignInKind.Password,
                UserName = "root@example.com",
                SecretFrom = "env:SCHEDULER_TEST_PASSWORD",
                AuthenticationUri = Sandbox.Uri,
            },
            new ConnectionProfile
            {
                Name = "ica",
                Service = IngestService.Ica,
                Uri = new Uri(Sandbox.Uri, "ica/rest"),
                SignIn = SignInKind.ApiKey,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
            },
            new ConnectionProfile
            {
                Name = "lake",
                Service = IngestService.LakeFs,
                Uri = Sandbox.Uri,
                SignIn = SignInKind.Password,
                UserName = Sandbox.LakeFs.Options.AccessKeyId,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
            },
            new ConnectionProfile
            {
                Name = "voss",
                Service = IngestService.Voss,
                Uri = Sandbox.Uri,
                SignIn = SignInKind.Password,
                UserName = VossUser,
                SecretFrom = "env:SCHEDULER_TEST_TOKEN",
            },
        ];
}
