using Microsoft.AspNetCore.Connections;

namespace IngestTools.Sandbox;

/// <summary>Counts TCP connections, so that a test can prove that a client closed its sockets.</summary>
public sealed class ConnectionCounter
{
    private readonly ChangeSignal _changes;
    private int _open;
    private int _accepted;

    internal ConnectionCounter(ChangeSignal changes) => _changes = changes;

    /// <summary>Connections open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Connections accepted since the sandbox started.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    internal ConnectionDelegate Count(ConnectionDelegate next) =>
        async connection =>
        {
            Interlocked.Increment(ref _accepted);
            Interlocked.Increment(ref _open);
            _changes.Pulse();
            try
            {
                await next(connection);
            }
            finally
            {
                Interlocked.Decrement(ref _open);
                _changes.Pulse();
            }
        };
}
