using System.Globalization;
using System.Security.Cryptography;
using IngestTools.Http;
using IngestTools.Journal;
using IngestTools.Uploads;

namespace IngestTools.Services.Voss;

/// <summary>
/// Where VOSS keeps uploaded workbooks: by name, without folders, a later one in place of an earlier one of the same name.
/// </summary>
internal sealed class VossUploadTarget(VossRoutes routes, Hierarchy hierarchy, bool uniqueNames) : IUploadTarget
{
    private const string Extension = ".xlsx";

    /// <summary>With the second in the name, this many random bytes keep names apart that many machines make.</summary>
    private const int RandomBytes = 4;

    public IngestService Service => IngestService.Voss;

    public string Connection => routes.Connection.Name;

    public string? Shortcode => null;

    public string? Hierarchy => hierarchy.Value;

    public object QueueKey => (routes.Connection, hierarchy);

    public string Place => $"{routes.Connection.Uri}uploadfiles";

    public string Description => $"hierarchy {hierarchy}";

    public long? AloneFrom => null;

    public bool IsFlat => true;

    /// <summary>
    /// "users.xlsx" becomes "users-20261201T023000Z-1f0c9a7b.xlsx": a name that no other run has, by which the load is found in the
    /// server's log.
    /// </summary>
    public string NameFor(string remoteName)
    {
        string name = remoteName[(remoteName.LastIndexOf('/') + 1)..];
        if (!uniqueNames)
            return name;
        string extension = Path.GetExtension(name);
        string now = routes.Time.GetUtcNow().ToString(@"yyyyMMdd\THHmmss\Z", CultureInfo.InvariantCulture);
        string random = Convert.ToHexString(RandomNumberGenerator.GetBytes(RandomBytes)).ToLowerInvariant();
        return $"{name[..^extension.Length]}-{now}-{random}{extension}";
    }

    public string? WhyRefused(string remoteName) => null;

    public string? WhyDoubtful(string remoteName) =>
        remoteName.EndsWith(Extension, StringComparison.OrdinalIgnoreCase)
            ? null
            : $"VOSS is documented to load {Extension} files, and this name ends otherwise";

    public string? WhyUseless(string remoteName) =>
        remoteName.StartsWith("~$", StringComparison.Ordinal)
            ? "it is the mark that a spreadsheet program leaves beside a workbook that it has open"
            : null;

    public string? FindContentDoubt(UploadItem item) => WorkbookFile.Check(item.Path);

    public JournalPlace JournalPlace => new(Service, routes.Connection.Uri.AbsoluteUri, hierarchy.Value);

    public Task<bool> PrepareAsync(IIngestJournal journal, IPlaceJournal? known, CancellationToken cancellationToken) =>
        Task.FromResult(true);

    public Task<object> SendAsync(
        UploadItem item,
        Func<StallTimeout?, HttpContent> content,
        IRequestSlot slot,
        CancellationToken cancellationToken
    )
    {
        WorkbookFile.Check(item.Path);
        return routes.UploadAsync(hierarchy, item, content, slot, cancellationToken);
    }

    public string? Sent(UploadItem item, object answer, byte[] sha256)
    {
        string name = VossRoutes.NameOf((UploadAnswer)answer);
        UploadedWorkbooks.Of(routes.Connection).Add(name, item.Path, sha256);
        return name;
    }
}
