using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using IngestTools.Http;

namespace IngestTools.Uploads;

/// <summary>A file as a request's body. It is read once: what is sent is what is hashed and counted.</summary>
internal sealed class FileContent : HttpContent
{
    /// <summary>
    /// A file up to this size is read before anything is sent, so that one that cannot be read leaves no trace on the server; a larger one
    /// is read in pieces of this size while it is sent.
    /// </summary>
    private const int BufferSize = 256 * 1024;

    private const int SmallestPiece = 1024;

    private readonly LocalFile _file;
    private readonly StallTimeout? _stallTimeout;
    private readonly UploadMeter _meter;
    private readonly RateLimiter? _rate;
    private byte[]? _whole;
    private bool _isIdle = true;
    private long _sent;

    /// <param name="file">The file.</param>
    /// <param name="stallTimeout">Ends the request where nothing moves.</param>
    /// <param name="meter">Counts what is sent.</param>
    /// <param name="rate">Limits the bytes that are sent; null sets no limit.</param>
    /// <exception cref="IngestException">The file cannot be read, or changed.</exception>
    public FileContent(LocalFile file, StallTimeout? stallTimeout, UploadMeter meter, RateLimiter? rate)
    {
        _rate = rate;
        _file = file;
        _stallTimeout = stallTimeout;
        _meter = meter;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        Headers.ContentLength = file.Length;
        if (file.Length <= BufferSize)
            ReadWhole();
    }

    /// <summary>The hash of what was sent, once all was.</summary>
    public byte[]? Sha256 { get; private set; }

    /// <summary>Takes what this attempt sent off the count: it has to be sent again.</summary>
    public void Undo()
    {
        _meter.Sent(-_sent);
        _sent = 0;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _isIdle = false;
        if (_whole is not null)
        {
            for (int position = 0; position < _file.Length; )
            {
                int length = (int)Math.Min(PieceSize, _file.Length - position);
                if (_rate is not null)
                    await WaitForTurnAsync(_rate, length, cancellationToken).ConfigureAwait(false);
                await stream.WriteAsync(_whole.AsMemory(position, length), cancellationToken).ConfigureAwait(false);
                position += length;
                Moved(length);
            }
        }
        else
        {
            await SendPiecesAsync(stream, cancellationToken).ConfigureAwait(false);
        }

        _isIdle = true;
        // A small file waits for its answer no longer than for anything else.
        if (_whole is null)
            _stallTimeout?.AllSent();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _file.Length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        // A buffer that a broken connection may still be reading is left to the collector.
        if (disposing && _isIdle && _whole is not null)
            ArrayPool<byte>.Shared.Return(_whole);
        _whole = null;
        base.Dispose(disposing);
    }

    private void ReadWhole()
    {
        _whole = ArrayPool<byte>.Shared.Rent(Math.Max(1, (int)_file.Length));
        Span<byte> bytes = _whole.AsSpan(0, (int)_file.Length);
        _file.ReadExactly(bytes, 0);
        _file.CheckUnchanged();
        Sha256 = SHA256.HashData(bytes);
    }

    private async ValueTask SendPiecesAsync(Stream stream, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        for (long position = 0; position < _file.Length; )
        {
            int length = (int)Math.Min(PieceSize, _file.Length - position);
            if (_rate is not null)
                await WaitForTurnAsync(_rate, length, cancellationToken).ConfigureAwait(false);
            // Read on this thread: on Unix an asynchronous read is the same call on another one.
            _file.ReadExactly(buffer.AsSpan(0, length), position);
            hash.AppendData(buffer, 0, length);
            if (position + length == _file.Length)
                _file.CheckUnchanged();
            await stream.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
            position += length;
            Moved(length);
        }

        ArrayPool<byte>.Shared.Return(buffer);
        Sha256 = hash.GetHashAndReset();
    }

    /// <summary>
    /// The maximum number of bytes that are sent at once. Under a limit it is a tenth of a second's bytes, so that concurrent files share
    /// the rate and none waits long for its next piece.
    /// </summary>
    private int PieceSize => _rate is null ? BufferSize : (int)Math.Clamp(_rate.PerSecond / 10, SmallestPiece, BufferSize);

    private async ValueTask WaitForTurnAsync(RateLimiter rate, int length, CancellationToken cancellationToken)
    {
        _stallTimeout?.Pause();
        await rate.WaitAsync(cancellationToken, length).ConfigureAwait(false);
        _stallTimeout?.Resume();
    }

    private void Moved(long bytes)
    {
        _sent += bytes;
        _stallTimeout?.Moved(bytes);
        _meter.Sent(bytes);
    }
}
