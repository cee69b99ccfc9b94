using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.Ica;
using Microsoft.Extensions.Time.Testing;

namespace IngestTools.Units.Sandbox;

/// <summary>
/// A sandbox whose clock stands still, a plain HttpClient that may do everything, and the calls that most tests of ICA begin with.
/// </summary>
internal sealed class IcaSandbox : HttpFixture
{
    public const string Token = "the-token-of-the-tests";
    public const string V3 = "application/vnd.illumina.v3+json";
    public const string V4 = "application/vnd.illumina.v4+json";
    public const string Project = "8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d";

    private IcaSandbox(SandboxServer server, FakeTimeProvider clock)
        : base(server, "ica/rest/api/")
    {
        Clock = clock;
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
    }

    public FakeTimeProvider Clock { get; }

    public IcaOptions Options => Server.Ica.Options;

    public static async Task<IcaSandbox> StartAsync(Action<IcaOptions>? set = null)
    {
        FakeTimeProvider clock = new();
        SandboxOptions options = new() { Seed = 1, Clock = clock };
        options.Ica.Token = Token;
        options.Ica.QueueTime = TimeSpan.FromSeconds(2);
        options.Ica.TimePerItem = TimeSpan.FromSeconds(1);
        set?.Invoke(options.Ica);
        return new IcaSandbox(await SandboxServer.StartAsync(options), clock);
    }

    /// <summary>An id of data as real ones are.</summary>
    public static string Id(int number, string kind = "fil") => $"{kind}.{number:x32}";

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? accept = V3,
        string? body = null,
        string? contentType = V4
    )
    {
        HttpRequestMessage request = new(method, new Uri(Client.BaseAddress!.AbsoluteUri + path));
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        return Client.SendAsync(request);
    }

    public Task<HttpResponseMessage> GetAsync(string path, string? accept = V3) => SendAsync(HttpMethod.Get, path, accept);

    public async Task<JsonElement> ReadAsync(string path, string accept = V3)
    {
        using HttpResponseMessage answer = await GetAsync(path, accept);
        answer.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.Clone();
    }

    public Task<HttpResponseMessage> PostBatchAsync(string[] ids, string accept = V4, string contentType = V4, string project = Project) =>
        SendAsync(
            HttpMethod.Post,
            $"projects/{project}/dataLinkingBatch",
            accept,
            JsonSerializer.Serialize(new { items = ids.Select(static id => new { dataId = id }) }),
            contentType
        );

    /// <summary>Makes a batch, and gives its path.</summary>
    public async Task<string> CreateAsync(params string[] ids)
    {
        using HttpResponseMessage answer = await PostBatchAsync(ids);
        answer.EnsureSuccessStatusCode();
        string id = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString()!;
        return $"projects/{Project}/dataLinkingBatch/{id}";
    }

    public async Task<string?> JobStatusAsync(string batch) =>
        (await ReadAsync(batch)).GetProperty("job").GetProperty("status").GetString();

    public async Task<string[]> ItemStatusesAsync(string batch, string accept = V4) =>
        (await ReadAsync($"{batch}/items", accept))
            .GetProperty("items")
            .EnumerateArray()
            .Select(static i => i.GetProperty("processing").GetProperty("status").GetString()!)
            .ToArray();

    public void Move(double seconds) => Clock.Advance(TimeSpan.FromSeconds(seconds));
}
