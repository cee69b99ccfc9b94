using System.Net;
using System.Text;
using IngestTools.Connections;
using IngestTools.Services.Ica;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>How ICA is signed in to, and looked at.</summary>
public sealed class IcaSignInTests
{
    [Fact]
    public async Task Api_key_is_exchanged_for_one_token_and_reaches_no_log()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();

        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        await ica.LookAsync(batch);

        Assert.Equal(1, ica.Server.Ica.Tokens.Issued);
        Assert.All(
            ica.Server.Requests.Settled().Where(request => !request.Target.EndsWith("/tokens", StringComparison.Ordinal)),
            request => Assert.DoesNotContain("X-API-Key", request.HeaderNames)
        );
        Assert.DoesNotContain(IcaHarness.ApiKey, ica.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", ica.Log.All, StringComparison.Ordinal);
        // The owner of a job is a person with an address.
        Assert.DoesNotContain("robin@example.com", ica.Log.All + batch, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_is_exchanged_for_a_token()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(connect: settings =>
            settings with
            {
                SignIn = SignInKind.Password,
                UserName = "root@example.com",
                Secret = _ => ValueTask.FromResult("test"),
            }
        );
        await ica.StartAsync(IcaHarness.Id(1));
        Assert.Equal(1, ica.Server.Ica.Tokens.Issued);
    }

    [Fact]
    public async Task Token_is_made_anew_before_it_ends()
    {
        FakeTimeProvider time = new();
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.TokenLifetime = TimeSpan.FromMinutes(30), time);
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        time.Advance(TimeSpan.FromMinutes(29));

        await ica.LookAsync(batch);

        Assert.Equal(2, ica.Server.Ica.Tokens.Issued);
        Assert.DoesNotContain(ica.Server.Requests.Settled(), request => request.Status == (int)HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Token_that_ends_in_the_middle_of_a_wait_is_made_anew_once()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.SaysOfJobs = "RUNNING");
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        Task<List<WaitEvent>> wait = ica.WaitAsync(batch);
        await ica.WaitUntilAsync(() => ica.Count("GET", batch.BatchId!) >= 2);
        ica.Server.Ica.Tokens.ExpireAll();
        await ica.WaitUntilAsync(() => ica.Server.Ica.Tokens.Issued == 2);
        ica.Options.SaysOfJobs = null;

        List<WaitEvent> events = await wait;

        Assert.Empty(events.OfType<WaitEvent.Failed>());
        Assert.Equal(TransactionStatus.Succeeded, events[^1].Transaction.Status);
        Assert.Equal(2, ica.Server.Ica.Tokens.Issued);
    }

    [Fact]
    public async Task Token_that_was_given_and_has_ended_is_an_error_that_says_so()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(
            options => options.Token = "given-canary",
            connect: settings => settings with { SignIn = SignInKind.Token, Secret = _ => ValueTask.FromResult("given-canary\n") }
        );
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        ica.Server.Ica.Tokens.ExpireAll();

        IngestException error = await Assert.ThrowsAsync<IngestException>(() => ica.LookAsync(batch));

        Assert.Equal((ErrorId.NotSignedIn, HttpStatusCode.Unauthorized), (error.ErrorId, error.StatusCode));
        Assert.Contains("The JWT is expired or not valid", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("given-canary", error + ica.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_key_is_told_once_and_its_batch_is_not_sent()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.ApiKeys = ["another"]);
        IngestException error = Assert.Single(await ica.LinkAsync([IcaHarness.Id(1)])).Error!;
        Assert.Equal(ErrorId.NotSignedIn, error.ErrorId);
        Assert.Contains("did not sign in with the API key", error.Message, StringComparison.Ordinal);
        Assert.Equal((1, 0), (ica.Count("POST", "/tokens"), ica.Count("POST", "/dataLinkingBatch")));
        Assert.DoesNotContain(IcaHarness.ApiKey, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"exp":1000}""", 1000)]
    [InlineData("""{"exp":5000,"iat":4000}""", 1500)]
    [InlineData("""{"exp":"soon"}""", null)]
    [InlineData("""{"exp":1e300}""", null)]
    [InlineData("[]", null)]
    [InlineData("no json", null)]
    public void End_of_a_token_is_read_where_it_tells_one(string claims, int? seconds)
    {
        string token = $"x.{Convert.ToBase64String(Encoding.UTF8.GetBytes(claims)).TrimEnd('=').Replace('+', '-').Replace('/', '_')}.y";
        DateTimeOffset now = DateTimeOffset.FromUnixTimeSeconds(500);
        Assert.Equal(seconds is null ? null : DateTimeOffset.FromUnixTimeSeconds(seconds.Value), IcaLogin.EndOf(token, now));
        Assert.Null(IcaLogin.EndOf("opaque", now));
        Assert.Null(IcaLogin.EndOf("a.!!.b", now));
    }

    [Fact]
    public async Task Check_tells_what_is_reachable_signed_in_and_allowed()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.Forbids = id => id == "other");

        ServiceReport good = await ServiceCheck.RunAsync(ica.Connection, IcaHarness.ProjectId, ica.Log, CancellationToken.None);
        ServiceReport general = await ServiceCheck.RunAsync(ica.Connection, null, ica.Log, CancellationToken.None);
        ServiceReport forbidden = await ServiceCheck.RunAsync(ica.Connection, "other", ica.Log, CancellationToken.None);

        Assert.Equal((true, true, true), (good.Ok, good.SignedIn, good.Allowed));
        Assert.Equal((true, null), (general.Ok, general.Allowed));
        Assert.Equal((false, true, false), (forbidden.Ok, forbidden.SignedIn, forbidden.Allowed));
        Assert.Contains(
            forbidden.Details,
            line => line.StartsWith("Allowed: no.", StringComparison.Ordinal) && line.Contains("other", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Check_tells_a_wrong_key_from_a_wrong_address()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.ApiKeys = []);
        ServiceReport refused = await ServiceCheck.RunAsync(ica.Connection, null, ica.Log, CancellationToken.None);
        Assert.Equal((true, false), (refused.Reachable, refused.SignedIn));

        using IngestConnection wrong = ica.Connect(TimeProvider.System, settings => settings with { Uri = ica.Server.Uri });
        ServiceReport missed = await ServiceCheck.RunAsync(wrong, null, ica.Log, CancellationToken.None);
        Assert.False(missed.Reachable);
        Assert.Contains("/ica/rest", missed.Details[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_names_that_ica_users_have_make_a_connection()
    {
        Dictionary<string, string> variables = new()
        {
            ["ICAV2_ACCESS_TOKEN"] = "t",
            ["ICAV2_BASE_URL"] = "https://ica.example.org/ica/rest",
        };
        ConnectionSettings settings = EnvironmentConnections.Read(IngestService.Ica, variables.GetValueOrDefault)!;
        using IngestConnection connection = IngestConnection.Open(settings);
        Assert.Equal(
            (SignInKind.Token, "env:ICAV2_ACCESS_TOKEN", "https://ica.example.org/ica/rest/"),
            (connection.SignIn, connection.SecretFrom, connection.Uri.AbsoluteUri)
        );

        ConnectionSettings byKey = EnvironmentConnections.Read(IngestService.Ica, name => name == "INGESTTOOLS_ICA_APIKEY" ? "k" : null)!;
        using IngestConnection usual = IngestConnection.Open(byKey);
        Assert.Equal((SignInKind.ApiKey, "https://ica.illumina.com/ica/rest/"), (usual.SignIn, usual.Uri.AbsoluteUri));
    }

    [Theory]
    [InlineData(SignInKind.Cookie, null)]
    [InlineData(SignInKind.Password, "a:b")]
    public void Sign_in_that_ica_does_not_know_is_refused(SignInKind signIn, string? userName)
    {
        ConnectionSettings settings = new()
        {
            Service = IngestService.Ica,
            SignIn = signIn,
            UserName = userName,
            Secret = _ => ValueTask.FromResult("x"),
        };
        Assert.Equal(ErrorId.Rejected, Assert.Throws<IngestException>(() => IngestConnection.Open(settings)).ErrorId);
    }
}
