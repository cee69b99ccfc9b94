using System.Net;
using System.Net.Sockets;
using System.Text;
using IngestTools.Connections;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Services.Voss;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class VossSignInTests
{
    private static readonly Func<ConnectionSettings, ConnectionSettings> WithSession = settings =>
        settings with
        {
            AuthenticationUri = settings.Uri,
        };

    [Fact]
    public async Task Basic_takes_names_with_at_signs_and_passwords_with_colons_and_umlauts()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        Assert.Contains("sys.hcs.Provider.Customer.Main Site - North", await voss.Client.ListHierarchiesAsync(voss.Soon));
        Assert.Equal(0, voss.Voss.Sessions.SignIns);
    }

    [Theory]
    [InlineData("")]
    [InlineData("noninteractivelogin")]
    [InlineData("noninteractivelogin/")]
    public async Task Session_is_signed_in_for_once_and_carries_writes_too(string path)
    {
        await using VossHarness voss = await VossHarness.StartAsync(
            o => o.TakesBasic = false,
            s => s with { AuthenticationUri = new Uri(s.Uri!, path) }
        );
        (Transaction ended, _) = await voss.FollowAsync(await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org")));
        Assert.Equal((TransactionStatus.Succeeded, 1), (ended.Status, voss.Voss.Sessions.SignIns));
    }

    [Theory]
    [InlineData(VossMissingSession.SignInPage)]
    [InlineData(VossMissingSession.Redirect)]
    [InlineData(VossMissingSession.Unauthorized)]
    public async Task Session_that_ended_is_renewed_once_for_reads_uploads_and_loads(VossMissingSession missing)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.MissingSession = missing, WithSession);
        await voss.Client.ListHierarchiesAsync(voss.Soon);

        voss.Voss.Sessions.ExpireAll();
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        voss.Voss.Sessions.ExpireAll();
        Transaction load = await voss.Client.StartAsync(sent.FileName!, VossHarness.Hierarchy, voss.Soon);
        voss.Voss.Sessions.ExpireAll();
        (Transaction ended, _) = await voss.FollowAsync(load);

        Assert.Equal(TransactionStatus.Succeeded, ended.Status);
        Assert.Equal(4, voss.Voss.Sessions.SignIns);
        Assert.Single(voss.Voss.Transactions);
    }

    [Fact]
    public async Task Session_that_never_holds_ends_as_not_signed_in_and_not_in_a_circle()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.SessionLifetime = TimeSpan.Zero, WithSession);
        IngestException error = await VossHarness.ErrorOfAsync(() => voss.Client.ListHierarchiesAsync(voss.Soon));
        Assert.Equal(ErrorId.NotSignedIn, error.ErrorId);
        Assert.Equal(2, voss.Voss.Sessions.SignIns);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Wrong_password_is_told_and_quoted_nowhere(bool forSession)
    {
        const string Canary = "kanarienvogel";
        await using VossHarness voss = await VossHarness.StartAsync(connect: s =>
            (forSession ? WithSession(s) : s) with
            {
                Secret = _ => ValueTask.FromResult(Canary),
            }
        );

        IngestException error = await VossHarness.ErrorOfAsync(() => voss.Client.ListHierarchiesAsync(voss.Soon));

        Assert.Equal(ErrorId.NotSignedIn, error.ErrorId);
        string all = error + voss.Log.All + error.ServerMessage;
        Assert.DoesNotContain(Canary, all, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Canary))[..12], all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_of_a_proxy_in_place_of_a_load_s_answer_is_followed_by_no_second_load()
    {
        int loads = 0;
        using HttpListener server = Listen(context =>
        {
            bool isLogin = context.Request.Url!.AbsolutePath.Contains("noninteractivelogin", StringComparison.Ordinal);
            loads += isLogin ? 0 : 1;
            context.Response.AddHeader("Set-Cookie", "sessionid=s");
            context.Response.ContentType = isLogin ? "application/json" : "text/html";
            context.Response.Close(Encoding.UTF8.GetBytes(isLogin ? "{}" : "<html><title>Maintenance</title></html>"), willBlock: true);
        });
        Uri uri = new(server.Prefixes.Single());
        using IngestConnection connection = IngestConnection.Open(
            WithSession(
                new ConnectionSettings
                {
                    Service = IngestService.Voss,
                    Uri = uri,
                    SignIn = SignInKind.Password,
                    UserName = "a@sys",
                    Secret = _ => ValueTask.FromResult("canary"),
                    NoProxy = true,
                }
            )
        );

        IngestException error = await VossHarness.ErrorOfAsync(() =>
            new VossClient(connection).StartAsync("users.xlsx", VossHarness.Hierarchy, CancellationToken.None)
        );

        Assert.Equal((ErrorId.OutcomeUnknown, 1), (error.ErrorId, loads));
    }

    [Fact]
    public async Task Request_that_is_sent_again_carries_the_new_session_alone()
    {
        int signIns = 0;
        List<string> sent = [];
        using HttpListener server = Listen(context =>
        {
            if (context.Request.Url!.AbsolutePath.Contains("noninteractivelogin", StringComparison.Ordinal))
            {
                context.Response.AddHeader("Set-Cookie", $"sessionid=s{++signIns}");
                // The first session has a token against forged requests, the second has none.
                if (signIns == 1)
                    context.Response.AddHeader("X-CSRFToken", "token");
            }
            else
            {
                sent.Add($"{context.Request.Headers["Cookie"]} {context.Request.Headers["X-CSRFToken"]}".TrimEnd());
                context.Response.StatusCode = signIns == 1 ? 401 : 200;
            }

            context.Response.ContentType = "application/json";
            context.Response.Close(Encoding.UTF8.GetBytes("{}"), willBlock: true);
        });
        using IngestConnection connection = IngestConnection.Open(
            WithSession(
                new ConnectionSettings
                {
                    Service = IngestService.Voss,
                    Uri = new Uri(server.Prefixes.Single()),
                    SignIn = SignInKind.Password,
                    UserName = "a@sys",
                    Secret = _ => ValueTask.FromResult("canary"),
                    NoProxy = true,
                }
            )
        );

        await new VossClient(connection).ListHierarchiesAsync(CancellationToken.None);

        Assert.Equal(["sessionid=s1 token", "sessionid=s2"], sent);
    }

    [Fact]
    public async Task Page_to_sign_in_on_in_place_of_an_answer_is_a_clear_error()
    {
        await using VossHarness voss = await VossHarness.StartAsync(connect: s =>
            s with
            {
                SignIn = SignInKind.None,
                UserName = null,
                Secret = null,
            }
        );
        IngestException error = await VossHarness.ErrorOfAsync(() =>
            voss.Client.StartAsync("users.xlsx", VossHarness.Hierarchy, voss.Soon)
        );
        Assert.Equal(ErrorId.NotSignedIn, error.ErrorId);
        Assert.Contains("page to sign in on", error.Message, StringComparison.Ordinal);
        Assert.Contains("-AuthenticationUri", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_of_a_session_are_in_no_log()
    {
        await using VossHarness voss = await VossHarness.StartAsync(connect: WithSession);
        await voss.FollowAsync(await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org")));
        Assert.DoesNotContain(VossHarness.Password, voss.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain("sessionid=", voss.Log.All, StringComparison.Ordinal);
        Assert.Contains("X-CSRFToken: ***", voss.Log.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SignInKind.Token, "me", "user name and a password")]
    [InlineData(SignInKind.Cookie, "me", "user name and a password")]
    [InlineData(SignInKind.Password, null, "No user name")]
    [InlineData(SignInKind.Password, "a:b", "no colon")]
    public void What_cannot_sign_in_is_refused_when_connecting(SignInKind kind, string? userName, string reason)
    {
        ConnectionSettings settings = new()
        {
            Service = IngestService.Voss,
            Uri = new Uri("https://voss.example.org"),
            SignIn = kind,
            UserName = userName,
            Secret = _ => ValueTask.FromResult("x"),
        };
        IngestException error = Assert.Throws<IngestException>(() => IngestConnection.Open(settings, NullLogger.Instance));
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_tells_reachable_signed_in_and_allowed_one_by_one()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o =>
            o.Users = [new VossUser(VossHarness.UserName, VossHarness.Password) { Hierarchy = VossHarness.Hierarchy }]
        );

        ServiceReport good = await ServiceCheck.RunAsync(voss.Connection, VossHarness.Hierarchy, voss.Log, voss.Soon);
        ServiceReport forbidden = await ServiceCheck.RunAsync(voss.Connection, "sys.hcs", voss.Log, voss.Soon);
        ServiceReport unknown = await ServiceCheck.RunAsync(voss.Connection, "sys.nowhere", voss.Log, voss.Soon);
        voss.Options.TakesBasic = false;
        ServiceReport signedOut = await ServiceCheck.RunAsync(voss.Connection, null, voss.Log, voss.Soon);

        Assert.Equal((true, true, true, true), (good.Ok, good.Reachable, good.SignedIn, good.Allowed));
        Assert.Equal((false, true, false), (forbidden.Ok, forbidden.SignedIn, forbidden.Allowed));
        Assert.Equal((false, true, false), (unknown.Ok, unknown.SignedIn, unknown.Allowed));
        Assert.Equal((false, true, false), (signedOut.Ok, signedOut.Reachable, signedOut.SignedIn));
        Assert.All(
            new[] { forbidden, unknown, signedOut },
            r => Assert.Contains(r.Details, line => line.Contains("no.", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task Check_of_a_server_that_is_not_there_says_so()
    {
        IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.Voss,
                Uri = new Uri("http://127.0.0.1:9"),
                SignIn = SignInKind.None,
                MaxAttempts = 1,
                NoProxy = true,
            }
        );
        ServiceReport report = await ServiceCheck.RunAsync(connection, null, NullLogger.Instance, CancellationToken.None);
        Assert.False(report.Reachable);
        Assert.Null(report.SignedIn);
    }

    private static HttpListener Listen(Action<HttpListenerContext> answer)
    {
        using (TcpListener free = new(IPAddress.Loopback, 0))
        {
            free.Start();
            HttpListener listener = new();
            listener.Prefixes.Add($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
            free.Stop();
            listener.Start();
            listener.BeginGetContext(Answer, null);
            return listener;

            void Answer(IAsyncResult result)
            {
                if (!listener.IsListening)
                    return;
                HttpListenerContext context = listener.EndGetContext(result);
                listener.BeginGetContext(Answer, null);
                answer(context);
            }
        }
    }
}
