using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.LakeFs;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>A sandbox whose lakeFS is asked by a plain HttpClient, and the calls that most tests begin with.</summary>
internal sealed class LakeFsSandbox : HttpFixture
{
    private static readonly JsonSerializerOptions NullsLeftOut = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private LakeFsSandbox(SandboxServer server)
        : base(server, "api/v1/") => SignIn(Options.AccessKeyId, Options.SecretAccessKey);

    public LakeFsOptions Options => Server.LakeFs.Options;

    public LakeFsObjectStore Store => Server.LakeFs.Store;

    public LakeFsRepository Lake => Server.LakeFs.Repository(LakeFsState.FirstRepository);

    public LakeFsBranch Main => Lake.Branch("main");

    public bool IsLegacy => Options.Dialect == LakeFsDialect.Legacy;

    /// <summary>Quick, unless a test sets something else.</summary>
    public static async Task<LakeFsSandbox> StartAsync(Action<LakeFsOptions>? set = null, TimeProvider? clock = null)
    {
        SandboxOptions options = new() { Seed = 1, Clock = clock ?? TimeProvider.System };
        LakeFsHarness.SetQuick(options.LakeFs);
        set?.Invoke(options.LakeFs);
        return new LakeFsSandbox(await SandboxServer.StartAsync(options));
    }

    public void SignIn(string user, string password) =>
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))
        );

    public Task<HttpResponseMessage> PostJsonAsync(string path, object body) => PostAsync(path, JsonContent.Create(body));

    public Task<HttpResponseMessage> StartImportAsync(
        string source,
        string destination,
        string type = "common_prefix",
        string branch = "main",
        object? metadata = null
    )
    {
        object body = IsLegacy
            ? new
            {
                source_uri = source,
                prepend = destination,
                commit_message = "test",
                metadata,
            }
            : new
            {
                paths = new[]
                {
                    new
                    {
                        type,
                        path = source,
                        destination,
                    },
                },
                commit = new { message = "test", metadata },
            };
        return PostJsonAsync($"repositories/lake/branches/{branch}/import", WithoutNulls(body));
    }

    /// <summary>Starts an import and waits until it has ended.</summary>
    public async Task<JsonElement> ImportAsync(string source, string destination, string type = "common_prefix")
    {
        string id = await IdOfAsync(StartImportAsync(source, destination, type));
        await Server.WaitUntilAsync(() => Import(id).Phase == LakeFsImportPhase.Ended);
        return await StatusAsync(id);
    }

    public async Task<string> IdOfAsync(Task<HttpResponseMessage> starting)
    {
        using HttpResponseMessage answer = await starting;
        Assert.Equal(IsLegacy ? HttpStatusCode.Created : HttpStatusCode.Accepted, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    public LakeFsImport Import(string id) => Lake.Imports.Single(i => i.Id == id);

    public Task<HttpResponseMessage> TellAsync(string id) => AboutAsync(HttpMethod.Get, id);

    public Task<HttpResponseMessage> CancelAsync(string id) => AboutAsync(HttpMethod.Delete, id);

    public async Task<JsonElement> StatusAsync(string id)
    {
        using HttpResponseMessage answer = await TellAsync(id);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async Task<JsonElement> RangeAsync(
        string source,
        string prepend = "",
        string after = "",
        string? continuation = null,
        string? staging = null
    )
    {
        object body = new
        {
            fromSourceURI = source,
            after,
            prepend,
            continuation_token = continuation,
            staging_token = staging,
        };
        using HttpResponseMessage answer = await PostJsonAsync("repositories/lake/branches/ranges", WithoutNulls(body));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpResponseMessage> AboutAsync(HttpMethod method, string id)
    {
        string query = IsLegacy ? "" : $"?id={Uri.EscapeDataString(id)}";
        using HttpRequestMessage request = new(method, new Uri($"repositories/lake/branches/main/import{query}", UriKind.Relative));
        if (IsLegacy)
            request.Content = JsonContent.Create(new { importID = id });
        return await Client.SendAsync(request, Soon);
    }

    private static JsonNode WithoutNulls(object body) => JsonSerializer.SerializeToNode(body, NullsLeftOut)!;
}
