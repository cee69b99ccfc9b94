using System.Net.Sockets;
using System.Text;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>A page in a browser can give a name of its own the address 127.0.0.1; the Host header of its requests has that name.</summary>
public sealed class HostHeaderTests
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:1234")]
    [InlineData("app.localhost")]
    [InlineData("127.0.0.1:80")]
    [InlineData("127.8.9.1")]
    [InlineData("[::1]:8080")]
    public async Task Names_of_this_machine_are_answered(string host)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(sandbox, "/health", host), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health", "evil.example")]
    [InlineData("/sandbox/faults", "evil.example:80")]
    [InlineData("/sandbox/faults", "localhost.evil.example")]
    [InlineData("/health", "192.0.2.7")]
    public async Task Other_names_are_refused_before_anything_is_done(string path, string host)
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();

        string answer = await AskAsync(sandbox, path, host);

        Assert.StartsWith("HTTP/1.1 421 ", answer, StringComparison.Ordinal);
        Assert.Contains("The sandbox answers to localhost, 127.0.0.1 and [::1]", answer, StringComparison.Ordinal);
        Assert.Equal(0, sandbox.Server.Requests.Ended);
    }

    [Fact]
    public async Task Whole_address_that_came_by_a_proxy_is_answered()
    {
        await using DspSandbox sandbox = await DspSandbox.StartAsync();
        Assert.StartsWith(
            "HTTP/1.1 200 ",
            await AskAsync(sandbox, "http://ingest.example.org/health", "ingest.example.org"),
            StringComparison.Ordinal
        );
    }

    private static async Task<string> AskAsync(DspSandbox sandbox, string target, string host)
    {
        using Socket socket = await sandbox.SendRawAsync($"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        await using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(sandbox.Soon);
    }
}
