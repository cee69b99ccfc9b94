using IngestTools.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Services.Ica;

/// <summary>
/// Collects ids of data into batches: each id once, in the order in which they come. Of ids that were seen only a hash is kept, so that a
/// million of them take some 25 MB. Not for several threads at once.
/// </summary>
public sealed class LinkingBatchCollector
{
    /// <summary>
    /// The service recommends this maximum number of links in a batch. It does so for version 3, and gives no number for version 4.
    /// </summary>
    public const int DefaultBatchSize = 25_000;

    /// <summary>So many ids of an unusual form are warned about one by one.</summary>
    private const int MostNamed = 10;

    private readonly SeenKeys _seen = new();
    private readonly int _batchSize;
    private readonly ILogger _logger;
    private LinkingBatchBody? _body;
    private int? _lastLength;
    private long _came;
    private long _repeated;
    private long _unusual;

    /// <summary>Makes a collector, for a host with a log of its own.</summary>
    /// <param name="projectId">The project that the data is to be linked into.</param>
    /// <param name="batchSize">How many ids make a batch.</param>
    /// <param name="log">Takes warnings.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no project's id.</exception>
    public LinkingBatchCollector(string projectId, int batchSize, IngestLog log)
        : this(projectId, batchSize, log.Logger) { }

    /// <summary>Makes a collector.</summary>
    /// <param name="projectId">The project that the data is to be linked into.</param>
    /// <param name="batchSize">How many ids make a batch.</param>
    /// <param name="logger">Takes warnings.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no project's id.</exception>
    public LinkingBatchCollector(string projectId, int batchSize = DefaultBatchSize, ILogger? logger = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ProjectId = IcaIds.Project(projectId);
        _batchSize = batchSize;
        _logger = logger ?? NullLogger.Instance;
    }

    /// <summary>The project.</summary>
    public string ProjectId { get; }

    /// <summary>Takes an id. White space around it is left out; an id of an unusual form is warned about and taken.</summary>
    /// <param name="dataId">The id.</param>
    /// <param name="full">The batch that it made full; null while there is room.</param>
    /// <returns>Why the id was not taken; null where it was, or was before.</returns>
    public IngestException? Add(string? dataId, out LinkingBatchContent? full)
    {
        full = null;
        _came++;
        string id = dataId ?? "";
        if (!IcaIds.IsUsual(id))
        {
            id = id.Trim();
            if (IcaIds.WhatIsWrong(id, _came) is { } error)
                return error;
        }

        if (!_seen.Add(id))
        {
            _repeated++;
            return null;
        }

        WarnIfUnusual(id);
        _body ??= _lastLength is { } length ? new LinkingBatchBody(length) : new LinkingBatchBody();
        _body.Add(id);
        if (_body.Count == _batchSize)
            full = TakeBody();
        return null;
    }

    /// <summary>The batch that is not full; null where there is nothing left to send. Call it once, after the last id.</summary>
    public LinkingBatchContent? Finish()
    {
        if (_unusual > MostNamed)
            _logger.LogWarning("{Count:N0} ids in all do not look like ids of data; they were sent all the same.", _unusual);
        if (_repeated > 0)
            _logger.LogInformation("Ids that came again, and were sent once: {Count:N0}.", _repeated);
        return _body is null ? null : TakeBody();
    }

    private LinkingBatchContent TakeBody()
    {
        LinkingBatchContent content = _body!.Finish(ProjectId);
        _body = null;
        _lastLength = content.Body.Length;
        return content;
    }

    private void WarnIfUnusual(string id)
    {
        if (!IcaIds.IsUsual(id) && ++_unusual <= MostNamed)
            _logger.LogWarning(
                "{Id} does not look like an id of data ({Form}); it is sent all the same.",
                Http.Redaction.EscapeControls(id),
                IcaIds.Forms
            );
    }
}
