using System.Security.Cryptography;
using IngestTools.Http;
using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>Decides by the journal whether a file still has to be sent.</summary>
internal sealed class KnownFiles(UploadOptions options, ILogger logger)
{
    private bool _hasWarnedOfDifference;

    /// <summary>What to do with a file.</summary>
    /// <exception cref="IngestException">The file cannot be read, or another file was sent under its name and is not ingested
    /// yet.</exception>
    public async ValueTask<KnownFile> JudgeAsync(UploadItem item, IPlaceJournal place, CancellationToken cancellationToken)
    {
        if (place.Find(item.RemoteName) is not { } record || options.Again)
            return default;
        if (record.State == FileState.Elsewhere)
            return await CompareWithServerAsync(item, record, place, cancellationToken).ConfigureAwait(false);
        if (record.State == FileState.LeftOver || record.Sha256 is null)
            return default;
        // Where names have no folders, anybody's later upload takes the place of this one. A workbook that was not loaded is sent again.
        if (record.State == FileState.Sent && item.Target.IsFlat)
            return default;
        bool isSamePath = record.Path == item.Path;
        if (await IsUnchangedAsync(item, record, isSamePath, cancellationToken).ConfigureAwait(false))
            return new KnownFile(
                record.State == FileState.Sent ? SkipReason.AlreadySent : SkipReason.AlreadyIngested,
                record,
                IsNew: false
            );
        if (
            record.State == FileState.Ingested
            && await FindOnServerAsync(item, record, place.FindOthers(record.Name), place, cancellationToken).ConfigureAwait(false)
                is { Reason: not null } found
        )
            return found;
        if (!isSamePath && record.Path is { } other && IsAsRecorded(other, record))
            throw Collision(item, other, record.State);
        return default;
    }

    /// <summary>
    /// A file at the path that was recorded is judged by length and time. Another file of the same name is compared by content: files that
    /// are made by a program often share length and time.
    /// </summary>
    private async ValueTask<bool> IsUnchangedAsync(
        UploadItem item,
        JournaledFile record,
        bool isSamePath,
        CancellationToken cancellationToken
    )
    {
        if (record.Length != item.Length)
            return false;
        if (isSamePath && !options.Checksum)
            return record.LastWriteTime == item.LastWriteTime;
        return await HashAsync(item.Path, cancellationToken).ConfigureAwait(false) == record.Sha256;
    }

    private async ValueTask<KnownFile> CompareWithServerAsync(
        UploadItem item,
        JournaledFile record,
        IPlaceJournal place,
        CancellationToken cancellationToken
    )
    {
        if (record.ServerName is null)
            return default;
        if (
            await FindOnServerAsync(item, record, [record.ServerName, .. place.FindOthers(record.Name)], place, cancellationToken)
                .ConfigureAwait(false)
            is not { } found
        )
            return default;
        if (found.Reason is not null)
            return found;
        if (!_hasWarnedOfDifference)
        {
            _hasWarnedOfDifference = true;
            logger.LogWarning(
                "{Name} is sent, although {Target} has a file of this name that was sent from elsewhere: their contents differ. There "
                    + "is no warning for other files like it.",
                Redaction.EscapeControls(item.RemoteName),
                item.Target.Description
            );
        }

        return default;
    }

    /// <summary>
    /// The file among those that the server has under its name, by its content; the default where it is another one, and null where the
    /// server does not know their contents.
    /// </summary>
    private async ValueTask<KnownFile?> FindOnServerAsync(
        UploadItem item,
        JournaledFile record,
        IReadOnlyList<string> serverNames,
        IPlaceJournal place,
        CancellationToken cancellationToken
    )
    {
        string? ours = null;
        foreach (string serverName in serverNames)
        {
            JournaledFile found = record with { ServerName = serverName };
            if (await item.Target.ReadChecksumAsync(found, cancellationToken).ConfigureAwait(false) is not { } theirs)
                continue;
            ours ??= await HashAsync(item.Path, cancellationToken).ConfigureAwait(false);
            if (!string.Equals(theirs, ours, StringComparison.OrdinalIgnoreCase))
                continue;
            if (!options.SendsNothing && record.ServerName is { } former && former != serverName)
                place.AddOthers([(record.Name, former)]);
            return new KnownFile(
                SkipReason.AlreadyIngested,
                found with
                {
                    State = FileState.Ingested,
                    Path = item.Path,
                    Length = item.Length,
                    LastWriteTime = item.LastWriteTime,
                    Sha256 = ours,
                    Job = 0,
                },
                IsNew: true
            );
        }

        return ours is null ? null : default(KnownFile);
    }

    private static bool IsAsRecorded(string path, JournaledFile record)
    {
        FileInfo file = new(path);
        return file.Exists && file.Length == record.Length && file.LastWriteTimeUtc == record.LastWriteTime;
    }

    private static async ValueTask<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            await using (file.ConfigureAwait(false))
                return Convert.ToHexString(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false)).ToLowerInvariant();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw LocalFileErrors.NotFound(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalFileErrors.Unreadable(path, e.Message, e);
        }
    }

    private static IngestException Collision(UploadItem item, string other, FileState state) =>
        new(
            ErrorId.NameCollision,
            $"{Redaction.EscapeControls(item.Path)} would be sent as '{Redaction.EscapeControls(item.RemoteName)}', the name under "
                + $"which another file was sent: "
                + $"{Redaction.EscapeControls(other)}, which {(state == FileState.Sent ? "is not ingested yet" : "was ingested")}."
        )
        {
            Service = item.Target.Service,
            Operation = "upload",
            Advice = item.Target.IsFlat
                ? "Give -UniqueName, or rename one of them. To send it all the same, give -Again."
                : "Give a -BasePath that keeps their folders apart, or rename one of them. To send it all the same, give -Again.",
            Target = item.Path,
        };
}

/// <summary>What the journal says about a file.</summary>
/// <param name="Reason">Why it is skipped; null where it is sent.</param>
/// <param name="Record">Its record; null where it is sent.</param>
/// <param name="IsNew">Whether the record is still to be written.</param>
internal readonly record struct KnownFile(SkipReason? Reason, JournaledFile? Record, bool IsNew);
