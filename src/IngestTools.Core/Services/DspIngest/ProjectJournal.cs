using System.Collections.Concurrent;
using System.Text;
using IngestTools.Journal;

namespace IngestTools.Services.DspIngest;

/// <summary>Keeps the journal of a project up to date with the project's mapping.</summary>
internal sealed class ProjectJournal(BulkIngestRoutes routes, Shortcode shortcode, IIngestJournal journal, IPlaceJournal known)
{
    /// <summary>Records that are written in one transaction.</summary>
    private const int BatchSize = 1000;

    /// <summary>The maximum number of assets that are asked for at once. The asset route does not take the project's lock.</summary>
    private const int MaxAssetRequests = 8;

    /// <summary>Starts that are looked at. A file that only an older one can have ingested is compared by content.</summary>
    private const int MaxStarts = 20;

    /// <summary>What is known of the project's files.</summary>
    public IPlaceJournal Known => known;

    public static JournalPlace PlaceOf(BulkIngestRoutes routes, Shortcode shortcode) =>
        new(IngestService.DspIngest, routes.Connection.Uri.AbsoluteUri, shortcode.Value);

    /// <summary>
    /// Reads the mapping, and records what is new in it: files that were ingested, and names that were sent from elsewhere. A mapping that
    /// was begun anew shows that somebody finalized the project, which removed what was sent and not ingested.
    /// </summary>
    /// <returns>The mapping as it is now; null while another call holds the project's lock.</returns>
    public async Task<MappingMark?> RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            MappingMark? mark = await TryReadAsync(known.Mark, cancellationToken).ConfigureAwait(false);
            if (mark is not null)
                return mark;
            ForgetUningested();
            return await TryReadAsync(default, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e))
        {
            if (known.Mark.Rows > 0 || known.IsClosing)
                ForgetUningested();
            return default(MappingMark);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
        {
            return null;
        }
    }

    /// <summary>The project was finalized: what was sent and not ingested is gone, and so is the mapping.</summary>
    public void ForgetUningested()
    {
        known.Forget(FileState.Sent);
        known.Forget(FileState.LeftOver);
        known.Mark = default;
        known.IsClosing = false;
    }

    /// <summary>
    /// Files that were on the server when a start was sent, and that its run did not ingest. They are recorded as left over.
    /// </summary>
    /// <param name="lastJob">The newest job whose files were on the server.</param>
    public long RecordLeftOvers(long lastJob)
    {
        List<JournaledFile> batch = new(BatchSize);
        long count = known.Count(FileState.LeftOver);
        foreach (JournaledFile file in known.Read(FileState.Sent))
        {
            if (file.Job > lastJob)
                continue;
            count++;
            Add(batch, file with { State = FileState.LeftOver });
        }

        known.Write(batch);
        return count;
    }

    /// <summary>Records files as left over that a run of this process did not ingest.</summary>
    public void RecordLeftOvers(IEnumerable<string> names)
    {
        List<JournaledFile> batch = new(BatchSize);
        foreach (string name in names)
        {
            if (known.Find(name) is { State: FileState.Sent } file)
                Add(batch, file with { State = FileState.LeftOver });
        }

        known.Write(batch);
    }

    /// <summary>Takes over the rows behind a mark; null where the mapping is not the one that the mark was made of.</summary>
    private async Task<MappingMark?> TryReadAsync(PlaceMark mark, CancellationToken cancellationToken)
    {
        IReadOnlyList<JournaledTransaction> starts = journal.ReadTransactions(
            new TransactionQuery
            {
                Place = PlaceOf(routes, shortcode),
                IncludesEnded = true,
                Last = MaxStarts,
            }
        );
        MappingNews news = new();
        MappingMark now = default;
        await foreach (MappingRow row in new MappingDownload(routes, shortcode).ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            now = new MappingMark(now.Rows + 1, row.Derivative);
            if (now.Rows < mark.Rows)
                continue;
            if (now.Rows == mark.Rows)
            {
                if (row.Derivative != mark.Last)
                    return null;
                continue;
            }

            string name = row.Original.Normalize(NormalizationForm.FormC);
            // A name that comes twice is judged by what its first row made of its record.
            if (news.Names.Count >= BatchSize || news.Names.Contains(name))
                await WriteAsync(news, cancellationToken).ConfigureAwait(false);
            news.Names.Add(name);
            JournaledFile? file = known.Find(name);
            Take(
                name,
                row.Derivative,
                file,
                file is { State: FileState.Sent or FileState.LeftOver } && starts.Any(start => IsOf(start, now.Rows, file)),
                news
            );
        }

        if (now.Rows < mark.Rows)
            return null;
        await WriteAsync(news, cancellationToken).ConfigureAwait(false);
        known.Mark = new PlaceMark(now.Rows, now.LastDerivative);
        return now;
    }

    /// <summary>What a row of the mapping says of a name, by what is known of the name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="derivative">What the server made of it.</param>
    /// <param name="file">What is known of the name; null where nothing is.</param>
    /// <param name="isOurs">Whether the row comes of a start after the file was sent.</param>
    /// <param name="news">Takes it.</param>
    private static void Take(string name, string derivative, JournaledFile? file, bool isOurs, MappingNews news)
    {
        switch (file)
        {
            case null:
                news.Files.Add(
                    new JournaledFile
                    {
                        Name = name,
                        State = FileState.Elsewhere,
                        ServerName = derivative,
                    }
                );
                break;
            case { ServerName: { } same } when same == derivative:
                break;
            case { State: FileState.Elsewhere }:
                news.Files.Add(file with { ServerName = derivative });
                if (file.ServerName is { } former)
                    news.Others.Add((name, former));
                break;
            case { State: FileState.Ingested }:
                news.Others.Add((name, derivative));
                break;
            case not null when isOurs:
                news.Files.Add(file with { State = FileState.Ingested, ServerName = derivative });
                break;
            default:
                news.Doubtful.Add((file, derivative));
                break;
        }
    }

    /// <summary>
    /// Whether a row of the mapping comes of a start after the file was sent. Otherwise the row may be that of an earlier content, or of a
    /// file of the same name that somebody else sent. So may it be where the answer to the start was lost.
    /// </summary>
    private static bool IsOf(JournaledTransaction start, long row, JournaledFile file) =>
        start.State is StartState.Starting or StartState.Started
        && file.State == FileState.Sent
        && start.Before is { } before
        && row > before.Rows
        && file.Job <= start.LastJob;

    /// <summary>Records what was read, once the rows that the names alone do not decide are compared.</summary>
    private async Task WriteAsync(MappingNews news, CancellationToken cancellationToken)
    {
        await CompareAsync(news, cancellationToken).ConfigureAwait(false);
        known.AddOthers(news.Others);
        known.Write(news.Files);
        news.Clear();
    }

    /// <summary>
    /// Compares by SHA-256. Where it differs, or the server does not know it, the file stays as it is, and the row is another file's.
    /// </summary>
    private async Task CompareAsync(MappingNews news, CancellationToken cancellationToken)
    {
        ConcurrentBag<JournaledFile> equal = [];
        ConcurrentBag<(string, string)> others = [];
        ParallelOptions options = new() { MaxDegreeOfParallelism = MaxAssetRequests, CancellationToken = cancellationToken };
        await Parallel
            .ForEachAsync(
                news.Doubtful,
                options,
                async (pair, token) =>
                {
                    string? theirs = await routes.TryGetChecksumAsync(shortcode, pair.Derivative, token).ConfigureAwait(false);
                    if (theirs is not null && string.Equals(theirs, pair.File.Sha256, StringComparison.OrdinalIgnoreCase))
                        equal.Add(pair.File with { State = FileState.Ingested, ServerName = pair.Derivative });
                    else
                        others.Add((pair.File.Name, pair.Derivative));
                }
            )
            .ConfigureAwait(false);
        news.Files.AddRange(equal);
        news.Others.AddRange(others);
    }

    private void Add(List<JournaledFile> batch, JournaledFile file)
    {
        batch.Add(file);
        if (batch.Count < BatchSize)
            return;
        known.Write(batch);
        batch.Clear();
    }

    /// <summary>What was read of a mapping and is not recorded yet.</summary>
    private sealed class MappingNews
    {
        /// <summary>The names of the rows.</summary>
        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        public List<JournaledFile> Files { get; } = [];

        /// <summary>What the server has under a name besides what the name's record says.</summary>
        public List<(string Name, string ServerName)> Others { get; } = [];

        /// <summary>Rows of which only the content shows whether they are the file's.</summary>
        public List<(JournaledFile File, string Derivative)> Doubtful { get; } = [];

        public void Clear()
        {
            Names.Clear();
            Files.Clear();
            Others.Clear();
            Doubtful.Clear();
        }
    }
}
