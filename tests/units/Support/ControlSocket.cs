using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using IngestTools.Scheduling;

namespace IngestTools.Units.Support;

/// <summary>A socket where a daemon would listen. What it answers, byte for byte, is up to the test.</summary>
internal sealed class ControlSocket : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<string, Stream, Task> _answer;
    private readonly Task _serving;

    private ControlSocket(Func<string, Stream, Task> answer)
    {
        _answer = answer;
        Path = System.IO.Path.Join(_folder.Path, "control.sock");
        _listener = Listen(Path);
        _serving = ServeAsync();
    }

    public string Path { get; }

    /// <summary>What was asked: each request's head and body.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>
    /// Answers as the test says: with the request's first line and the connection's stream, which the test closes where it is to end.
    /// </summary>
    public static ControlSocket Answering(Func<string, Stream, Task> answer) => new(answer);

    /// <summary>Answers every request with a status and a body.</summary>
    public static ControlSocket Answering(int status, string body, string? version = "2") =>
        new(
            async (_, stream) =>
                await stream.WriteAsync(
                    Encoding.UTF8.GetBytes(Head(status, version) + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}")
                )
        );

    /// <summary>The head of an answer, to which the test adds how long the body is.</summary>
    public static string Head(int status, string? version = "2") =>
        $"HTTP/1.1 {status.ToString(CultureInfo.InvariantCulture)} "
        + $"X\r\n{(version is null ? "" : $"{ControlProtocol.VersionHeader}: {version}\r\n")}";

    public static Socket Listen(string path)
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        return listener;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        // An answer that the test still holds back is not waited for.
        await _serving.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _folder.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            using Socket connection = await _listener.AcceptAsync(_stop.Token);
            using NetworkStream stream = new(connection);
            while (await ReadRequestAsync(stream) is { Length: > 0 } request)
            {
                Requests.Enqueue(request);
                await _answer(request[..request.IndexOf('\r', StringComparison.Ordinal)], stream);
            }
        }
    }

    private async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        while (stream.CanRead && !IsWhole(text.ToString()))
        {
            int read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0)
                break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return text.ToString();
    }

    private static bool IsWhole(string text)
    {
        const string LengthHeader = "Content-Length: ";
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return false;
        int length = text.IndexOf(LengthHeader, StringComparison.Ordinal);
        return length < 0
            || length > end
            || Encoding.UTF8.GetByteCount(text[(end + 4)..])
                >= int.Parse(
                    text.AsSpan(length + LengthHeader.Length, text.IndexOf('\r', length) - length - LengthHeader.Length),
                    CultureInfo.InvariantCulture
                );
    }
}
