using System.Runtime.CompilerServices;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;
using IngestTools.Transactions;
using Microsoft.Extensions.Logging;

namespace IngestTools.Units.Support;

/// <summary>A sandbox whose lakeFS is quick, and a connection to it: what a test of imports begins with.</summary>
internal sealed class LakeFsHarness : IAsyncDisposable
{
    public const string Secret = "canary-lakefs-93f2";
    public const string Source = "s3://bucket/prefix/";

    private readonly ConnectionSettings _settings;

    private LakeFsHarness(SandboxServer sandbox, ConnectionSettings settings, TimeProvider time)
    {
        Sandbox = sandbox;
        _settings = settings;
        Connection = IngestConnection.Open(settings, new RecordingLogger(), time);
        Time = time;
    }

    public SandboxServer Sandbox { get; }

    public IngestConnection Connection { get; }

    /// <summary>The clock of the client and its waits.</summary>
    public TimeProvider Time { get; }

    public RecordingLogger Log { get; } = new();

    public LakeFsClient Client => new(Connection, Log);

    public ITransactionSource Transactions => TransactionSources.For(Connection, Log);

    public LakeFsOptions Options => Sandbox.LakeFs.Options;

    public LakeFsObjectStore Store => Sandbox.LakeFs.Store;

    public LakeFsRepository Lake => Sandbox.LakeFs.Repository(LakeFsState.FirstRepository);

    public LakeFsBranch Main => Lake.Branch("main");

    public static async Task<LakeFsHarness> StartAsync(
        Action<LakeFsOptions>? configure = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null,
        TimeProvider? time = null
    )
    {
        SandboxOptions options = new() { Seed = 1 };
        options.LakeFs.SecretAccessKey = Secret;
        (options.LakeFs.StatusInterval, options.LakeFs.RecordDelay, options.LakeFs.WriteTime) = (
            TimeSpan.Zero,
            TimeSpan.Zero,
            TimeSpan.Zero
        );
        configure?.Invoke(options.LakeFs);
        SandboxServer sandbox = await SandboxServer.StartAsync(options);
        ConnectionSettings settings = new()
        {
            Service = IngestService.LakeFs,
            Uri = sandbox.Uri,
            SignIn = SignInKind.Password,
            UserName = options.LakeFs.AccessKeyId,
            Secret = _ => ValueTask.FromResult(Secret),
        };
        TimeProvider clock = time ?? TimeProvider.System;
        return new LakeFsHarness(sandbox, connect?.Invoke(settings) ?? settings, clock);
    }

    /// <summary>Another connection to the same server, as another session of the same user has it.</summary>
    public IngestConnection Reconnect() => IngestConnection.Open(_settings, Log, Time);

    /// <summary>Sets the dialect that was before v0.101.</summary>
    public static void SpeakLegacy(LakeFsOptions options) => (options.Dialect, options.Version) = (LakeFsDialect.Legacy, "0.100.0");

    /// <summary>Sets one of the dialects.</summary>
    public static Action<LakeFsOptions> Speaking(ImportDialect dialect) => dialect == ImportDialect.Legacy ? SpeakLegacy : _ => { };

    /// <summary>An import of the usual source, in the sandbox's dialect.</summary>
    public ImportRequest Request(string destination = "raw/", params ImportSource[] sources) =>
        new()
        {
            Repository = "lake",
            Branch = "main",
            Sources = sources.Length > 0 ? sources : [new ImportSource(Source, destination)],
            Dialect = Options.Dialect == LakeFsDialect.Legacy ? ImportDialect.Legacy : ImportDialect.Auto,
        };

    public async Task<Transaction> StartAsync(ImportRequest? request = null) =>
        await Client.StartAsync(
            await Client.PrepareAsync(request ?? Request(), countsAll: false, CancellationToken.None),
            CancellationToken.None
        );

    public LakeFsImport Import(Transaction transaction) => Lake.Imports.Single(import => import.Id == transaction.ImportId);

    public Task WaitUntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        Sandbox.WaitUntilAsync(condition, null, what);

    public Task<Transaction> LookAsync(Transaction transaction) => Transactions.LookAsync(transaction, CancellationToken.None);

    public Task<Transaction> StopAsync(Transaction transaction) => Transactions.StopAsync(transaction, CancellationToken.None);

    /// <summary>Waits for a transaction, and gives all that was told.</summary>
    public async Task<List<WaitEvent>> WaitAsync(Transaction transaction, WaitOptions? options = null, ITransactionSource? source = null)
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(transaction, source ?? Transactions));
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        WaitOptions how = options ?? new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(20) };
        await foreach (WaitEvent happened in new TransactionWaiter(how, Log, Time).WaitAsync(requests.Reader, CancellationToken.None))
            events.Add(happened);
        return events;
    }

    /// <summary>Waits for a transaction, and gives it as it ended.</summary>
    public async Task<Transaction> EndAsync(Transaction transaction, WaitOptions? options = null) =>
        (await WaitAsync(transaction, options))[^1].Transaction;

    public void Misbehave(params string[] faults) => Sandbox.Faults.Replace(Array.ConvertAll(faults, Fault.Parse));

    /// <summary>How many requests with this method had a path that ends so.</summary>
    public int CountOf(string method, string end) =>
        Sandbox
            .Requests.Settled()
            .Count(request => request.Method == method && request.Target.Split('?')[0].EndsWith(end, StringComparison.Ordinal));

    public IReadOnlyList<string> Warnings => Log.At(LogLevel.Warning);

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        await Sandbox.DisposeAsync();
    }
}
