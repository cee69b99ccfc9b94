using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Services.Ica;
using IngestTools.Transactions;

namespace IngestTools.Units.Support;

/// <summary>A sandbox and a connection to its ICA: what a test of linking batches begins with.</summary>
internal sealed class IcaHarness : IAsyncDisposable
{
    public const string ApiKey = "canary-3f9b2c71";

    public const string ProjectId = "8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d";

    private IcaHarness(SandboxServer sandbox, Func<ConnectionSettings, ConnectionSettings>? connect, TimeProvider time)
    {
        Sandbox = sandbox;
        Connection = Connect(time, connect);
    }

    public SandboxServer Sandbox { get; }

    public IngestConnection Connection { get; }

    public RecordingLogger Log { get; } = new();

    public IcaClient Client => new(Connection, Log);

    public IcaOptions Options => Sandbox.Ica.Options;

    public IReadOnlyList<IcaBatch> Batches => Sandbox.Ica.Batches;

    /// <param name="configure">How the service behaves.</param>
    /// <param name="time">The clock of both sides; null for the system's.</param>
    /// <param name="connect">How to connect.</param>
    public static async Task<IcaHarness> StartAsync(
        Action<IcaOptions>? configure = null,
        TimeProvider? time = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null
    )
    {
        IcaOptions options = new()
        {
            ApiKeys = [ApiKey],
            QueueTime = TimeSpan.Zero,
            TimePerItem = TimeSpan.Zero,
        };
        configure?.Invoke(options);
        SandboxServer sandbox = await SandboxServer.StartAsync(
            new SandboxOptions
            {
                Ica = options,
                Seed = 1,
                Clock = time ?? TimeProvider.System,
            }
        );
        return new IcaHarness(sandbox, connect, time ?? TimeProvider.System);
    }

    /// <summary>An id of data as real ones are.</summary>
    public static string Id(int number, string kind = "fil") => $"{kind}.{number:x32}";

    public static IEnumerable<string> Ids(int count) => Enumerable.Range(0, count).Select(number => Id(number));

    /// <summary>Another connection to the same sandbox.</summary>
    public IngestConnection Connect(TimeProvider time, Func<ConnectionSettings, ConnectionSettings>? connect = null)
    {
        ConnectionSettings settings = new()
        {
            Service = IngestService.Ica,
            Uri = new Uri(Sandbox.Uri, "ica/rest"),
            SignIn = SignInKind.ApiKey,
            Secret = _ => ValueTask.FromResult(ApiKey),
        };
        return IngestConnection.Open(connect?.Invoke(settings) ?? settings, Log, time);
    }

    public void Break(params string[] faults) => Sandbox.Faults.Replace(Array.ConvertAll(faults, Fault.Parse));

    public Task<List<LinkingResult>> LinkAsync(IEnumerable<string> ids, LinkingOptions? options = null) => LinkAsync(Client, ids, options);

    public static async Task<List<LinkingResult>> LinkAsync(IcaClient client, IEnumerable<string> ids, LinkingOptions? options = null)
    {
        List<LinkingResult> results = [];
        await foreach (LinkingResult result in client.LinkAsync(ProjectId, StreamOf(ids), options))
            results.Add(result);
        return results;
    }

    /// <summary>Makes one batch.</summary>
    public async Task<Transaction> StartAsync(params string[] ids) => (await LinkAsync(ids)).Single().Transaction!;

    public Task<Transaction> LookAsync(Transaction transaction) =>
        TransactionSources.For(Connection, Log).LookAsync(transaction, CancellationToken.None);

    public async Task<List<WaitEvent>> WaitAsync(params Transaction[] transactions)
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        foreach (Transaction transaction in transactions)
            requests.Writer.TryWrite(new WaitRequest(transaction, TransactionSources.For(Connection, Log)));
        requests.Writer.Complete();
        List<WaitEvent> events = [];
        await foreach (
            WaitEvent happened in new TransactionWaiter(new WaitOptions { PollInterval = TimeSpan.FromMilliseconds(20) }, Log).WaitAsync(
                requests.Reader,
                CancellationToken.None
            )
        )
            events.Add(happened);
        return events;
    }

    public async Task<List<LinkingBatchItem>> ItemsAsync(Transaction batch, IReadOnlyList<string>? statuses = null, int? pageSize = null)
    {
        List<LinkingBatchItem> items = [];
        await foreach (LinkingBatchItem item in Client.ReadItemsAsync(batch.ProjectId!, batch.BatchId!, statuses, pageSize))
            items.Add(item);
        return items;
    }

    /// <summary>How many requests came for a route: the method and what the path ends with.</summary>
    public int Count(string method, string pathEnd) =>
        Sandbox
            .Requests.Settled()
            .Count(request => request.Method == method && request.Target.Split('?')[0].EndsWith(pathEnd, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        Connection.Dispose();
        await Sandbox.DisposeAsync();
    }

    private static async IAsyncEnumerable<string> StreamOf(IEnumerable<string> ids)
    {
        foreach (string id in ids)
            yield return id;
        await Task.CompletedTask;
    }
}
