using System.Text.Json;
using System.Text.Json.Serialization;
using IngestTools.Sandbox.Http;

namespace IngestTools.Sandbox.Control;

/// <summary>What a control request sets: a JSON object. A misspelt setting is refused, not ignored.</summary>
internal static class ControlBody
{
    /// <summary>How such an object is read.</summary>
    public static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };

    /// <summary>Takes the body, and answers 204; or 400 with what is wrong with it.</summary>
    public static async Task TakeAsync<T>(HttpContext context, Action<T> take)
        where T : class
    {
        try
        {
            take(await ReadAsync<T>(context));
            await Answer.Empty(context, StatusCodes.Status204NoContent);
        }
        catch (JsonException e)
        {
            await Answer.Json(context, StatusCodes.Status400BadRequest, new { error = e.Message });
        }
    }

    /// <exception cref="JsonException">It is no such object.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context)
        where T : class =>
        await JsonSerializer.DeserializeAsync<T>(context.Request.Body, Strict, context.RequestAborted)
        ?? throw new JsonException("A JSON object is expected.");
}
