using Microsoft.AspNetCore.Connections;

namespace IngestTools.Sandbox.Faults;

/// <summary>A request's body that is read in another way than it came.</summary>
internal abstract class DisturbedBody(Stream inner) : Stream
{
    protected Stream Inner { get; } = inner;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Bodies are read asynchronously.");

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A body that arrives in small pieces with a pause before each.</summary>
internal sealed class SlowBody(Stream inner, int pieceBytes, TimeSpan pause, TimeProvider clock) : DisturbedBody(inner)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Delay(pause, clock, cancellationToken);
        return await Inner.ReadAsync(buffer[..Math.Min(buffer.Length, pieceBytes)], cancellationToken);
    }
}

/// <summary>A body whose connection breaks after some bytes.</summary>
internal sealed class BreakingBody(Stream inner, long bytesBefore, Action breakConnection) : DisturbedBody(inner)
{
    private long _left = bytesBefore;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = _left == 0 ? 0 : await Inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= read;
        if (read > 0)
            return read;
        // Also where the body was shorter: the fault was announced as applied, and is.
        breakConnection();
        throw new ConnectionAbortedException();
    }
}
