using System.Runtime.Versioning;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Services.DspIngest;
using IngestTools.Units.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class ConnectionTests
{
    private static readonly ConnectionSettings Settings = new()
    {
        Service = IngestService.DspIngest,
        Uri = new Uri("https://ingest.example.org"),
        SignIn = SignInKind.Token,
        Secret = _ => ValueTask.FromResult("canary-secret"),
        SecretFrom = "env:INGEST_TOKEN",
    };

    [Fact]
    public void Profile_is_saved_without_its_secret_where_only_its_owner_can_read_it()
    {
        using TemporaryFolder folder = new();
        string home = Path.Join(folder.Path, "home");
        ProfileStore store = new(home);
        using IngestConnection connection = IngestConnection.Open(Settings with { Name = "night", Timeout = TimeSpan.FromSeconds(7) });

        store.Save(ConnectionProfile.From(connection, isDefault: true));

        ConnectionProfile profile = Assert.Single(new ProfileStore(home).Read());
        Assert.Equal(
            ("night", "env:INGEST_TOKEN", 7d, true),
            (profile.Name, profile.SecretFrom, profile.TimeoutSeconds, profile.IsDefault)
        );
        string path = Path.Join(home, "profiles.json");
        Assert.DoesNotContain("canary-secret", File.ReadAllText(path), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(home));
        }
    }

    [Theory]
    [InlineData("https://ingest.example.org", "https://ingest.example.org/")]
    [InlineData("HTTPS://Ingest.Example.org:443/api//", "https://ingest.example.org/api/")]
    [InlineData("ingest.example.org", null)]
    [InlineData("/srv/ingest", null)]
    [InlineData("ftp://ingest.example.org/", null)]
    [InlineData("https://user:word@ingest.example.org/", null)]
    [InlineData("https://ingest.example.org/?x=1", null)]
    [InlineData("", null)]
    public void Address_of_a_server_is_read_from_text_as_a_connection_has_it(string text, string? server)
    {
        Assert.Equal(server, IngestConnection.ServerOf(text));
        if (server is not null)
            Assert.Equal(server, IngestConnection.ServerOf(Settings with { Uri = new Uri(text) }));
    }

    [Fact]
    public void New_default_of_a_service_ends_the_old_one()
    {
        using TemporaryFolder folder = new();
        ProfileStore store = new(folder.Path);
        foreach (string name in new[] { "one", "two" })
        {
            using IngestConnection connection = IngestConnection.Open(Settings with { Name = name });
            store.Save(ConnectionProfile.From(connection, isDefault: true));
        }

        Assert.Equal("two", Assert.Single(store.Read(), profile => profile.IsDefault).Name);
        Assert.True(store.Remove("TWO"));
        Assert.False(store.Remove("two"));
    }

    [Fact]
    public async Task Profiles_that_are_saved_at_the_same_time_are_all_kept()
    {
        const int count = 40;
        using TemporaryFolder folder = new();
        using IngestConnection connection = IngestConnection.Open(Settings);
        ConnectionProfile profile = ConnectionProfile.From(connection, isDefault: false);
        using Barrier start = new(4);

        await Task.WhenAll(
            Enumerable
                .Range(0, start.ParticipantCount)
                .Select(worker =>
                    Task.Factory.StartNew(
                        () =>
                        {
                            start.SignalAndWait();
                            for (int i = worker; i < count; i += start.ParticipantCount)
                                new ProfileStore(folder.Path).Save(profile with { Name = $"profile {i}" });
                        },
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                )
        );

        Assert.Equal(count, new ProfileStore(folder.Path).Read().Count);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.tmp"));
    }

    [Fact]
    public void Secret_that_was_given_cannot_be_saved()
    {
        using IngestConnection connection = IngestConnection.Open(Settings with { SecretFrom = null });

        Assert.Equal(
            ErrorId.SecretUnavailable,
            Assert.Throws<IngestException>(() => ConnectionProfile.From(connection, isDefault: false)).ErrorId
        );
    }

    [Fact]
    public void Broken_profiles_are_told_and_not_overwritten()
    {
        using TemporaryFolder folder = new();
        string path = Path.Join(folder.Path, "profiles.json");
        File.WriteAllText(path, "{ not json");
        using IngestConnection connection = IngestConnection.Open(Settings);

        IngestException error = Assert.Throws<IngestException>(() =>
            new ProfileStore(folder.Path).Save(ConnectionProfile.From(connection, isDefault: false))
        );

        Assert.Equal((ErrorId.FileUnreadable, path), (error.ErrorId, error.Target));
        Assert.Equal("{ not json", File.ReadAllText(path));
    }

    [FactExceptOn("windows", "Windows has no file modes.")]
    [UnsupportedOSPlatform("windows")]
    public async Task Secret_file_is_read_when_only_its_owner_can()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("token");
        File.WriteAllText(path, "canary\n");
        SecretReader read = SecretReference.Parse($"file:{path}").CreateReader(vault: null);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        IngestException error = await Assert.ThrowsAsync<IngestException>(async () => await read(CancellationToken.None));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        Assert.Equal(ErrorId.SecretUnavailable, error.ErrorId);
        Assert.Contains("chmod 600", error.Advice, StringComparison.Ordinal);
        Assert.Equal("canary", await read(CancellationToken.None));
    }

    [Theory]
    [InlineData("env:INGESTTOOLS_NO_SUCH_VARIABLE")]
    [InlineData("file:/no/such/file")]
    [InlineData("vault:name")]
    public async Task Secret_that_is_not_there_is_told(string reference)
    {
        SecretReader read = SecretReference.Parse(reference).CreateReader(vault: null);

        Assert.Equal(
            ErrorId.SecretUnavailable,
            (await Assert.ThrowsAsync<IngestException>(async () => await read(CancellationToken.None))).ErrorId
        );
    }

    [Theory]
    [InlineData("canary-secret")]
    [InlineData("other:canary-secret")]
    [InlineData("env:")]
    public void Reference_that_is_none_is_refused_and_not_repeated(string reference)
    {
        IngestException error = Assert.Throws<IngestException>(() => SecretReference.Parse(reference));

        Assert.Equal(ErrorId.SecretUnavailable, error.ErrorId);
        Assert.DoesNotContain("canary", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vault_is_asked_with_its_name_and_the_secret_s()
    {
        SecretReader read = SecretReference
            .Parse("vault:work/dsp")
            .CreateReader((vault, name, _) => ValueTask.FromResult($"{vault}|{name}"));

        Assert.Equal("work|dsp", await read(CancellationToken.None));
    }

    [Fact]
    public void Credentials_over_plain_http_to_another_machine_are_refused()
    {
        ConnectionSettings plain = Settings with { Uri = new Uri("http://ingest.example.org") };

        Assert.Equal(ErrorId.InsecureConnection, Assert.Throws<IngestException>(() => IngestConnection.Open(plain)).ErrorId);
        Assert.Equal(
            ErrorId.InsecureConnection,
            Assert
                .Throws<IngestException>(() =>
                    IngestConnection.Open(
                        Settings with
                        {
                            SignIn = SignInKind.Password,
                            UserName = "u",
                            AuthenticationUri = new Uri("http://api.example.org"),
                        }
                    )
                )
                .ErrorId
        );
        IngestConnection.Open(plain with { AllowInsecure = true }).Dispose();
        IngestConnection.Open(plain with { Uri = new Uri("http://[::1]:3340") }).Dispose();
    }

    [Theory]
    [InlineData("ftp://ingest.example.org")]
    [InlineData("ingest.example.org")]
    [InlineData("https://user:canary@ingest.example.org")]
    [InlineData("https://ingest.example.org/?token=canary")]
    public void Address_that_cannot_be_is_refused_without_its_secrets(string uri)
    {
        IngestException error = Assert.Throws<IngestException>(() =>
            IngestConnection.Open(Settings with { Uri = new Uri(uri, UriKind.RelativeOrAbsolute) })
        );

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.DoesNotContain("canary", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_describes_a_connection()
    {
        Dictionary<string, string> variables = new()
        {
            ["INGESTTOOLS_DSPINGEST_URI"] = "https://ingest.example.org",
            ["INGESTTOOLS_DSPINGEST_TOKEN"] = "canary",
        };

        ConnectionSettings? settings = EnvironmentConnections.Read(IngestService.DspIngest, variables.GetValueOrDefault);

        Assert.Equal((SignInKind.Token, "env:INGESTTOOLS_DSPINGEST_TOKEN"), (settings!.SignIn, settings.SecretFrom));
        Assert.Null(EnvironmentConnections.Read(IngestService.Voss, variables.GetValueOrDefault));
        Assert.DoesNotContain("canary", settings.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_is_exchanged_for_a_token_at_either_form_of_the_login_address()
    {
        foreach (string path in new[] { "", "/v2/authentication" })
        {
            await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
                settings with
                {
                    SignIn = SignInKind.Password,
                    UserName = "root@example.com",
                    Secret = _ => ValueTask.FromResult("test"),
                    AuthenticationUri = new Uri(settings.Uri!, path),
                }
            );

            ServiceReport report = await ServiceCheck.RunAsync(dsp.Connection, "0001", dsp.Log, CancellationToken.None);

            Assert.True(report.Ok, string.Join('\n', report.Details));
            Assert.Equal((true, true), (report.SignedIn, report.Allowed));
        }
    }

    [Fact]
    public async Task Wrong_password_is_told_and_never_shown()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                SignIn = SignInKind.Password,
                UserName = "root@example.com",
                Secret = _ => ValueTask.FromResult("canary-password"),
                AuthenticationUri = settings.Uri,
            }
        );

        ServiceReport report = await ServiceCheck.RunAsync(dsp.Connection, "0001", dsp.Log, CancellationToken.None);

        Assert.False(report.SignedIn);
        Assert.Contains(report.Details, line => line.Contains("did not sign in root@example.com", StringComparison.Ordinal));
        Assert.DoesNotContain("canary-password", dsp.Log.All + string.Join('\n', report.Details), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_without_the_right_is_signed_in_and_not_allowed()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        string token = dsp.Server.DspIngest.Tokens.Issue("write:project:0002", TimeSpan.FromHours(1));
        using IngestConnection connection = IngestConnection.Open(
            Settings with
            {
                Uri = dsp.Server.Uri,
                Secret = _ => ValueTask.FromResult(token),
            }
        );

        ServiceReport refused = await ServiceCheck.RunAsync(connection, "0001", dsp.Log, CancellationToken.None);
        ServiceReport allowed = await ServiceCheck.RunAsync(connection, "0002", dsp.Log, CancellationToken.None);

        Assert.Equal((true, false), (refused.SignedIn, refused.Allowed));
        Assert.Equal((true, true), (allowed.SignedIn, allowed.Allowed));
    }

    [Fact]
    public async Task Unhealthy_server_is_told()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(options => options.IsHealthy = false);

        ServiceReport report = await ServiceCheck.RunAsync(dsp.Connection, null, dsp.Log, CancellationToken.None);

        Assert.False(report.Reachable);
        Assert.Contains("DOWN", report.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_is_not_there_is_told()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Uri = new Uri("http://127.0.0.1:1"),
                MaxAttempts = 1,
            }
        );

        ServiceReport report = await ServiceCheck.RunAsync(dsp.Connection, null, dsp.Log, CancellationToken.None);

        Assert.False(report.Reachable);
        Assert.Contains("No connection to 127.0.0.1:1", report.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Certificates_that_are_none_are_told()
    {
        using TemporaryFolder folder = new();

        IngestException error = Assert.Throws<IngestException>(() =>
            IngestConnection.Open(Settings with { CertificateAuthority = folder.Write("ca.pem") })
        );

        Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
    }

    [Fact]
    public async Task Proxy_that_is_not_there_is_told()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        using IngestConnection connection = IngestConnection.Open(Settings with { Proxy = new Uri("http://127.0.0.1:1"), MaxAttempts = 1 });

        ServiceReport report = await ServiceCheck.RunAsync(connection, null, dsp.Log, CancellationToken.None);

        Assert.False(report.Reachable);
        Assert.Contains("-Proxy", report.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outage_opens_the_circuit_and_says_so_and_the_end_of_it_is_found_out()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with { MaxAttempts = 1 });
        dsp.SetFaults("500=GET");
        List<ErrorId> errors = [];
        for (int i = 0; i < 20; i++)
            errors.Add((await Assert.ThrowsAsync<IngestException>(() => LookAsync(dsp))).ErrorId);
        Assert.All(errors, error => Assert.Equal(ErrorId.ServerError, error));
        dsp.Server.Faults.Clear();
        long before = dsp.Server.Requests.Started;

        // The circuit is open now: the next look is held back for the pause, and then goes through.
        Assert.Equal(ErrorId.NotFound, (await Assert.ThrowsAsync<IngestException>(() => LookAsync(dsp))).ErrorId);

        Assert.Equal(before + 1, dsp.Server.Requests.Started);
        Assert.Contains("nothing is sent for 5 s", dsp.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_does_not_come_in_time_is_told()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Timeout = TimeSpan.FromMilliseconds(200),
                MaxAttempts = 2,
            }
        );
        dsp.SetFaults("stall=GET");

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => LookAsync(dsp));

        Assert.Equal((ErrorId.TimedOut, 2), (error.ErrorId, error.Attempts));
        Assert.Contains("-TimeoutSec", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retry_after_is_waited_for()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        dsp.SetFaults("503=1,2s,GET");
        long started = TimeProvider.System.GetTimestamp();

        await Assert.ThrowsAsync<IngestException>(() => LookAsync(dsp));

        // A busy machine alone makes it late, so the pause that was chosen counts too.
        Assert.Matches(@"is sent again in 2\.[0-3] s", dsp.Log.All);
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromSeconds(1.9));
    }

    [Fact]
    public async Task Who_asked_to_be_asked_is_asked_before_each_sending_of_what_changes_something()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<(OperationKind, long)> asked = [];
        dsp.Connection.AskBeforeChange(
            (kind, _) =>
            {
                lock (asked)
                    asked.Add((kind, dsp.Server.Requests.Started));
                return default;
            }
        );
        dsp.SetFaults("503=2,0s,POST /projects/0001/bulk-ingest");

        await dsp.StartIngestAsync(await dsp.SendAsync(null, dsp.Folder.Write("a.txt")));

        Assert.Equal(
            [OperationKind.Repeatable, OperationKind.Once, OperationKind.Once, OperationKind.Once],
            asked.Select(entry => entry.Item1)
        );
        // Three sendings, and nothing else between them.
        long first = asked[1].Item2;
        Assert.Equal([first, first + 1, first + 2], asked.Skip(1).Select(entry => entry.Item2));
        Assert.Equal(1, dsp.Project.Runs);
    }

    [Fact]
    public async Task An_objection_ends_an_operation_with_the_request_unsent_also_when_it_was_to_be_sent_again()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        List<UploadResult> sent = await dsp.SendAsync(null, dsp.Folder.Write("a.txt"));
        int asked = 0;
        dsp.Connection.AskBeforeChange((_, _) => ++asked == 2 ? throw new InvalidOperationException("it is no longer mine") : default);
        dsp.SetFaults("503=1,0s,POST /projects/0001/bulk-ingest");

        InvalidOperationException objection = await Assert.ThrowsAsync<InvalidOperationException>(() => dsp.StartIngestAsync(sent));

        Assert.Equal(("it is no longer mine", 2, 0), (objection.Message, asked, dsp.Project.Runs));
        Assert.Single(dsp.Server.Requests.Settled(), request => request.Target.EndsWith("/bulk-ingest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Permission_that_comes_later_than_an_attempt_may_take_is_no_fault_of_the_service()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();
        await dsp.SendAsync(null, dsp.Folder.Write("a.txt"));
        // Only the test moves the clock of the attempts, so that no other attempt takes too long on a busy machine.
        TimeSpan limit = TimeSpan.FromHours(1);
        FakeTimeProvider time = new(DateTimeOffset.UtcNow);
        using IngestConnection connection = dsp.Connect(time, settings => settings with { Timeout = limit, MaxAttempts = 1 });
        int asked = 0;
        TaskCompletionSource late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.AskBeforeChange(
            (kind, _) =>
            {
                if (kind != OperationKind.Once || ++asked > 1)
                    return default;
                time.Advance(limit);
                late.SetResult();
                return default;
            }
        );

        Task<Transaction> starting = new DspIngestClient(connection, dsp.Log).StartAsync(
            DspHarness.Shortcode,
            null,
            CancellationToken.None
        );
        await Task.WhenAny(starting, late.Task);
        // The pause before the next attempt goes by, in steps that leave the call its minutes.
        while (!starting.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAny(starting, Task.Delay(TimeSpan.FromMilliseconds(5)));
        }

        await starting;
        // The sandbox answers a start before it begins the run.
        await dsp.WaitUntilAsync(() => dsp.Project.Runs > 0);
        Assert.Equal((2, 1), (asked, dsp.Project.Runs));
    }

    [Fact]
    public async Task Nothing_that_is_logged_has_the_token()
    {
        await using DspHarness dsp = await DspHarness.StartAsync();

        await dsp.SendAsync(null, dsp.Folder.Write("a.txt"));

        Assert.Contains("POST http://127.0.0.1", dsp.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain(DspHarness.Token, dsp.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"reason\":\"No project access.\"}", "No project access.")]
    [InlineData("{\"errors\":[{\"argument\":\"Path variable: 'filename''\",\"reason\":\"bad\"}]}", "Path variable: 'filename'': bad")]
    [InlineData("{\"errorMessage\":\"disk\"}", "disk")]
    [InlineData("{\"id\":\"0001\",\"type\":\"Import folder not found.\"}", "Import folder not found. (0001)")]
    [InlineData("{\"message\":\"bad credentials\"}", "bad credentials")]
    [InlineData("Invalid value for: path parameter shortcode", "Invalid value for: path parameter shortcode")]
    [InlineData("<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>", "502 Bad Gateway")]
    [InlineData("<p>Service &amp; more</p><script>x()</script>", "Service & more")]
    [InlineData(
        "{\"type\":\"about:blank\",\"title\":\"ICA_API_004\",\"detail\":\"Invalid Accept Header\",\"id\":\"<1>\"}",
        "Invalid Accept Header"
    )]
    [InlineData("{\"id\":\"b\",\"job\":{\"owner\":{\"email\":\"robin@example.com\"}},\"owner\":{\"phoneNumber\":\"1\"}}", "\"id\":\"b\"")]
    [InlineData("[{\"email\":\"robin@example.com\"},\"busy\"]", "busy")]
    [InlineData("{\"owner\":{}}", null)]
    [InlineData("{\"truncated", "{\"truncated")]
    [InlineData("a\u001b[31mred\u202e", "a\\u001b[31mred\\u202e")]
    [InlineData("{\"reason\":\"sent Bearer abcdefghijkl1234\"}", "sent Bearer ***")]
    [InlineData("", null)]
    [InlineData("  \r\n", null)]
    public void Server_s_own_words_are_found_in_whatever_it_wrote(string body, string? words)
    {
        Assert.Equal(words, ServerMessage.Parse(System.Text.Encoding.UTF8.GetBytes(body), null, ServerText.OfNoSecrets).Text);
    }

    [Fact]
    public void Long_words_are_cut()
    {
        Assert.InRange(
            ServerMessage
                .Parse(
                    new byte[100_000]
                        .Select(_ => (byte)'x')
                        .ToArray(),
                    null,
                    ServerText.OfNoSecrets
                )
                .Text!.Length,
            2000,
            2049
        );
    }

    [Fact]
    public void Address_is_shown_without_secrets()
    {
        Assert.Equal(
            "https://h/a?format=json&X-Amz-Signature=***",
            Redaction.Of(new Uri("https://u:p@h/a?format=json&X-Amz-Signature=canary"))
        );
    }

    private static async Task LookAsync(DspHarness dsp)
    {
        await foreach (var row in dsp.Client.ReadMappingAsync("0001", CancellationToken.None))
            Assert.Fail($"There is no mapping, and {row} came.");
    }

    [Fact]
    public async Task Service_that_is_well_and_fails_its_routes_is_not_ok()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings => settings with { MaxAttempts = 1 });
        dsp.SetFaults("500=GET /projects/**");

        ServiceReport report = await ServiceCheck.RunAsync(dsp.Connection, "0001", dsp.Log, CancellationToken.None);

        Assert.Equal((false, null), (report.Ok, report.SignedIn));
        Assert.Contains(report.Details, line => line.StartsWith("Signed in: could not be found out.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("localhost:8080")]
    [InlineData("ftp://proxy.example.org")]
    [InlineData("http://user:canary@proxy.example.org:8080")]
    public void Proxy_that_cannot_be_is_refused_without_its_password(string proxy)
    {
        IngestException error = Assert.Throws<IngestException>(() =>
            IngestConnection.Open(
                new ConnectionSettings
                {
                    Service = IngestService.DspIngest,
                    Uri = new Uri("https://ingest.example.org"),
                    Proxy = new Uri(proxy, UriKind.RelativeOrAbsolute),
                }
            )
        );

        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.DoesNotContain("canary", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DspHarness.Token + "\n", true)]
    [InlineData("canary\u00e4", false)]
    [InlineData("canary token", false)]
    public async Task Token_that_cannot_be_sent_is_told_and_not_shown(string token, bool works)
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Secret = _ => ValueTask.FromResult(token),
            }
        );

        UploadResult result = Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("a.tif")));

        Assert.Equal(works ? null : ErrorId.SecretUnavailable, result.Error?.ErrorId);
        Assert.DoesNotContain("canary", $"{result.Error}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Longest_times_are_taken()
    {
        await using DspHarness dsp = await DspHarness.StartAsync(connect: settings =>
            settings with
            {
                Timeout = TimeSpan.FromSeconds(100_000),
                MaxAttempts = 100,
            }
        );

        Assert.Null(Assert.Single(await dsp.SendAsync(null, dsp.Folder.Write("a.tif"))).Error);
    }
}
