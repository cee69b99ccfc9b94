using System.Runtime.CompilerServices;

namespace IngestTools.Http;

/// <summary>An answer's body that is given up when nothing more of it comes for a time.</summary>
internal sealed class ReadTimeoutStream(Stream inner, TimeSpan timeLimit, TimeProvider time, CancellationToken cancellationToken) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>What is given up is ended, and not left behind: its buffer may go to somebody else.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ofThisRead = default)
    {
        using CancellationTokenSource given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ofThisRead);
        ITimer timer = time.CreateTimer(
            static state => ((CancellationTokenSource)state!).Cancel(),
            given,
            timeLimit,
            Timeout.InfiniteTimeSpan
        );
        await using ConfiguredAsyncDisposable stopping = timer.ConfigureAwait(false);
        try
        {
            return await inner.ReadAsync(buffer, given.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested && !ofThisRead.IsCancellationRequested)
        {
            throw new IOException($"Nothing was received for {timeLimit.TotalSeconds:0} s.", e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("This stream is read asynchronously.");

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
