using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Scheduling;
using IngestTools.Services.DspIngest;
using IngestTools.Services.Ica;
using IngestTools.Services.LakeFs;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Units.Hostile;

/// <summary>All operations of the four services, as hosts call them. What one gives, others use.</summary>
internal sealed class Operations(TemporaryFolder folder)
{
    public const string Token = "Tok3n-canary+7d1f0b52/=";
    public const string Password = "Pässw0rd:\"canary\"&<9c7>";
    public const string AccessKey = "AKIACANARY4B1C2D3E4F";
    public const string AccessSecret = "S3cret/canary+4b1c2d3e4f5a6b7c8d9e0";
    public const string ApiKey = "ApiK3y-canary-3f9b2c71aa55";
    public const string UserName = "hcsadmin@sys.hcs";
    public const string Signature = "presigned-canary-0f1e2d3c4b5a";

    private const string Shortcode = "0001";
    private const string Source = "s3://bucket/prefix/?X-Amz-Signature=" + Signature;

    private readonly string _picture = folder.Write("one.tif");
    private readonly string _workbook = new TestWorkbook()
        .Add(
            "Users",
            [
                ["entity: data/User; parallel: false"],
                ["Username", "Email"],
                ["user1", "a@example.org"],
                ["user2", "fail"],
            ]
        )
        .Save(Path.Join(folder.Path, "users.xlsx"));

    private readonly Dictionary<IngestService, Transaction> _started = [];
    private List<ImportRange> _ranges = [];

    public static IReadOnlyList<string> Secrets { get; } = [Token, Password, AccessKey, AccessSecret, ApiKey, Signature];

    /// <summary>What a server is told by an operation, so that it can repeat it.</summary>
    public static IReadOnlyList<string> SecretsOf(IngestService service, string name) =>
        service switch
        {
            IngestService.DspIngest => [Token],
            IngestService.Ica => [ApiKey],
            IngestService.LakeFs => name is "import" or "ranges" ? [AccessKey, AccessSecret, Signature] : [AccessKey, AccessSecret],
            _ => [Password],
        };

    public IReadOnlyList<(
        IngestService Service,
        string Name,
        Func<IngestConnection, ILogger, TimeProvider, CancellationToken, Task<object?>> Do
    )> All =>
        [
            .. Enum.GetValues<IngestService>()
                .Select(service =>
                    (service, "check", (Func<IngestConnection, ILogger, TimeProvider, CancellationToken, Task<object?>>)CheckAsync)
                ),
            (
                IngestService.DspIngest,
                "upload",
                (c, log, time, token) => UploadAsync(new DspIngestClient(c, log).CreateUploadTarget(Shortcode), _picture, log, time, token)
            ),
            (
                IngestService.DspIngest,
                "start",
                async (c, log, _, token) =>
                    _started[c.Service] = await new DspIngestClient(c, log).StartAsync(Shortcode, NamesOf("one.tif"), token)
            ),
            (IngestService.DspIngest, "mark", async (c, log, _, token) => await new DspIngestClient(c, log).MarkAsync(Shortcode, token)),
            (
                IngestService.DspIngest,
                "mapping",
                async (c, log, _, token) => await ListAsync(new DspIngestClient(c, log).ReadMappingAsync(Shortcode, token))
            ),
            (
                IngestService.DspIngest,
                "save mapping",
                async (c, log, _, token) =>
                    await new DspIngestClient(c, log).SaveMappingAsync(Shortcode, Path.Join(folder.Path, "mapping.csv"), token)
            ),
            (
                IngestService.DspIngest,
                "complete",
                async (c, log, _, token) =>
                {
                    await new DspIngestClient(c, log).CompleteAsync(Shortcode, null, force: true, token);
                    return null;
                }
            ),
            (IngestService.Ica, "link", (c, log, _, token) => LinkAsync(new IcaClient(c, log), token)),
            (
                IngestService.Ica,
                "items",
                async (c, log, _, token) =>
                    await ListAsync(new IcaClient(c, log).ReadItemsAsync(Of(c).ProjectId!, Of(c).BatchId!, null, null, token))
            ),
            (
                IngestService.LakeFs,
                "import",
                async (c, log, _, token) =>
                {
                    ImportRequest request = new()
                    {
                        Repository = "lake",
                        Branch = "main",
                        Sources = [new ImportSource(Source, "raw/")],
                    };
                    ImportPlan plan = await new LakeFsClient(c, log).PrepareAsync(request, countsAll: false, token);
                    return plan.Errors.Count > 0
                        ? plan.Errors
                        : _started[c.Service] = await new LakeFsClient(c, log).StartAsync(plan, token);
                }
            ),
            (
                IngestService.LakeFs,
                "find commit",
                async (c, log, _, token) => await new LakeFsClient(c, log).FindCommitAsync("lake", "main", "run", "1", token)
            ),
            (
                IngestService.LakeFs,
                "ranges",
                async (c, log, _, token) =>
                {
                    RangeRequest request = new()
                    {
                        Repository = "lake",
                        Source = Source,
                        FollowsPages = true,
                    };
                    return _ranges = await ListAsync(new LakeFsClient(c, log).CreateRangesAsync(request, token).Take(5));
                }
            ),
            (
                IngestService.LakeFs,
                "metarange",
                async (c, log, _, token) => await new LakeFsClient(c, log).CreateMetaRangeAsync("lake", _ranges, token)
            ),
            (
                IngestService.Voss,
                "upload",
                (c, log, time, token) =>
                    UploadAsync(new VossClient(c, log).CreateUploadTarget("sys.hcs.Provider"), _workbook, log, time, token)
            ),
            (
                IngestService.Voss,
                "start",
                async (c, log, _, token) =>
                    _started[c.Service] = await new VossClient(c, log).StartAsync("users.xlsx", "sys.hcs.Provider", token)
            ),
            (
                IngestService.Voss,
                "find load",
                async (c, log, _, token) => await new VossClient(c, log).FindLoadAsync("users.xlsx", "sys.hcs.Provider", token)
            ),
            (
                IngestService.Voss,
                "schedule",
                async (c, log, _, token) =>
                    await new VossClient(c, log).ScheduleAsync(
                        "users.xlsx",
                        "sys.hcs.Provider",
                        ScheduleTime.Resolve("2031-05-01T02:00:00Z", null, DateTimeOffset.UtcNow, force: false),
                        token
                    )
            ),
            (IngestService.Voss, "hierarchies", async (c, log, _, token) => await new VossClient(c, log).ListHierarchiesAsync(token)),
            .. Enum.GetValues<IngestService>().SelectMany(OfTransaction),
        ];

    public static SandboxOptions Sandbox(int rows = 0)
    {
        SandboxOptions options = new() { Seed = 1 };
        options.DspIngest.Token = Token;
        options.Ica.ApiKeys = [ApiKey];
        (options.Ica.QueueTime, options.Ica.TimePerItem) = (TimeSpan.Zero, TimeSpan.Zero);
        options.LakeFs.AccessKeyId = AccessKey;
        options.LakeFs.SecretAccessKey = AccessSecret;
        (options.LakeFs.StatusInterval, options.LakeFs.RecordDelay, options.LakeFs.WriteTime) = (
            TimeSpan.Zero,
            TimeSpan.Zero,
            TimeSpan.Zero
        );
        options.Voss.Users = [new(UserName, Password)];
        options.Voss.TimePerRow = options.Voss.QueueTime = TimeSpan.Zero;
        return options;
    }

    public static ConnectionSettings Settings(IngestService service, Uri uri, bool signsInByRequest) =>
        service switch
        {
            IngestService.DspIngest => new()
            {
                Service = service,
                Uri = uri,
                SignIn = SignInKind.Token,
                Secret = Secret(Token),
            },
            IngestService.Ica => new()
            {
                Service = service,
                Uri = new Uri(uri, "ica/rest"),
                SignIn = SignInKind.ApiKey,
                Secret = Secret(ApiKey),
            },
            IngestService.LakeFs => new()
            {
                Service = service,
                Uri = uri,
                SignIn = SignInKind.Password,
                UserName = AccessKey,
                Secret = Secret(AccessSecret),
                AuthenticationUri = signsInByRequest ? uri : null,
            },
            _ => new()
            {
                Service = service,
                Uri = uri,
                SignIn = SignInKind.Password,
                UserName = UserName,
                Secret = Secret(Password),
                AuthenticationUri = signsInByRequest ? uri : null,
            },
        };

    private static SecretReader Secret(string secret) => _ => ValueTask.FromResult(secret);

    private IEnumerable<(
        IngestService,
        string,
        Func<IngestConnection, ILogger, TimeProvider, CancellationToken, Task<object?>>
    )> OfTransaction(IngestService service)
    {
        yield return (service, "look", async (c, log, _, token) => await TransactionSources.For(c, log).LookAsync(Of(c), token));
        yield return (
            service,
            "look together",
            async (c, log, _, token) => await TransactionSources.For(c, log).LookAsync([Of(c), Of(c)], token)
        );
        yield return (service, "wait", WaitAsync);
        yield return (
            service,
            "failed items",
            async (c, log, _, token) =>
                await ListAsync(
                    TransactionSources.For(c, log).ReadFailedItemsAsync(Of(c) with { Status = TransactionStatus.PartlySucceeded }, token)
                )
        );
        yield return (service, "stop", async (c, log, _, token) => await TransactionSources.For(c, log).StopAsync(Of(c), token));
    }

    private Transaction Of(IngestConnection connection) => _started[connection.Service];

    private static UploadedNames NamesOf(string name)
    {
        UploadedNames names = new();
        names.Add(name);
        return names;
    }

    private static async Task<object?> CheckAsync(
        IngestConnection connection,
        ILogger logger,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        string? scope = connection.Service switch
        {
            IngestService.DspIngest => Shortcode,
            IngestService.Ica => IcaHarness.ProjectId,
            IngestService.LakeFs => "lake",
            _ => "sys.hcs.Provider",
        };
        return await ServiceCheck.RunAsync(connection, scope, logger, cancellationToken);
    }

    private static async Task<object?> UploadAsync(
        IUploadTarget target,
        string path,
        ILogger logger,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        requests.Writer.TryWrite(new UploadRequest(path, target));
        requests.Writer.Complete();
        return await ListAsync(
            new UploadEngine(new UploadOptions { LockTimeout = TimeSpan.FromSeconds(1) }, logger, time).SendAsync(
                requests.Reader,
                cancellationToken
            )
        );
    }

    private async Task<object?> LinkAsync(IcaClient client, CancellationToken cancellationToken)
    {
        List<LinkingResult> results = await ListAsync(client.LinkAsync(IcaHarness.ProjectId, IdsAsync(), null, cancellationToken));
        if (results is [{ Transaction: { } started }])
            _started[IngestService.Ica] = started;
        return results;

        static async IAsyncEnumerable<string> IdsAsync()
        {
            foreach (string id in IcaHarness.Ids(3))
                yield return id;
            await Task.CompletedTask;
        }
    }

    private async Task<object?> WaitAsync(
        IngestConnection connection,
        ILogger logger,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(Of(connection), TransactionSources.For(connection, logger)));
        requests.Writer.Complete();
        WaitOptions options = new() { PollInterval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(5) };
        return await ListAsync(new TransactionWaiter(options, logger, time).WaitAsync(requests.Reader, cancellationToken));
    }

    private static async Task<List<T>> ListAsync<T>(IAsyncEnumerable<T> all)
    {
        List<T> list = [];
        await foreach (T one in all)
            list.Add(one);
        return list;
    }
}

/// <summary>The beginning of a sequence.</summary>
internal static class AsyncSequence
{
    public static async IAsyncEnumerable<T> Take<T>(this IAsyncEnumerable<T> all, int count)
    {
        await foreach (T one in all)
        {
            if (count-- == 0)
                yield break;
            yield return one;
        }
    }
}
