using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Sandbox;
using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Units.Support;

/// <summary>A sandbox, a connection to one of its services, and a folder of files: what a test of a service begins with.</summary>
internal abstract class ServiceFixture : SandboxFixture
{
    private readonly ConnectionSettings _settings;

    /// <param name="server">The sandbox.</param>
    /// <param name="settings">How to connect; a test may change them.</param>
    /// <param name="time">The clock of the connection and of its waits; null for the system's.</param>
    protected ServiceFixture(SandboxServer server, ConnectionSettings settings, TimeProvider? time)
        : base(server)
    {
        _settings = settings;
        Time = time ?? TimeProvider.System;
        Connection = Connect();
    }

    public IngestConnection Connection { get; }

    public TimeProvider Time { get; }

    public TemporaryFolder Folder { get; } = new();

    public RecordingLogger Log { get; } = new();

    public IReadOnlyList<string> Warnings => Log.At(LogLevel.Warning);

    /// <summary>The journal that is used; none where a test is not about it.</summary>
    public IIngestJournal Journal { get; set; } = IngestJournal.Off;

    public ITransactionSource Transactions => TransactionSources.For(Connection, Log, Journal);

    /// <summary>Another connection to the same service.</summary>
    public IngestConnection Connect(TimeProvider? time = null, Func<ConnectionSettings, ConnectionSettings>? change = null) =>
        IngestConnection.Open(change?.Invoke(_settings) ?? _settings, Log, time ?? Time);

    /// <summary>Begins to use a journal of the test's own.</summary>
    public IIngestJournal UseJournal() => Journal = new SqliteJournal(Path.Join(Folder.Path, "journal.db"), TimeProvider.System);

    /// <summary>Sends files, and collects the results.</summary>
    public async Task<List<UploadResult>> SendAsync(IUploadTarget target, UploadOptions? options, params string[] paths)
    {
        UploadOptions how = options ?? new UploadOptions();
        if (Journal != IngestJournal.Off)
            how = how with { Journal = Journal };
        List<UploadResult> results = [];
        await foreach (UploadResult result in new UploadEngine(how, Log).SendAsync(Requests(target, paths)))
            results.Add(result);
        return results;
    }

    /// <summary>Waits for transactions side by side, and collects what happened.</summary>
    public async Task<List<WaitEvent>> WaitAsync(
        IEnumerable<Transaction> transactions,
        WaitOptions? options = null,
        ITransactionSource? source = null
    )
    {
        ITransactionSource from = source ?? Transactions;
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        foreach (Transaction transaction in transactions)
            requests.Writer.TryWrite(new WaitRequest(transaction, from));
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        WaitOptions how = options ?? new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(20) };
        await foreach (WaitEvent happened in new TransactionWaiter(how, Log, Time).WaitAsync(requests.Reader, Soon))
            events.Add(happened);
        return events;
    }

    public Task<List<WaitEvent>> WaitAsync(Transaction transaction, WaitOptions? options = null, ITransactionSource? source = null) =>
        WaitAsync([transaction], options, source);

    /// <summary>Waits for a transaction, and returns it as it ended.</summary>
    public async Task<Transaction> EndAsync(Transaction transaction, WaitOptions? options = null) =>
        (await WaitAsync(transaction, options))[^1].Transaction;

    public Task<Transaction> LookAsync(Transaction transaction) => Transactions.LookAsync(transaction, Soon);

    public Task<Transaction> StopAsync(Transaction transaction) => Transactions.StopAsync(transaction, Soon);

    public override async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        Journal.Dispose();
        await base.DisposeAsync();
        Folder.Dispose();
    }

    protected static ChannelReader<UploadRequest> Requests(IUploadTarget target, string[] paths)
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        foreach (string path in paths)
            requests.Writer.TryWrite(new UploadRequest(path, target));
        requests.Writer.Complete();
        return requests.Reader;
    }
}
