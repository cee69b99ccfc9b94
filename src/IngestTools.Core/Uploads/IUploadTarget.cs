using IngestTools.Http;
using IngestTools.Journal;

namespace IngestTools.Uploads;

/// <summary>Where files go: one project of one service.</summary>
public interface IUploadTarget
{
    /// <summary>The service.</summary>
    IngestService Service { get; }

    /// <summary>The connection's name.</summary>
    string Connection { get; }

    /// <summary>The base address of the server.</summary>
    string Server => JournalPlace.Server;

    /// <summary>The project, where the service has shortcodes.</summary>
    string? Shortcode { get; }

    /// <summary>The hierarchy, where the service has them.</summary>
    string? Hierarchy => null;

    /// <summary>Whether the service keeps names without folders, so that files of different folders can get the same.</summary>
    internal bool IsFlat => false;

    /// <summary>Files with the same key are sent from one queue, with one concurrency limit and one connection.</summary>
    internal object QueueKey { get; }

    /// <summary>Where names must be different.</summary>
    internal string Place { get; }

    /// <summary>What is done with the target, for a person: "project 0001".</summary>
    string Description { get; }

    /// <summary>
    /// From this size on a file is sent alone, since the server holds a lock for as long as it takes; null where it does not.
    /// </summary>
    internal long? AloneFrom { get; }

    /// <summary>The name under which a file is sent, made of the one that its place among others gives it.</summary>
    internal string NameFor(string remoteName) => remoteName;

    /// <summary>Why the server will refuse a name; null where it will take it.</summary>
    internal string? WhyRefused(string remoteName);

    /// <summary>Why the server may refuse a name, to warn about; null where nothing speaks for it.</summary>
    internal string? WhyDoubtful(string remoteName);

    /// <summary>Why the server would take a file and then never use it; null where it will.</summary>
    internal string? WhyUseless(string remoteName);

    /// <summary>
    /// Looks into a file before it is sent: what the server may make of its content, to warn about; null where nothing speaks against it.
    /// </summary>
    /// <exception cref="IngestException">The server cannot use the file.</exception>
    internal string? FindContentDoubt(UploadItem item) => null;

    /// <summary>Where the journal records the files.</summary>
    internal JournalPlace JournalPlace { get; }

    /// <summary>
    /// Finds out, before the first file, whether files can be sent at all. What the server has done with files since is taken over into the
    /// journal.
    /// </summary>
    /// <param name="journal">The journal.</param>
    /// <param name="known">What it knows of this target's files; null where nothing is recorded.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>False where the journal could not be brought up to date, since the place is locked.</returns>
    /// <exception cref="IngestException">They cannot.</exception>
    internal Task<bool> PrepareAsync(IIngestJournal journal, IPlaceJournal? known, CancellationToken cancellationToken);

    /// <summary>SHA-256 of a file that the server has, by its record; null where the server does not say.</summary>
    internal Task<string?> ReadChecksumAsync(JournaledFile file, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    /// <summary>Sends one file, in its slot among others. Returns the server's answer.</summary>
    internal Task<object> SendAsync(
        UploadItem item,
        Func<StallTimeout?, HttpContent> content,
        IRequestSlot slot,
        CancellationToken cancellationToken
    );

    /// <summary>The server has the file. Returns the name that it gave the file; null where it gives none.</summary>
    /// <param name="item">The file.</param>
    /// <param name="answer">What <see cref="SendAsync"/> returned.</param>
    /// <param name="sha256">The hash of what was sent.</param>
    internal string? Sent(UploadItem item, object answer, byte[] sha256);
}
