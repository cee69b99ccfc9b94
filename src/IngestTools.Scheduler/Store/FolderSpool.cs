using IngestTools.Connections;
using IngestTools.Files;

namespace IngestTools.Scheduler.Store;

/// <summary>Copies in a folder beside the store, each in a folder of its own under its own name.</summary>
internal sealed class FolderSpool(string folder) : ISpool
{
    /// <summary>A copy that is so old, and that no schedule has, will not get one.</summary>
    public static readonly TimeSpan Unclaimed = TimeSpan.FromHours(1);

    private const string Unfinished = ".part";

    public async Task<string> KeepAsync(string path, CancellationToken cancellationToken)
    {
        string name = Path.Join(Guid.NewGuid().ToString("N"), Path.GetFileName(path));
        await CopyAsync(path, name, cancellationToken);
        return name;
    }

    public Task<string> GetAsync(string name, CancellationToken cancellationToken)
    {
        string path = Path.Join(folder, name);
        return File.Exists(path) ? Task.FromResult(path) : throw Lost(path);
    }

    public Task<HashSet<string>> FindLostAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken) =>
        Task.FromResult(names.Where(name => !File.Exists(Path.Join(folder, name))).ToHashSet(StringComparer.Ordinal));

    public Task SweepAsync(IReadOnlyCollection<string> inUse, CancellationToken cancellationToken)
    {
        HashSet<string> kept = new(inUse.Select(name => name.Split(Path.DirectorySeparatorChar)[0]), StringComparer.Ordinal);
        if (!Directory.Exists(folder))
            return Task.CompletedTask;
        DateTime old = DateTime.UtcNow - Unclaimed;
        foreach (string copy in Directory.EnumerateDirectories(folder))
        {
            if (!kept.Contains(Path.GetFileName(copy)) && Directory.GetLastWriteTimeUtc(copy) < old)
                Directory.Delete(copy, recursive: true);
        }

        return Task.CompletedTask;
    }

    /// <summary>The name is there when all of the file is, since a folder is renamed as a whole.</summary>
    private async Task CopyAsync(string path, string name, CancellationToken cancellationToken)
    {
        string place = Path.Join(folder, Path.GetDirectoryName(name));
        try
        {
            PrivateFiles.CreateFolder(folder);
            PrivateFiles.CreateFolder(place + Unfinished);
            await using (
                FileStream source = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, useAsync: true)
            )
            await using (
                FileStream copy = PrivateFiles.Create(Path.Join(place + Unfinished, Path.GetFileName(name)), FileOptions.Asynchronous)
            )
            {
                await source.CopyToAsync(copy, cancellationToken);
                copy.Flush(flushToDisk: true);
            }

            Directory.Move(place + Unfinished, place);
        }
        // .NET tells a disk's quota (EFBIG) as an argument out of range.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            PrivateFolder.TryDelete(place + Unfinished);
            throw NotKept(path, folder, e);
        }
        catch (OperationCanceledException)
        {
            PrivateFolder.TryDelete(place + Unfinished);
            throw;
        }
    }

    public static IngestException NotKept(string path, string place, Exception cause) =>
        new(ErrorId.FileUnreadable, $"{path} cannot be copied to {place}: {cause.Message}", cause)
        {
            Operation = "register",
            Advice =
                "The scheduler keeps a copy of each workbook and id list. Look whether the disk has room, and whether the scheduler's "
                + "account may write there.",
            Target = path,
        };

    public static IngestException Lost(string path) =>
        new(ErrorId.FileNotFound, $"The copy {path} is gone.")
        {
            Operation = "load",
            Advice = "Register the schedule again with -Force: the file is then copied again.",
            Target = path,
        };
}

/// <summary>Folders that only the daemon's account may read and write.</summary>
internal static class PrivateFolder
{
    private static readonly EnumerationOptions All = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.None,
    };

    /// <summary>
    /// Refuses a folder, and what lies in it, that another account owns or can write: the store, its lock, the spool and each copy in it.
    /// </summary>
    /// <exception cref="StoreException">The message names the file, and what to do.</exception>
    public static void RefuseForeign(string folder)
    {
        if (FileAccount.FindRiskOfFolder(folder) is { } risk)
            throw Foreign(folder, risk);
        // A socket is looked at where it is taken over, and has another mode.
        foreach (string file in Directory.EnumerateFiles(folder, "*", All).Where(path => !path.EndsWith(".sock", StringComparison.Ordinal)))
        {
            if (FileAccount.FindRisk(file) is { } found)
                throw Foreign(file, found);
        }
    }

    private static StoreException Foreign(string path, FileRisk risk) =>
        new($"{path} is not used: {risk.Reason}. {risk.Advice} Or give another folder with --store.");

    /// <summary>Deletes what is left of an attempt; where even that cannot be done, the error of the attempt itself counts.</summary>
    public static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            System.Diagnostics.Trace.TraceWarning($"{folder} is left over: {e.Message}");
        }
    }
}
