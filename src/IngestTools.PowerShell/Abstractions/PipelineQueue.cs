using System.Threading.Channels;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>
/// Carries posts from the work to the pipeline's thread, in order. It is bounded: work that is faster than what comes after it in the
/// pipeline waits.
/// </summary>
internal sealed class PipelineQueue
{
    /// <summary>
    /// Enough for the work to continue while the pipeline's thread is busy with one object, and few enough to cost no memory.
    /// </summary>
    internal const int Capacity = 256;

    private readonly Channel<PipelinePost> _channel = Channel.CreateBounded<PipelinePost>(
        new BoundedChannelOptions(Capacity) { SingleReader = true }
    );
    private Task<bool>? _readable;

    /// <summary>Adds a post, when there is room.</summary>
    internal ValueTask AddAsync(PipelinePost post, CancellationToken cancellationToken) =>
        _channel.Writer.WriteAsync(post, cancellationToken);

    /// <summary>Adds a post from code that cannot await; once the queue is complete, nobody would read it, and it is dropped.</summary>
    internal void Add(PipelinePost post)
    {
        while (!_channel.Writer.TryWrite(post))
        {
            if (!_channel.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
                return;
        }
    }

    internal bool TryTake(out PipelinePost post) => _channel.Reader.TryRead(out post);

    /// <summary>Ends when there is something to take (true), or will never be again (false). Asking twice costs no second waiter.</summary>
    internal Task<bool> WhenReadable()
    {
        if (_readable is null || _readable.IsCompleted)
            _readable = _channel.Reader.WaitToReadAsync().AsTask();
        return _readable;
    }

    /// <summary>Says that no more will be added.</summary>
    internal void Complete() => _channel.Writer.TryComplete();
}
