namespace IngestTools.Scheduler.Store;

/// <summary>
/// Copies of what schedules load: the service keeps none, and the file that was registered may be gone when its time comes.
/// </summary>
internal interface ISpool
{
    /// <summary>Copies a file: wholly, or not at all. Only the daemon's account can read it.</summary>
    /// <returns>The name of the copy.</returns>
    Task<string> KeepAsync(string path, CancellationToken cancellationToken);

    /// <summary>The path of a copy on this machine.</summary>
    Task<string> GetAsync(string name, CancellationToken cancellationToken);

    /// <summary>Which copies of a list are not there.</summary>
    Task<HashSet<string>> FindLostAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken);

    /// <summary>Deletes copies that nothing needs any more.</summary>
    Task SweepAsync(IReadOnlyCollection<string> inUse, CancellationToken cancellationToken);
}
