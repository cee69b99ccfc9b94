using IngestTools.Journal;
using Microsoft.Extensions.Logging;

namespace IngestTools.Uploads;

/// <summary>The files of one project in a call that sends nothing.</summary>
internal sealed class ProjectRehearsal : IDisposable
{
    private readonly IngestException? _closed;

    private ProjectRehearsal(IPlaceJournal? known, IngestException? closed)
    {
        Known = known;
        _closed = closed;
    }

    /// <summary>What is known of the files of this project; null where nothing is recorded.</summary>
    public IPlaceJournal? Known { get; }

    /// <summary>Whether every file would fail, so that there is no point in comparing them with the journal.</summary>
    public bool IsClosed => _closed is not null;

    /// <summary>Begins a rehearsal. A dry run asks the server what a real call would ask before its first file.</summary>
    public static async Task<ProjectRehearsal> BeginAsync(
        IUploadTarget target,
        UploadOptions options,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        IPlaceJournal? known = options.Journal.IsOn ? options.Journal.OpenPlace(target.JournalPlace) : null;
        if (!options.IsDryRun)
            return new ProjectRehearsal(known, null);
        TargetCheck check = await TargetCheck
            .RunAsync(target, options.Journal, known, "listed", logger, cancellationToken)
            .ConfigureAwait(false);
        if (!check.IsKnownUpToDate)
            logger.LogWarning(
                "{Target} is busy. Files that it ingests at this moment are listed as Planned; a real call would ask again and skip them.",
                target.Description
            );
        return new ProjectRehearsal(known, check.Closed);
    }

    /// <summary>The result of a file that a real call would send, or fail to read.</summary>
    public UploadResult Plan(UploadItem item)
    {
        if (_closed is not null)
            return UploadResults.Failed(item, _closed);
        try
        {
            LocalFile.Open(item.Path).Dispose();
            return UploadResults.Planned(item);
        }
        catch (IngestException e)
        {
            return UploadResults.Failed(item, e);
        }
    }

    public void Dispose() => Known?.Dispose();
}
