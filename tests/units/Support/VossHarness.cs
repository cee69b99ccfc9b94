using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Uploads;

namespace IngestTools.Units.Support;

/// <summary>A sandbox and a connection to its VOSS, with a folder of workbooks.</summary>
internal sealed class VossHarness : ServiceFixture
{
    public const string UserName = "hcsadmin@sys.hcs";

    /// <summary>With a colon and letters beyond ASCII, as a password may have.</summary>
    public const string Password = "canary:pässwörd";

    public const string Hierarchy = "sys.hcs.Provider";

    private VossHarness(SandboxServer server, ConnectionSettings settings, TimeProvider? time)
        : base(server, settings, time) { }

    public VossClient Client => new(Connection, Log, Journal);

    public VossState Voss => Server.Voss;

    public VossOptions Options => Server.Voss.Options;

    public IEnumerable<string> RequestsTo(string part) =>
        Server.Requests.Settled().Select(r => $"{r.Method} {r.Target}").Where(r => r.Contains(part, StringComparison.Ordinal));

    public static async Task<VossHarness> StartAsync(
        Action<VossOptions>? configure = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null,
        TimeProvider? time = null,
        params string[] faults
    )
    {
        SandboxOptions options = new() { Seed = 1, Faults = Array.ConvertAll(faults, Fault.Parse) };
        options.Voss.Users = [new VossUser(UserName, Password)];
        options.Voss.TimePerRow = options.Voss.QueueTime = TimeSpan.Zero;
        configure?.Invoke(options.Voss);
        SandboxServer server = await SandboxServer.StartAsync(options);
        ConnectionSettings settings = new()
        {
            Service = IngestService.Voss,
            Uri = server.Uri,
            SignIn = SignInKind.Password,
            UserName = UserName,
            Secret = _ => ValueTask.FromResult(Password),
            NoProxy = true,
        };
        return new VossHarness(server, connect?.Invoke(settings) ?? settings, time);
    }

    /// <summary>Writes a workbook of one sheet "Users" whose rows have these emails.</summary>
    public string Write(string name, params string[] emails) => WriteParallel(name, isParallel: false, emails);

    public string WriteParallel(string name, bool isParallel, params string[] emails)
    {
        string path = Path.Join(Folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new TestWorkbook()
            .Add(
                "Users",
                [
                    [$"entity: data/User; parallel: {isParallel}"],
                    ["Username", "Email"],
                    .. emails.Select((email, i) => new[] { $"user{i + 1}", email }),
                ]
            )
            .Save(path);
    }

    public Task<List<UploadResult>> SendAsync(IUploadTarget target, params string[] paths) =>
        SendAsync(target, new UploadOptions { Recurse = true }, paths);

    public async Task<UploadResult> SendAsync(string path, bool uniqueNames = false) =>
        (await SendAsync(Client.CreateUploadTarget(Hierarchy, uniqueNames), path)).Single();

    /// <summary>Uploads a workbook, and asks for its load as the cmdlet does.</summary>
    public async Task<Transaction> LoadAsync(string path, bool again = false) =>
        await Client.StartAsync(BulkLoadRequest.Of(await SendAsync(path), Hierarchy) with { Again = again }, Soon);

    /// <summary>Uploads a workbook and starts to load it.</summary>
    public async Task<Transaction> StartLoadAsync(string path)
    {
        UploadResult sent = await SendAsync(path);
        return await Client.StartAsync(sent.FileName!, sent.Hierarchy!, Soon);
    }

    /// <summary>Waits for a load, and returns it as it ended and the errors.</summary>
    public async Task<(Transaction Ended, List<IngestException> Errors)> FollowAsync(Transaction transaction)
    {
        List<WaitEvent> events = await WaitAsync(transaction);
        return (
            events.OfType<WaitEvent.Ended>().Single().Transaction,
            events.OfType<WaitEvent.Failed>().Select(failed => failed.Error).ToList()
        );
    }

    /// <summary>The error that a task ends with.</summary>
    public static async Task<IngestException> ErrorOfAsync(Func<Task> act) => await Xunit.Assert.ThrowsAsync<IngestException>(act);
}
