using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IngestTools.Units.Scheduler;

/// <summary>A request that a <see cref="HookServer"/> received.</summary>
internal sealed record HookRequest(string Line, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>A receiver of reports on loopback that answers with whatever bytes a test wants, however wrong.</summary>
internal sealed class HookServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<int, NetworkStream, CancellationToken, Task> _answer;
    private readonly Task _accepting;

    /// <param name="answer">Answers a request, the first with number 1.</param>
    public HookServer(Func<int, NetworkStream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public ConcurrentQueue<HookRequest> Requests { get; } = new();

    public string Uri => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/hook";

    /// <summary>Answers the requests in turn with these texts, and all others with the last.</summary>
    public static HookServer Answering(params string[] answers) =>
        new((number, stream, token) => SendAsync(stream, answers[Math.Min(number, answers.Length) - 1], token));

    public static async Task SendAsync(NetworkStream stream, string text, CancellationToken cancellationToken) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), cancellationToken);

    public static string Status(int status, string headers = "") =>
        $"HTTP/1.1 {status} Words\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> answering = [];
        try
        {
            while (true)
                answering.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(answering);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using TcpClient connected = client;
        try
        {
            NetworkStream stream = client.GetStream();
            Requests.Enqueue(await ReadAsync(stream));
            await _answer(Requests.Count, stream, _stop.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other end has seen enough.
        }
    }

    private async Task<HookRequest> ReadAsync(NetworkStream stream)
    {
        List<byte> head = [];
        byte[] one = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            await stream.ReadExactlyAsync(one, _stop.Token);
            head.Add(one[0]);
        }

        string[] lines = Encoding.ASCII.GetString([.. head]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Dictionary<string, string> headers = lines
            .Skip(1)
            .Select(line => line.Split(": ", 2))
            .ToDictionary(parts => parts[0], parts => parts[1], StringComparer.OrdinalIgnoreCase);
        byte[] body = new byte[int.Parse(headers["Content-Length"], null)];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new HookRequest(lines[0], headers, body);
    }
}
