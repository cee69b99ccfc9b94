using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Services.LakeFs;

namespace IngestTools.Units.Support;

/// <summary>A sandbox whose lakeFS is quick, and a connection to it.</summary>
internal sealed class LakeFsHarness : ServiceFixture
{
    public const string Secret = "canary-lakefs-93f2";
    public const string Source = "s3://bucket/prefix/";

    private LakeFsHarness(SandboxServer server, ConnectionSettings settings, TimeProvider? time)
        : base(server, settings, time) { }

    public LakeFsClient Client => new(Connection, Log);

    public LakeFsOptions Options => Server.LakeFs.Options;

    public LakeFsObjectStore Store => Server.LakeFs.Store;

    public LakeFsRepository Lake => Server.LakeFs.Repository(LakeFsState.FirstRepository);

    public LakeFsBranch Main => Lake.Branch("main");

    public static async Task<LakeFsHarness> StartAsync(
        Action<LakeFsOptions>? configure = null,
        Func<ConnectionSettings, ConnectionSettings>? connect = null,
        TimeProvider? time = null
    )
    {
        SandboxOptions options = new() { Seed = 1 };
        options.LakeFs.SecretAccessKey = Secret;
        SetQuick(options.LakeFs);
        configure?.Invoke(options.LakeFs);
        SandboxServer server = await SandboxServer.StartAsync(options);
        ConnectionSettings settings = new()
        {
            Service = IngestService.LakeFs,
            Uri = server.Uri,
            SignIn = SignInKind.Password,
            UserName = options.LakeFs.AccessKeyId,
            Secret = _ => ValueTask.FromResult(Secret),
        };
        return new LakeFsHarness(server, connect?.Invoke(settings) ?? settings, time);
    }

    /// <summary>Lets no time pass inside an import.</summary>
    public static void SetQuick(LakeFsOptions options) => options.StatusInterval = options.RecordDelay = options.WriteTime = TimeSpan.Zero;

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
}
