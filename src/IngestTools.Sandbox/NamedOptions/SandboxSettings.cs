using System.ComponentModel;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Ica;

namespace IngestTools.Sandbox.NamedOptions;

/// <summary>The options of the sandbox as a whole.</summary>
internal sealed record SandboxSettings
{
    [Description("the user who can sign in at DSP-API and ICA; default root@example.com")]
    public string? User { get; init; }

    [Secret]
    [Description("that user's password; default \"test\"")]
    public string? Password { get; init; }

    [Secret]
    [Description("a bearer token that DSP-INGEST, ICA and lakeFS accept without a sign-in")]
    public string? Token { get; init; }

    [Description("DSP-INGEST, ICA and lakeFS accept any bearer token")]
    public bool? AcceptAnyToken { get; init; }

    [Description("the seed of everything random, to repeat a run")]
    public int? Seed { get; init; }

    [Description("the sandbox ends after this many seconds")]
    public int? RunSeconds { get; init; }

    /// <summary>After how long the sandbox ends by itself.</summary>
    internal TimeSpan RunTime => RunSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan;

    /// <summary>The user and the token are the same at every service that has them.</summary>
    public void ApplyTo(SandboxOptions options)
    {
        DspUser usual = options.DspIngest.Users[0];
        DspUser user = new(User ?? usual.Email, Password ?? usual.Password);
        options.DspIngest.Users = [user];
        options.Ica.Users = [new IcaUser(user.Email, user.Password)];
        options.DspIngest.Token = options.Ica.Token = options.LakeFs.Token = Token;
        options.DspIngest.AcceptsAnyToken = options.Ica.AcceptsAnyToken = options.LakeFs.AcceptsAnyToken = AcceptAnyToken ?? false;
    }
}
