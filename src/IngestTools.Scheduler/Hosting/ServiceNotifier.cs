using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>Reports the daemon's state to systemd, by datagrams to the socket that it names. Without systemd it does nothing.</summary>
internal sealed class ServiceNotifier(ILogger<ServiceNotifier> logger)
{
    private readonly string? _socket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    public void Status(string status) => Send($"STATUS={status}");

    public void Watchdog() => Send("WATCHDOG=1");

    public void Stopping() => Send("STOPPING=1");

    private void Send(string state)
    {
        if (string.IsNullOrEmpty(_socket) || OperatingSystem.IsWindows())
            return;
        try
        {
            // An @ at the beginning stands for the name of an abstract socket.
            string path = _socket[0] == '@' ? '\0' + _socket[1..] : _socket;
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(path));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            logger.LogDebug("systemd could not be notified: {Reason}", e.Message);
        }
    }
}
