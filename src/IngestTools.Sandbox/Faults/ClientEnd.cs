using System.Net.NetworkInformation;

namespace IngestTools.Sandbox.Faults;

/// <summary>
/// The client's end of a connection. A server that does not read cannot learn from TCP that its client left: the FIN waits behind
/// the unread body. But both ends are on this machine, whose table of connections shows the other one.
/// </summary>
internal static class ClientEnd
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public static async Task WaitForCloseAsync(ConnectionInfo connection, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(Interval);
        while (IsOpen(connection.RemotePort, connection.LocalPort))
            await timer.WaitForNextTickAsync(cancellationToken);
    }

    private static bool IsOpen(int clientPort, int serverPort)
    {
        TcpConnectionInformation[] connections = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections();
        return Array.Exists(
            connections,
            c => c.State == TcpState.Established && c.LocalEndPoint.Port == clientPort && c.RemoteEndPoint.Port == serverPort
        );
    }
}
