using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IngestTools.Sandbox.Http;

/// <summary>The few forms that the services' answers take.</summary>
internal static class Answer
{
    /// <summary>The services write text as it is, where .NET's default would escape apostrophes and everything beyond ASCII.</summary>
    public static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public static Task Json<T>(HttpContext context, int status, T value) =>
        RawJson(context, status, JsonSerializer.SerializeToUtf8Bytes(value, JsonOptions));

    public static Task RawJson(HttpContext context, int status, ReadOnlyMemory<byte> json) =>
        Send(context, status, "application/json", json);

    public static Task Text(HttpContext context, int status, string text, string contentType = "text/plain; charset=UTF-8") =>
        Send(context, status, contentType, Encoding.UTF8.GetBytes(text));

    public static Task Empty(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        // HTTP does not allow 204 to tell a length.
        if (status != StatusCodes.Status204NoContent)
            context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>Writes a value that may be large piece by piece, for the control routes.</summary>
    public static Task Stream<T>(HttpContext context, T value)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, value, JsonOptions, context.RequestAborted);
    }

    private static async Task Send(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }
}
