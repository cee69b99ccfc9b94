using System.Net;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>What the tests expect of answers.</summary>
internal static class Answers
{
    public static async Task IsAsync(this Task<HttpResponseMessage> sending, HttpStatusCode status, string body)
    {
        using HttpResponseMessage answer = await sending;
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
        Assert.Equal(status, answer.StatusCode);
    }

    public static async Task<string> BodyAsync(this Task<HttpResponseMessage> sending)
    {
        using HttpResponseMessage answer = await sending;
        return await answer.Content.ReadAsStringAsync();
    }

    public static async Task<HttpStatusCode> StatusAsync(this Task<HttpResponseMessage> sending)
    {
        using HttpResponseMessage answer = await sending;
        return answer.StatusCode;
    }
}
