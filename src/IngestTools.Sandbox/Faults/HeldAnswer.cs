using Microsoft.AspNetCore.Http.Features;

namespace IngestTools.Sandbox.Faults;

/// <summary>Takes an answer's body in place of the connection: its first bytes are kept, the rest is only counted.</summary>
internal sealed class HeldAnswer : Stream
{
    /// <summary>How much is kept unless a fault names a size: enough to be in the middle of any answer.</summary>
    public const int MostBytes = 64 * 1024;

    private readonly MemoryStream _kept = new();
    private readonly long _keepBytes;

    private HeldAnswer(long keepBytes) => _keepBytes = keepBytes;

    public long TotalBytes { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => TotalBytes;

    public override long Position
    {
        get => TotalBytes;
        set => throw new NotSupportedException();
    }

    /// <summary>Lets <paramref name="act"/> write its answer here, and gives the connection back after it.</summary>
    public static async Task<HeldAnswer> HoldAsync(HttpContext context, long keepBytes, Func<Task> act)
    {
        IHttpResponseBodyFeature connection = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        HeldAnswer held = new(keepBytes);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(held));
        try
        {
            await act();
        }
        finally
        {
            context.Features.Set(connection);
        }
        return held;
    }

    /// <summary>The first bytes, but never all of them; half of the answer unless a number is given.</summary>
    public ReadOnlyMemory<byte> FirstPart(long? bytes)
    {
        long length = Math.Min(bytes ?? TotalBytes / 2, Math.Min(_kept.Length, TotalBytes - 1));
        return _kept.GetBuffer().AsMemory(0, (int)Math.Max(length, 0));
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        long room = Math.Max(0, _keepBytes - TotalBytes);
        _kept.Write(buffer[..(int)Math.Min(buffer.Length, room)]);
        TotalBytes += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
