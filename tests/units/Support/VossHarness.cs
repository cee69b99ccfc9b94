using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Uploads;

namespace IngestTools.Units.Support;

/// <summary>A sandbox, a connection to its VOSS, and a folder of workbooks: what a test of the VOSS flow begins with.</summary>
internal sealed class VossHarness : IAsyncDisposable
{
    public const string UserName = "hcsadmin@sys.hcs";

    /// <summary>With a colon and letters beyond ASCII, as a password may have.</summary>
    public const string Password = "canary:pässwörd";

    public const string Hierarchy = "sys.hcs.Provider";

    private readonly CancellationTokenSource _soon = new(TimeSpan.FromSeconds(60));

    private VossHarness(SandboxServer sandbox, IngestConnection connection)
    {
        Sandbox = sandbox;
        Connection = connection;
    }

    public SandboxServer Sandbox { get; }

    public IngestConnection Connection { get; }

    public TemporaryFolder Folder { get; } = new();

    public RecordingLogger Log { get; } = new();

    /// <summary>The journal that uploads and loads are recorded in; none where a test is not about it.</summary>
    public IIngestJournal Journal { get; set; } = IngestJournal.Off;

    public VossClient Client => new(Connection, Log, Journal);

    public VossState Voss => Sandbox.Voss;

    public VossOptions Options => Sandbox.Voss.Options;

    public ITransactionSource Source => TransactionSources.For(Connection, Log, Journal);

    /// <summary>Long enough for a busy machine, and short enough to fail instead of hanging.</summary>
    public CancellationToken Soon => _soon.Token;

    public IEnumerable<string> RequestsTo(string part) =>
        Sandbox.Requests.Settled().Select(r => $"{r.Method} {r.Target}").Where(r => r.Contains(part, StringComparison.Ordinal));

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
        SandboxServer sandbox = await SandboxServer.StartAsync(options);
        ConnectionSettings settings = new()
        {
            Service = IngestService.Voss,
            Uri = sandbox.Uri,
            SignIn = SignInKind.Password,
            UserName = UserName,
            Secret = _ => ValueTask.FromResult(Password),
            NoProxy = true,
        };
        settings = connect?.Invoke(settings) ?? settings;
        return new VossHarness(
            sandbox,
            IngestConnection.Open(settings, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, time ?? TimeProvider.System)
        );
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

    public Task<List<UploadResult>> SendAsync(IUploadTarget target, params string[] paths) => SendAsync(target, new UploadOptions(), paths);

    public async Task<List<UploadResult>> SendAsync(IUploadTarget target, UploadOptions options, params string[] paths)
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        foreach (string path in paths)
            requests.Writer.TryWrite(new UploadRequest(path, target));
        requests.Writer.Complete();
        List<UploadResult> results = [];
        await foreach (
            UploadResult result in new UploadEngine(options with { Recurse = true, Journal = Journal }, Log).SendAsync(
                requests.Reader,
                Soon
            )
        )
            results.Add(result);
        return results;
    }

    public async Task<UploadResult> SendAsync(string path, bool uniqueNames = false) =>
        (await SendAsync(Client.CreateUploadTarget(Hierarchy, uniqueNames), path)).Single();

    /// <summary>Begins to record, in a journal of the test's own.</summary>
    public IIngestJournal UseJournal() => Journal = new SqliteJournal(Path.Join(Folder.Path, "journal.db"), TimeProvider.System);

    /// <summary>Uploads a workbook, and asks for its load as the cmdlet does.</summary>
    public async Task<Transaction> LoadAsync(string path, bool again = false) =>
        await Client.StartAsync(BulkLoadRequest.Of(await SendAsync(path), Hierarchy) with { Again = again }, Soon);

    /// <summary>Uploads a workbook and starts to load it.</summary>
    public async Task<Transaction> StartLoadAsync(string path)
    {
        UploadResult sent = await SendAsync(path);
        return await Client.StartAsync(sent.FileName!, sent.Hierarchy!, Soon);
    }

    /// <summary>Waits for transactions side by side, and gives all that was told.</summary>
    public async Task<List<WaitEvent>> WaitAsync(IEnumerable<Transaction> transactions, WaitOptions? options = null)
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        ITransactionSource source = Source;
        foreach (Transaction transaction in transactions)
            requests.Writer.TryWrite(new WaitRequest(transaction, source));
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        WaitOptions how = options ?? new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(20) };
        await foreach (WaitEvent happened in new TransactionWaiter(how, Log).WaitAsync(requests.Reader, Soon))
            events.Add(happened);
        return events;
    }

    public async Task<(Transaction Ended, List<IngestException> Errors)> WaitAsync(Transaction transaction)
    {
        List<WaitEvent> events = await WaitAsync([transaction]);
        return (
            events.OfType<WaitEvent.Ended>().Single().Transaction,
            events.OfType<WaitEvent.Failed>().Select(failed => failed.Error).ToList()
        );
    }

    /// <summary>The error that a task ends with.</summary>
    public static async Task<IngestException> ErrorOfAsync(Func<Task> act) => await Xunit.Assert.ThrowsAsync<IngestException>(act);

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        Journal.Dispose();
        await Sandbox.DisposeAsync();
        Folder.Dispose();
        _soon.Dispose();
    }
}
