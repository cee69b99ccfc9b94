using System.Text.Json;
using IngestTools.Sandbox.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>A request to lakeFS, and its answer.</summary>
internal sealed class LakeFsRequest(HttpContext context, RequestTarget target)
{
    public HttpContext Context { get; } = context;

    public string Method => Context.Request.Method;

    public bool HasBody => Context.Request.ContentLength > 0 || Context.Request.Headers.TransferEncoding.Count > 0;

    /// <summary>A parameter of the query; null when it is not there.</summary>
    public string? Query(string name) => QueryHelpers.ParseQuery(target.Query).TryGetValue(name, out var value) ? value.ToString() : null;

    /// <exception cref="JsonException">The body is not what the contract says.</exception>
    public async Task<T> ReadAsync<T>()
        where T : class =>
        await JsonSerializer.DeserializeAsync<T>(Context.Request.Body, LakeFsWire.Json, Context.RequestAborted)
        ?? throw new JsonException("value is required but missing");

    /// <summary>From here on the answer can be found in the server's log.</summary>
    public void GiveId() => Context.Response.Headers["X-Request-ID"] = Guid.NewGuid().ToString();

    public Task AnswerAsync(int status) => Answer.Empty(Context, status);

    public Task AnswerAsync<T>(int status, T value) =>
        Answer.RawJson(Context, status, JsonSerializer.SerializeToUtf8Bytes(value, LakeFsWire.Json));
}
