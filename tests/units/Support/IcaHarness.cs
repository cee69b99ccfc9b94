using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Services.Ica;

namespace IngestTools.Units.Support;

/// <summary>A sandbox and a connection to its ICA.</summary>
internal sealed class IcaHarness : ServiceFixture
{
    public const string ApiKey = "canary-3f9b2c71";

    public const string ProjectId = "8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d";

    private IcaHarness(SandboxServer server, ConnectionSettings settings, TimeProvider? time)
        : base(server, settings, time) { }

    public IcaClient Client => new(Connection, Log);

    public IcaOptions Options => Server.Ica.Options;

    public IReadOnlyList<IcaBatch> Batches => Server.Ica.Batches;

    /// <param name="configure">How the service behaves.</param>
    /// <param name="time">The clock of both sides; null for the system's.</param>
    /// <param name="connect">How to connect.</param>
    public static async Task<IcaHarness> StartAsync(
        Action<IcaOptions>? configure = null,
        TimeProvider? time = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null
    )
    {
        SandboxOptions options = new() { Seed = 1, Clock = time ?? TimeProvider.System };
        options.Ica.ApiKeys = [ApiKey];
        options.Ica.QueueTime = options.Ica.TimePerItem = TimeSpan.Zero;
        configure?.Invoke(options.Ica);
        SandboxServer server = await SandboxServer.StartAsync(options);
        ConnectionSettings settings = new()
        {
            Service = IngestService.Ica,
            Uri = new Uri(server.Uri, "ica/rest"),
            SignIn = SignInKind.ApiKey,
            Secret = _ => ValueTask.FromResult(ApiKey),
        };
        return new IcaHarness(server, connect?.Invoke(settings) ?? settings, time);
    }

    /// <summary>An id of data as real ones are.</summary>
    public static string Id(int number, string kind = "fil") => $"{kind}.{number:x32}";

    public static IEnumerable<string> Ids(int count) => Enumerable.Range(0, count).Select(number => Id(number));

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

    public async Task<List<LinkingBatchItem>> ItemsAsync(Transaction batch, IReadOnlyList<string>? statuses = null, int? pageSize = null)
    {
        List<LinkingBatchItem> items = [];
        await foreach (LinkingBatchItem item in Client.ReadItemsAsync(batch.ProjectId!, batch.BatchId!, statuses, pageSize))
            items.Add(item);
        return items;
    }

    private static async IAsyncEnumerable<string> StreamOf(IEnumerable<string> ids)
    {
        foreach (string id in ids)
            yield return id;
        await Task.CompletedTask;
    }
}
