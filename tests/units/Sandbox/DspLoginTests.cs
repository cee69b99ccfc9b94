using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using IngestTools.Sandbox.Services.DspIngest;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class DspLoginTests
{
    private static readonly Uri Authentication = new("v2/authentication", UriKind.Relative);

    [Theory]
    [InlineData("email", "root@example.com")]
    [InlineData("username", "root")]
    [InlineData("iri", "http://rdfh.ch/users/root")]
    public async Task Login_by_any_name_gives_a_token_that_works(string name, string value)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        string token = await LogInAsync(sandbox, new Dictionary<string, string> { [name] = value, ["password"] = "test" });

        sandbox.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        await sandbox.Client.GetAsync(Authentication).IsAsync(HttpStatusCode.OK, """{"message":"credentials are OK"}""");
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt").StatusAsync());
    }

    [Theory]
    [InlineData("""{"email":"root@example.com","password":"wrong"}""", HttpStatusCode.Unauthorized)]
    [InlineData("""{"email":"nobody@example.com","password":"test"}""", HttpStatusCode.Unauthorized)]
    [InlineData("""{"email":"root@example.com"}""", HttpStatusCode.BadRequest)]
    [InlineData("no json", HttpStatusCode.BadRequest)]
    public async Task Bad_login_is_refused_with_a_message(string body, HttpStatusCode status)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using StringContent login = new(body, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await sandbox.Client.PostAsync(Authentication, login);
        Assert.Equal(status, answer.StatusCode);
        Assert.True((await answer.Content.ReadFromJsonAsync<JsonElement>()).TryGetProperty("message", out _));
    }

    [Fact]
    public async Task Logout_makes_the_token_useless()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        await sandbox.Client.DeleteAsync(Authentication);
        Assert.Equal(HttpStatusCode.Unauthorized, await sandbox.Client.GetAsync(Authentication).StatusAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, await sandbox.MappingAsync().StatusAsync());
    }

    [Fact]
    public async Task Missing_token_is_told_in_plain_text()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Authorization = null;

        using HttpResponseMessage answer = await sandbox.UploadAsync("a.txt");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Invalid value for: header Authorization (missing)", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Unknown_token_is_told_before_a_bad_shortcode_and_a_held_lock()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        using IDisposable other = await sandbox.Project.HoldLockAsync();
        sandbox.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "a.b.c");

        const string Reason = """{"reason":"Invalid signature for this token or wrong algorithm."}""";
        await sandbox.MappingAsync().IsAsync(HttpStatusCode.Unauthorized, Reason);
        await sandbox.MappingAsync("000G").IsAsync(HttpStatusCode.Unauthorized, Reason);
    }

    [Fact]
    public async Task Reason_repeats_a_token_that_is_no_jwt()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        Assert.Contains("[secret]", await sandbox.MappingAsync().BodyAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expired_token_is_refused_and_a_new_login_helps()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        sandbox.Server.DspIngest.Tokens.ExpireAll();
        Assert.StartsWith("""{"reason":"The token is expired since """, await sandbox.MappingAsync().BodyAsync(), StringComparison.Ordinal);

        string token = await LogInAsync(sandbox, new Dictionary<string, string> { ["email"] = "root@example.com", ["password"] = "test" });
        sandbox.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt").StatusAsync());
    }

    [Theory]
    [InlineData("write:project:0001", DspIngestRelease.Current, null)]
    [InlineData("write:project:00AB write:project:0001 nonsense", DspIngestRelease.Current, null)]
    [InlineData("write:project:0002", DspIngestRelease.Current, "No project access.")]
    [InlineData("read:project:0001", DspIngestRelease.Current, "No project access.")]
    [InlineData("", DspIngestRelease.Current, "No project access.")]
    [InlineData("admin", DspIngestRelease.V0191, null)]
    [InlineData("write:project:0001", DspIngestRelease.V0191, "Admin permissions required.")]
    public async Task Scope_decides_who_may_ingest(string scope, DspIngestRelease release, string? reason)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.Release = release);
        string token = sandbox.Server.DspIngest.Tokens.Issue(scope, TimeSpan.FromMinutes(1));
        sandbox.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

        await sandbox
            .UploadAsync("a.txt")
            .IsAsync(
                reason is null ? HttpStatusCode.OK : HttpStatusCode.Unauthorized,
                reason is null ? """{"status":"ok"}""" : $$"""{"reason":"{{reason}}"}"""
            );
    }

    [Fact]
    public async Task Any_token_is_taken_when_told_so_but_one_is_needed()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync(o => o.AcceptsAnyToken = true);
        sandbox.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "whatever");
        Assert.Equal(HttpStatusCode.OK, await sandbox.UploadAsync("a.txt").StatusAsync());
        sandbox.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, await sandbox.UploadAsync("a.txt").StatusAsync());
    }

    [Fact]
    public async Task Health_and_info_need_no_token()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Authorization = null;

        await sandbox.GetAsync("health").IsAsync(HttpStatusCode.OK, """{"status":"UP"}""");
        Assert.Contains("\"name\":\"dsp-ingest\"", await sandbox.GetAsync("info").BodyAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await sandbox.GetAsync("metrics").StatusAsync());
        sandbox.Options.IsHealthy = false;
        await sandbox
            .GetAsync("health")
            .IsAsync(
                HttpStatusCode.ServiceUnavailable,
                """{"status":"DOWN","components":{"folders":{"status":"UP"},"db":{"status":"DOWN"}}}"""
            );
    }

    private static async Task<string> LogInAsync(DspSandbox sandbox, Dictionary<string, string> credentials)
    {
        using HttpResponseMessage answer = await sandbox.Client.PostAsJsonAsync(Authentication, credentials);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
    }
}
