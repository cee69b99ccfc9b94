namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>How lakeFS behaves. Properties are read at each use and may be set while the sandbox runs.</summary>
public sealed class LakeFsOptions
{
    /// <summary>The access key that signs in, by Basic and at /auth/login.</summary>
    public string AccessKeyId { get; set; } = "AKIASANDBOX";

    /// <summary>Its secret; in plain text, since it protects nothing but a sandbox.</summary>
    public string SecretAccessKey { get; set; } = "sandbox";

    /// <summary>A bearer token that is valid from the start and never ends.</summary>
    public string? Token { get; set; }

    /// <summary>Any bearer token is valid.</summary>
    public bool AcceptsAnyToken { get; set; }

    /// <summary>The value of the cookie oidc_auth_session that is valid; null for none.</summary>
    public string? OidcSession { get; set; }

    /// <summary>The value of the cookie saml_auth_session that is valid; null for none.</summary>
    public string? SamlSession { get; set; }

    /// <summary>How long a token of /auth/login is valid.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Whether /auth/login reports when a token expires.</summary>
    public bool TellsTokenExpiration { get; set; } = true;

    /// <summary>What nobody may do, such as "fs:ImportFromStorage".</summary>
    public IReadOnlyList<string> DeniedActions { get; set; } = [];

    /// <summary>What GET /config/version reports. The service behaves as this version.</summary>
    public string Version { get; set; } = "1.84.0";

    /// <summary>The form of the import operations.</summary>
    public LakeFsDialect Dialect { get; set; }

    /// <summary>Whether the storage can be imported from.</summary>
    public bool SupportsImport { get; set; } = true;

    /// <summary>Whether a proxy before the service answers a GET that has a body with 403.</summary>
    public bool RefusesGetWithBody { get; set; }

    /// <summary>How fast an import walks its source; a few thousand in truth, which no one wants to wait for here.</summary>
    public double ObjectsPerSecond { get; set; } = 50_000;

    /// <summary>How often an import writes its status, and looks whether it was cancelled.</summary>
    public TimeSpan StatusInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long after the start's answer the status is 404, in versions that return the id too early.</summary>
    public TimeSpan RecordDelay { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long ranges, the metarange and the commit are written, each, while the count of objects stands.</summary>
    public TimeSpan WriteTime { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the status of an import is kept after its last change.</summary>
    public TimeSpan RecordLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>With what words the walk of a source fails; null where it does not.</summary>
    public Func<string, string?> WalkFails { get; set; } = static _ => null;

    /// <summary>Whether an import of a source stops changing after its first status, as after a restart of the server.</summary>
    public Func<string, bool> ImportSticks { get; set; } = static _ => false;

    /// <summary>With what words a pre-commit hook aborts; null for none.</summary>
    public string? HookAborts { get; set; }

    /// <summary>Awaited by an import before it commits.</summary>
    public Func<Task> BeforeCommit { get; set; } = static () => Task.CompletedTask;

    /// <summary>Awaited by an import between its commit and its last status: a cancellation at this moment is accepted.</summary>
    public Func<Task> BeforeLastStatus { get; set; } = static () => Task.CompletedTask;

    /// <summary>Awaited by a cancellation before it looks at the import.</summary>
    public Func<Task> BeforeCancel { get; set; } = static () => Task.CompletedTask;

    /// <summary>How many keys a range takes; the server decides that.</summary>
    public int RangeSize { get; set; } = 100_000;

    /// <summary>How many keys of each full range come out of order, and are staged instead of written, as with ADLS Gen2.</summary>
    public int StagedPerRange { get; set; }

    /// <summary>A rule for <see cref="WalkFails"/> and <see cref="ImportSticks"/>: "*" is anything but a slash, "**" anything.</summary>
    public static Func<string, bool> SourcesLike(params string[] patterns)
    {
        Glob[] globs = Array.ConvertAll(patterns, Glob.ForPath);
        return source => Array.Exists(globs, glob => glob.IsMatch(source));
    }
}
