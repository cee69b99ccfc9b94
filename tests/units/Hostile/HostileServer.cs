using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IngestTools.Units.Hostile;

/// <summary>A request as it came.</summary>
internal sealed record ReceivedRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Path => Target.Split('?')[0];
}

/// <summary>A server on a raw socket: what it answers, byte for byte, is up to the test.</summary>
internal sealed class HostileServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;
    private readonly Func<ReceivedRequest, CancellationToken, Task<RecordedAnswer>> _answer;

    public HostileServer(Func<ReceivedRequest, RecordedAnswer> answer)
        : this((request, _) => Task.FromResult(answer(request))) { }

    public HostileServer(Func<ReceivedRequest, CancellationToken, Task<RecordedAnswer>> answer)
    {
        _answer = answer;
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
        _serving.Wait(TimeSpan.FromSeconds(60));
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> clients = [];
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_end.Token);
                clients.RemoveAll(task => task.IsCompleted);
                clients.Add(Task.Run(() => ServeAsync(client)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using NetworkStream stream = new(client, ownsSocket: true);
        try
        {
            client.NoDelay = true;
            while (await ReadAsync(stream) is { } request)
            {
                RecordedAnswer answer = await _answer(request, _end.Token);
                await stream.WriteAsync(answer.ToBytes(), _end.Token);
                if (answer.Stalls)
                    await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, _end.Token);
                if (!answer.KeepsConnection)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client has gone, or the test has ended.
        }
    }

    private async Task<ReceivedRequest?> ReadAsync(NetworkStream stream)
    {
        byte[] buffer = new byte[64 * 1024];
        int length = 0;
        int end;
        while ((end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int read = length == buffer.Length ? 0 : await stream.ReadAsync(buffer.AsMemory(length), _end.Token);
            if (read == 0)
                return null;
            length += read;
        }

        string[] lines = Encoding.Latin1.GetString(buffer, 0, end).Split("\r\n");
        string[] start = lines[0].Split(' ');
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.Skip(1))
        {
            string[] sides = line.Split(':', 2);
            headers[sides[0]] = sides[1].Trim();
        }

        if (headers.ContainsKey("Expect"))
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _end.Token);
        byte[] body = new byte[
            headers.TryGetValue("Content-Length", out string? text) ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 0
        ];
        int have = Math.Min(body.Length, length - end - 4);
        buffer.AsSpan(end + 4, have).CopyTo(body);
        await stream.ReadExactlyAsync(body.AsMemory(have), _end.Token);
        return new ReceivedRequest(start[0], start[1], headers, body);
    }
}
