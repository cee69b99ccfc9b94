using System.IO.Compression;
using System.Text.Json;
using IngestTools.Sandbox.Http;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>The forms of ICA's answers.</summary>
internal static class IcaAnswer
{
    /// <summary>Below this size gzip saves nothing.</summary>
    private const int LeastCompressed = 1024;

    /// <summary>The code that is known for a wrong Accept; it stands for all wrong media types here.</summary>
    public const string InvalidMediaType = "ICA_API_004";

    /// <summary>Answers in the media type that was asked for, compressed where that was asked for too.</summary>
    public static async Task SendAsync<T>(HttpContext context, int status, T value)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(value, Answer.JsonOptions);
        context.Response.StatusCode = status;
        context.Response.ContentType = context.Request.Headers.Accept.ToString();
        if (
            body.Length >= LeastCompressed
            && context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase)
        )
        {
            context.Response.Headers.ContentEncoding = "gzip";
            body = Compress(body);
        }
        context.Response.ContentLength = body.Length;
        await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>
    /// RFC 7807 as this service writes it: the title is a code, the detail is the text, and there are members beyond the documented ones.
    /// </summary>
    public static Task ProblemAsync(
        HttpContext context,
        int status,
        string title,
        string detail,
        DateTimeOffset now,
        Dictionary<string, string>? parameters = null
    )
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                id = Guid.NewGuid(),
                type = "about:blank",
                title,
                status,
                detail,
                instance = $"http://ica.example.com{context.Request.Path}",
                parameters = parameters ?? [],
                timestamp = now,
                method = context.Request.Method,
            },
            Answer.JsonOptions
        );
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        context.Response.ContentLength = body.Length;
        return context.Response.BodyWriter.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static byte[] Compress(byte[] body)
    {
        using MemoryStream compressed = new();
        using (GZipStream gzip = new(compressed, CompressionLevel.Fastest))
            gzip.Write(body);
        return compressed.ToArray();
    }
}
