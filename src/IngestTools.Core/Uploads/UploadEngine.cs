using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>Sends files: enumeration, sending and results overlap, and nothing is collected.</summary>
public sealed class UploadEngine
{
    /// <summary>Makes an engine for one run.</summary>
    public UploadEngine(UploadOptions options, ILogger logger, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>How far it has come. May be asked at any time from any thread.</summary>
    public UploadProgress Progress => throw new NotImplementedException();

    /// <summary>
    /// Sends what is asked for, and gives a result for each file as it ends, in the order in which they end. What cannot be read, or has a name that will be
    /// refused, is a result with the status Failed; only cancellation is thrown. When the reader of the results stops, what is under way is aborted.
    /// </summary>
    /// <param name="requests">Files and folders, taken as they come.</param>
    /// <param name="cancellationToken">Aborts what is under way.</param>
    public IAsyncEnumerable<UploadResult> SendAsync(ChannelReader<UploadRequest> requests, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
