using System.Globalization;
using IngestTools.Scheduler.Runs;
using IngestTools.Scheduler.Store;

namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Looks for what will fail the next runs, and says so before they do: no room on the disk, copies that are gone, connections that are gone
/// or lead elsewhere.
/// </summary>
internal sealed class Checkup(
    SchedulerStore store,
    ISpool spool,
    ScheduleSurvey survey,
    StoreFolder folder,
    TimeProvider time,
    Func<string, long>? freeSpaceOf = null
)
{
    /// <summary>With less, a store that grows and a log that is rotated find no room soon.</summary>
    public const long LeastFreeBytes = 32 * 1024 * 1024;

    /// <summary>Copies and connections are looked at so often: they are files, and there may be thousands.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    /// <summary>Of more, only the number is shown.</summary>
    private const int MostTold = 5;

    private readonly Func<string, long> _freeSpaceOf = freeSpaceOf ?? (static path => new DriveInfo(path).AvailableFreeSpace);
    private readonly List<string> _found = [];
    private long? _looked;

    /// <summary>What is wrong; null where nothing is.</summary>
    public async Task<string?> LookAsync(CancellationToken cancellationToken)
    {
        if (_looked is not { } looked || time.GetElapsedTime(looked) >= Interval)
        {
            _looked = time.GetTimestamp();
            _found.Clear();
            if (await FindLostCopiesAsync(cancellationToken) is { } lost)
                _found.Add(lost);
            _found.AddRange((await survey.FindConnectionTroublesAsync(cancellationToken)).Take(MostTold));
        }

        string[] all = FindNoRoom() is { } full ? [full, .. _found] : [.. _found];
        return all.Length == 0 ? null : string.Join(' ', all);
    }

    private string? FindNoRoom()
    {
        try
        {
            long free = _freeSpaceOf(folder.Path);
            return free >= LeastFreeBytes
                ? null
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"The disk of {folder.Path} has {free / (1024 * 1024)} MiB left. Runs stop when the scheduler cannot record them"
                        + $"{(store.Dialect.IsShared ? " or copy what they load" : "")}. Make room."
                );
        }
        catch (ArgumentException)
        {
            // A share of Windows has no drive to ask.
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"The folder {folder.Path} cannot be checked: {e.Message}";
        }
    }

    private async Task<string?> FindLostCopiesAsync(CancellationToken cancellationToken)
    {
        List<(string Key, string Copy)> kept = await store.ReadSpoolsOfSchedulesAsync(cancellationToken);
        if (kept.Count == 0)
            return null;
        HashSet<string> lost = await spool.FindLostAsync([.. kept.Select(entry => entry.Copy)], cancellationToken);
        string[] names = [.. kept.Where(entry => lost.Contains(entry.Copy)).Select(entry => $"'{entry.Key}'")];
        if (names.Length == 0)
            return null;
        string listed = string.Join(", ", names.Take(MostTold)) + (names.Length > MostTold ? " ..." : "");
        return $"The copied files of {names.Length} {(names.Length == 1 ? "schedule" : "schedules")} are missing: {listed}. "
            + "Register with -Force to copy the files again.";
    }
}

/// <summary>The folder of the daemon: of its store, or of this node where the store is a database.</summary>
internal sealed record StoreFolder(string Path);
