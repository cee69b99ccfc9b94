using System.Net;
using System.Net.Sockets;

namespace IngestTools.Units.Support;

/// <summary>
/// A load balancer before a server that cuts a connection right as the next request comes in on it, as one does whose idle limit ends in
/// that moment. The first request of each connection goes through.
/// </summary>
internal sealed class CuttingBalancer : IAsyncDisposable
{
    private static readonly byte[] Continue = "100 Continue\r\n\r\n"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Uri _server;
    private readonly Task _work;
    private int _accepted;
    private int _cut;

    public CuttingBalancer(Uri server)
    {
        _server = server;
        _listener.Start();
        _work = AcceptAllAsync();
    }

    public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>How many connections came.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>How many it cut as a second request came.</summary>
    public int Cut => Volatile.Read(ref _cut);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _work;
        _stop.Dispose();
    }

    private async Task AcceptAllAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _accepted);
                connections.Add(RelayAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test has ended.
        }

        await Task.WhenAll(connections);
    }

    private async Task RelayAsync(TcpClient client)
    {
        using TcpClient server = new();
        using (client)
        {
            try
            {
                await server.ConnectAsync(_server.Host, _server.Port, _stop.Token);
                using CancellationTokenSource ends = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                bool isAnswered = false;
                Task answers = CopyAsync(
                    server.GetStream(),
                    client.GetStream(),
                    bytes =>
                    {
                        isAnswered = !bytes.Span.EndsWith(Continue);
                        return true;
                    },
                    ends.Token
                );
                await Task.WhenAny(answers, CopyAsync(client.GetStream(), server.GetStream(), _ => !isAnswered || !CountCut(), ends.Token));
                await ends.CancelAsync();
                await answers;
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // One of the ends has closed.
            }
        }
    }

    private bool CountCut()
    {
        Interlocked.Increment(ref _cut);
        return true;
    }

    private static async Task CopyAsync(
        Stream from,
        Stream to,
        Func<ReadOnlyMemory<byte>, bool> passes,
        CancellationToken cancellationToken
    )
    {
        byte[] buffer = new byte[64 * 1024];
        for (int read; (read = await from.ReadAsync(buffer, cancellationToken)) > 0 && passes(buffer.AsMemory(0, read)); )
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
    }
}
