using IngestTools.Connections;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>How one signs in to lakeFS, and where the settings come from.</summary>
public sealed class LakeFsConnectionTests
{
    private const string Yaml = """
        # lakectl command line configuration
        credentials:
            access_key_id: 'AKIAFILE'   # mine
            secret_access_key: "canary # file"
        metastore:
            glue: {catalog_id: ""}
        server:
            endpoint_url: https://lake.example.org/api/v1 # with a comment
        """;

    [Theory]
    [InlineData("")]
    [InlineData("api/v1")]
    [InlineData("api/v1/")]
    public async Task Address_is_taken_with_and_without_the_path_of_the_api(string path)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(connect: settings =>
            settings with
            {
                Uri = new Uri(settings.Uri!, path),
            }
        );
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync())).Status);
    }

    [Fact]
    public async Task Access_key_is_exchanged_for_a_token_that_is_renewed_before_it_ends()
    {
        ShiftedTime time = new();
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            connect: settings => settings with { AuthenticationUri = settings.Uri },
            time: time
        );
        Transaction ended = await lake.EndAsync(await lake.StartAsync());
        Assert.Equal(1, lake.Server.LakeFs.Tokens.Issued);

        time.Shift = lake.Options.TokenLifetime - TimeSpan.FromMinutes(1);
        await lake.LookAsync(ended);

        Assert.Equal(2, lake.Server.LakeFs.Tokens.Issued);
        Assert.DoesNotContain(lake.Server.Requests.Settled(), request => request.Status == 401);
    }

    [Theory]
    [InlineData("")]
    [InlineData("api/v1/auth/login")]
    public async Task Token_that_the_server_no_longer_takes_is_renewed(string path)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => o.TellsTokenExpiration = false,
            settings => settings with { AuthenticationUri = new Uri(settings.Uri!, path) }
        );
        Transaction started = await lake.StartAsync();
        lake.Server.LakeFs.Tokens.ExpireAll();
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(started)).Status);
        Assert.Equal(2, lake.Server.LakeFs.Tokens.Issued);
    }

    [Theory]
    [InlineData("oidc_auth_session", "oidc-canary")]
    [InlineData("saml_auth_session", "saml-canary")]
    public async Task Session_cookie_signs_in(string name, string value)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => (o.OidcSession, o.SamlSession) = ("oidc-canary", "saml-canary"),
            settings => With(settings, SignInKind.Cookie, name, value + "\n")
        );
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync())).Status);
    }

    [Fact]
    public async Task Internal_session_cookie_signs_in_as_the_server_gave_it()
    {
        string? cookie = null;
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(connect: settings =>
            settings with
            {
                SignIn = SignInKind.Cookie,
                UserName = "internal_auth_session",
                Secret = _ => ValueTask.FromResult(cookie!),
            }
        );
        using HttpClient browser = new();
        using StringContent body = new($$"""{"access_key_id":"AKIASANDBOX","secret_access_key":"{{LakeFsHarness.Secret}}"}""");
        using HttpResponseMessage login = await browser.PostAsync(new Uri(lake.Server.Uri, "api/v1/auth/login"), body);
        cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0].Split('=')[1];
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync())).Status);
    }

    [Fact]
    public async Task Bearer_token_signs_in()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(
            o => o.Token = "t0ken",
            settings => With(settings, SignInKind.Token, null, "t0ken")
        );
        Assert.Equal(TransactionStatus.Succeeded, (await lake.EndAsync(await lake.StartAsync())).Status);
    }

    [Theory]
    [InlineData(SignInKind.Password, "AKIASANDBOX", false)]
    [InlineData(SignInKind.Password, "AKIASANDBOX", true)]
    [InlineData(SignInKind.Token, null, false)]
    [InlineData(SignInKind.Cookie, "saml_auth_session", false)]
    public async Task Wrong_secret_is_told_and_never_shown(SignInKind kind, string? user, bool logsIn)
    {
        const string Wrong = "wrong-canary-5521";
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(connect: settings =>
            With(settings, kind, user, Wrong) with
            {
                AuthenticationUri = logsIn ? settings.Uri : null,
            }
        );
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => lake.StartAsync());
        Assert.Equal(ErrorId.NotSignedIn, error.ErrorId);
        Assert.DoesNotContain(Wrong, error + error.ServerMessage + error.Advice + lake.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(423)]
    [InlineData(429)]
    public async Task Too_many_attempts_to_sign_in_are_told_as_such(int status)
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(connect: settings =>
            settings with
            {
                AuthenticationUri = settings.Uri,
                MaxAttempts = 1,
            }
        );
        lake.SetFaults($"{status}=9,POST /api/v1/auth/login");
        Assert.Equal(ErrorId.TooManyRequests, (await Assert.ThrowsAsync<IngestException>(() => lake.StartAsync())).ErrorId);
    }

    [Theory]
    [InlineData(SignInKind.ApiKey, null)]
    [InlineData(SignInKind.Cookie, "session")]
    [InlineData(SignInKind.Password, "a:b")]
    [InlineData(SignInKind.Password, "")]
    public void Sign_in_that_lakefs_does_not_know_is_refused(SignInKind kind, string? user)
    {
        ConnectionSettings settings = With(
            new ConnectionSettings { Service = IngestService.LakeFs, Uri = new Uri("http://127.0.0.1:1") },
            kind,
            user,
            "x"
        );
        Assert.Equal(ErrorId.Rejected, Assert.Throws<IngestException>(() => IngestConnection.Open(settings)).ErrorId);
    }

    [Theory]
    [InlineData("lakefs://KEY:canary@host/")]
    [InlineData("KEY:canary@host")]
    public void Secret_in_an_address_is_in_no_error(string address)
    {
        ConnectionSettings settings = new() { Service = IngestService.LakeFs, Uri = new Uri(address) };
        Assert.DoesNotContain(
            "canary",
            Assert.Throws<IngestException>(() => IngestConnection.Open(settings)).ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Check_tells_version_sign_in_and_repository()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync();
        ServiceReport report = await CheckAsync(lake, "lake");
        Assert.Equal((true, "1.84.0", true, null), (report.Reachable, report.Version, report.SignedIn, report.Allowed));
        Assert.True(report.Ok);

        Assert.False((await CheckAsync(lake, "none")).Ok);
        lake.Server.LakeFs.AddRepository("closed", isReadOnly: true);
        Assert.Contains("-AllowReadOnly", (await CheckAsync(lake, "closed")).Details[^1], StringComparison.Ordinal);
        lake.Options.SupportsImport = false;
        Assert.Contains("cannot import", (await CheckAsync(lake, null)).Details[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_tells_what_is_wrong_with_the_sign_in_and_with_the_address()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(connect: settings =>
            With(settings, SignInKind.Token, null, "wrong") with
            {
                MaxAttempts = 1,
            }
        );
        ServiceReport report = await CheckAsync(lake, null);
        Assert.Equal((true, false, false), (report.Reachable, report.SignedIn, report.Ok));
        await lake.Server.DisposeAsync();
        Assert.False((await CheckAsync(lake, null)).Reachable);
    }

    [Fact]
    public async Task Settings_of_lakectl_are_taken_from_its_file()
    {
        using TemporaryFolder folder = new();
        ConnectionSettings settings = ReadFrom(folder, Yaml)!;
        Assert.Equal(
            ("https://lake.example.org/api/v1", SignInKind.Password, "AKIAFILE", null),
            (settings.Uri!.AbsoluteUri, settings.SignIn, settings.UserName, settings.SecretFrom)
        );
        Assert.Equal("canary # file", await settings.Secret!(CancellationToken.None));
    }

    [Fact]
    public async Task Variables_of_lakectl_beat_its_file()
    {
        using TemporaryFolder folder = new();
        ConnectionSettings settings = ReadFrom(
            folder,
            Yaml,
            ("LAKECTL_SERVER_ENDPOINT_URL", "https://other.example.org"),
            ("LAKECTL_CREDENTIALS_ACCESS_KEY_ID", "AKIAENV"),
            ("LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY", "env")
        )!;
        Assert.Equal(
            ("other.example.org", "AKIAENV", "env"),
            (settings.Uri!.Host, settings.UserName, await settings.Secret!(CancellationToken.None))
        );
        Assert.Equal(SignInKind.Token, ReadFrom(folder, Yaml, ("LAKECTL_CREDENTIALS_SESSION_TOKEN", "t"))!.SignIn);
        Assert.Equal("AKIAFILE", ReadFrom(folder, Yaml, ("LAKECTL_SERVER_ENDPOINT_URL", "https://other.example.org"))!.UserName);
    }

    [Fact]
    public void Credentials_of_lakectls_file_do_not_go_to_an_address_of_ours()
    {
        using TemporaryFolder folder = new();
        ConnectionSettings settings = ReadFrom(folder, Yaml, ("INGESTTOOLS_LAKEFS_URI", "https://other.example.org"))!;
        Assert.Equal((SignInKind.None, null), (settings.SignIn, settings.UserName));
    }

    [Theory]
    [InlineData("")]
    [InlineData("just some text\n")]
    [InlineData("server:\n    endpoint_url:\ncredentials:\n")]
    public void File_without_an_address_is_no_connection(string text)
    {
        using TemporaryFolder folder = new();
        Assert.Null(ReadFrom(folder, text));
        Assert.Null(EnvironmentConnections.Read(IngestService.LakeFs, name => name == "HOME" ? "/nowhere" : null));
    }

    [Theory]
    [InlineData(
        "credentials: {access_key_id: AKIAFILE, secret_access_key: canary}\nserver: {endpoint_url: 'https://lake.example.org'}\n",
        "canary"
    )]
    [InlineData(
        "credentials:\n  access_key_id: AKIAFILE\n  secret_access_key: >-\n    can\n    ary\nserver:\n  endpoint_url: "
            + "https://lake.example.org\n",
        "can ary"
    )]
    [InlineData(
        "credentials:\n  access_key_id: AKIAFILE\n  secret_access_key: canary\n  old:\n    access_key_id: X\n    secret_access_key: "
            + "other\nserver:\n  endpoint_url: https://lake.example.org\n  proxy:\n    endpoint_url: https://other.example.org\n",
        "canary"
    )]
    public async Task Every_style_of_yaml_is_read_as_lakectl_reads_it(string text, string secret)
    {
        using TemporaryFolder folder = new();
        ConnectionSettings settings = ReadFrom(folder, text)!;
        Assert.Equal(
            ("lake.example.org", "AKIAFILE", secret),
            (settings.Uri!.Host, settings.UserName, await settings.Secret!(CancellationToken.None))
        );
    }

    [Theory]
    [InlineData("credentials:\naccess_key_id: AKIAFILE\nsecret_access_key: canary\n", "'access_key_id' on line 2 is not indented")]
    [InlineData("server:\n  endpoint_url: [canary\n", "is not valid YAML")]
    public void File_that_lakectl_could_not_use_is_named_without_its_secret(string text, string why)
    {
        using TemporaryFolder folder = new();
        IngestException error = Assert.Throws<IngestException>(() => ReadFrom(folder, text));
        Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        Assert.Contains(".lakectl.yaml", error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Address_that_is_none_is_told_with_the_file_and_not_with_its_secret()
    {
        using TemporaryFolder folder = new();
        IngestException error = Assert.Throws<IngestException>(() =>
            ReadFrom(folder, Yaml.Replace("https://", "", StringComparison.Ordinal))
        );
        Assert.Contains(".lakectl.yaml", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_secret_is_in_the_log_of_requests()
    {
        await using LakeFsHarness lake = await LakeFsHarness.StartAsync(connect: settings =>
            settings with
            {
                AuthenticationUri = settings.Uri,
            }
        );
        await lake.EndAsync(await lake.StartAsync());
        Assert.DoesNotContain(LakeFsHarness.Secret, lake.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", lake.Log.All, StringComparison.Ordinal);
    }

    private static ConnectionSettings With(ConnectionSettings settings, SignInKind kind, string? user, string secret) =>
        settings with
        {
            SignIn = kind,
            UserName = user,
            Secret = _ => ValueTask.FromResult(secret),
        };

    private static Task<ServiceReport> CheckAsync(LakeFsHarness lake, string? repository) =>
        ServiceCheck.RunAsync(lake.Connection, repository, lake.Log, CancellationToken.None);

    private static ConnectionSettings? ReadFrom(TemporaryFolder folder, string yaml, params (string Name, string Value)[] variables)
    {
        string path = Path.Join(folder.Path, ".lakectl.yaml");
        File.WriteAllText(path, yaml);
        Dictionary<string, string> all = variables.ToDictionary(v => v.Name, v => v.Value);
        all["LAKECTL_CONFIG_FILE"] = path;
        return EnvironmentConnections.Read(IngestService.LakeFs, name => all.GetValueOrDefault(name));
    }

    /// <summary>A clock on the wall that a test moves.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
