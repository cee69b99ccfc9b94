using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>A project's import folder.</summary>
/// <remarks>
/// One lock a project serves every call, for the whole of an upload, and a caller waits 400 ms for it before it is refused with 409. So a
/// file that takes a good part of that goes alone, and how many others go side by side is found out by the engine.
/// </remarks>
internal sealed class DspUploadTarget(BulkIngestRoutes routes, Shortcode shortcode) : IUploadTarget
{
    /// <summary>At 50 MB/s this takes 80 ms, a fifth of the time that others wait for the lock.</summary>
    private const long LargeFile = 4 * 1024 * 1024;

    private readonly ProjectMemory _memory = ProjectMemory.Of(routes.Connection, shortcode);

    public IngestService Service => IngestService.DspIngest;

    public string Connection => routes.Connection.Name;

    public string? Shortcode => shortcode.Value;

    public object QueueKey => (routes.Connection, shortcode);

    public string Place => $"{routes.Connection.Uri}projects/{shortcode}";

    public string Description => $"project {shortcode}";

    public long? AloneFrom => LargeFile;

    public string? WhyRefused(string remoteName) => FileNameRules.WhyRefused(remoteName);

    public string? WhyDoubtful(string remoteName) => FileNameRules.WhyDoubtful(remoteName);

    public string? WhyUseless(string remoteName) =>
        FileNameRules.IsHidden(remoteName) ? "its name begins with a dot, and the server's ingest passes over hidden files" : null;

    public JournalPlace JournalPlace => ProjectJournal.PlaceOf(routes, shortcode);

    public async Task<bool> PrepareAsync(IIngestJournal journal, IPlaceJournal? known, CancellationToken cancellationToken)
    {
        if (known is not null)
            return await new ProjectJournal(routes, shortcode, journal, known).RefreshAsync(cancellationToken).ConfigureAwait(false)
                is not null;
        await routes.ProbeAsync(shortcode, cancellationToken).ConfigureAwait(false);
        return true;
    }

    public Task<string?> ReadChecksumAsync(JournaledFile file, CancellationToken cancellationToken) =>
        file.ServerName is null
            ? Task.FromResult<string?>(null)
            : routes.TryGetChecksumAsync(shortcode, file.ServerName, cancellationToken);

    public Task<object> SendAsync(
        UploadItem item,
        Func<StallTimeout?, HttpContent> content,
        IRequestSlot slot,
        CancellationToken cancellationToken
    ) => routes.UploadAsync(shortcode, item, content, slot, cancellationToken);

    public string? Sent(UploadItem item, object answer, byte[] sha256)
    {
        _memory.Uploaded();
        return null;
    }
}
