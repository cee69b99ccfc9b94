using System.ComponentModel;
using IngestTools.Sandbox.NamedOptions;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>The options of lakeFS. Those that are not set stay as they are.</summary>
internal sealed record LakeFsSettings
{
    [Description("the version of lakeFS; default 1.84.0")]
    public string? Version { get; init; }

    [Description("the form of the import operations; Legacy goes with lakefs:version=0.100.0")]
    public LakeFsDialect? Dialect { get; init; }

    [Secret]
    [Description("the secret of the access key AKIASANDBOX; default \"sandbox\"")]
    public string? SecretAccessKey { get; init; }

    [Secret]
    [Description("a bearer token that is accepted without a sign-in")]
    public string? Token { get; init; }

    [Secret]
    [Description("the value of the cookie oidc_auth_session that is accepted")]
    public string? OidcSession { get; init; }

    [Secret]
    [Description("the value of the cookie saml_auth_session that is accepted")]
    public string? SamlSession { get; init; }

    [Description("seconds for which a token is valid; default 604800")]
    public double? TokenSeconds { get; init; }

    [Description("an action that is denied to everybody, such as fs:ImportFromStorage; can be given several times")]
    public string[]? DeniedActions { get; init; }

    [Description("the storage can be imported from; default true")]
    public bool? SupportsImport { get; init; }

    [Description("a proxy answers a GET that has a body with 403")]
    public bool? RefusesGetWithBody { get; init; }

    [Description("objects that an import finds in a second; default 50000")]
    public double? ObjectsPerSecond { get; init; }

    [Description("milliseconds between two statuses of an import; default 1000")]
    public double? StatusMs { get; init; }

    [Description("milliseconds for which the status of a new import is not found; default 300")]
    public double? RecordMs { get; init; }

    [Description("milliseconds that ranges, the metarange and the commit take, each; default 200")]
    public double? WriteMs { get; init; }

    [Description("the message with which a pre-commit hook aborts")]
    public string? HookAborts { get; init; }

    [Description("the message with which the search of a source fails")]
    public string? WalkFails { get; init; }

    [Description("an import of a source like this (* stands for any text but a slash, ** for any text) stalls; can be given several times")]
    public string[]? ImportSticks { get; init; }

    [Description("the maximum number of keys in a range; default 100000")]
    public int? RangeSize { get; init; }

    [Description("keys of each full range that are staged; default 0")]
    public int? StagedPerRange { get; init; }

    public void ApplyTo(LakeFsOptions options)
    {
        options.Version = Version ?? options.Version;
        options.Dialect = Dialect ?? options.Dialect;
        options.SupportsImport = SupportsImport ?? options.SupportsImport;
        options.RefusesGetWithBody = RefusesGetWithBody ?? options.RefusesGetWithBody;
        options.ObjectsPerSecond = ObjectsPerSecond ?? options.ObjectsPerSecond;
        options.RangeSize = RangeSize ?? options.RangeSize;
        options.StagedPerRange = StagedPerRange ?? options.StagedPerRange;
        options.DeniedActions = DeniedActions ?? options.DeniedActions;
        options.SecretAccessKey = SecretAccessKey ?? options.SecretAccessKey;
        options.Token = Token ?? options.Token;
        options.OidcSession = OidcSession ?? options.OidcSession;
        options.SamlSession = SamlSession ?? options.SamlSession;
        ApplyTimesTo(options);
        ApplyFailuresTo(options);
    }

    private void ApplyTimesTo(LakeFsOptions options)
    {
        if (StatusMs is { } status)
            options.StatusInterval = TimeSpan.FromMilliseconds(status);
        if (RecordMs is { } record)
            options.RecordDelay = TimeSpan.FromMilliseconds(record);
        if (WriteMs is { } write)
            options.WriteTime = TimeSpan.FromMilliseconds(write);
        if (TokenSeconds is { } token)
            options.TokenLifetime = TimeSpan.FromSeconds(token);
    }

    /// <summary>An empty text takes a failure back.</summary>
    private void ApplyFailuresTo(LakeFsOptions options)
    {
        if (HookAborts is not null)
            options.HookAborts = HookAborts.Length == 0 ? null : HookAborts;
        if (WalkFails is { } words)
            options.WalkFails = words.Length == 0 ? static _ => null : _ => words;
        if (ImportSticks is { } patterns)
            options.ImportSticks = LakeFsOptions.SourcesLike(patterns);
    }
}
