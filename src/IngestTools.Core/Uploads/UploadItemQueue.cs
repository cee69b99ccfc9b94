using System.Threading.Channels;

namespace IngestTools.Uploads;

/// <summary>
/// Files that wait to be sent. A full queue holds the writer until half of it is gone, and one reader waits at a time, so that neither side
/// wakes the other for each file: at thousands of small files a second, waking costs as much as sending.
/// </summary>
internal sealed class UploadItemQueue : IDisposable
{
    /// <summary>The maximum number of files that wait.</summary>
    private const int Capacity = 1024;

    private readonly Channel<UploadItem> _items = Channel.CreateUnbounded<UploadItem>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly SemaphoreSlim _reading = new(1);
    private TaskCompletionSource? _room;
    private int _count;

    /// <summary>Adds a file. Waits where the queue is full.</summary>
    public ValueTask AddAsync(UploadItem item, CancellationToken cancellationToken)
    {
        int count = Interlocked.Increment(ref _count);
        _items.Writer.TryWrite(item);
        return count < Capacity ? default : WaitForRoomAsync(cancellationToken);
    }

    /// <summary>No more files come.</summary>
    public void Complete() => _items.Writer.TryComplete();

    /// <summary>Takes the next file. Null where there will be no more.</summary>
    public ValueTask<UploadItem?> TakeAsync(CancellationToken cancellationToken) =>
        TryTake() is { } item ? new(item) : WaitForItemAsync(cancellationToken);

    public void Dispose() => _reading.Dispose();

    private UploadItem? TryTake()
    {
        if (!_items.Reader.TryRead(out UploadItem? item))
            return null;
        if (Interlocked.Decrement(ref _count) == Capacity / 2)
            Interlocked.Exchange(ref _room, null)?.TrySetResult();
        return item;
    }

    private async ValueTask<UploadItem?> WaitForItemAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (await _items.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (TryTake() is { } item)
                    return item;
            }

            return null;
        }
        finally
        {
            _reading.Release();
        }
    }

    private async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource room = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // A full fence: the count must not be read before readers can see that somebody waits.
        Interlocked.Exchange(ref _room, room);
        if (Volatile.Read(ref _count) > Capacity / 2)
            await room.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
