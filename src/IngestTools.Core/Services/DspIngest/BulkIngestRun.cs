using System.Collections.Concurrent;
using System.Text;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// What the caller that started a bulk ingest knows and the server does not report: which files it should ingest, and how the mapping was
/// before.
/// </summary>
internal sealed class BulkIngestRun : IDisposable
{
    /// <summary>The names that should be ingested.</summary>
    public required UploadedNames Uploads { get; init; }

    /// <summary>Files that the user gave and that had been ingested before; they count as done.</summary>
    public long IngestedBefore { get; init; }

    /// <summary>Files in all.</summary>
    public long Total => Uploads.Count + IngestedBefore;

    /// <summary>The mapping as it was before the run; null where it could not be read because another run was under way.</summary>
    public MappingMark? Before { get; init; }

    /// <summary>The names that were not ingested; null until the run has ended.</summary>
    public UploadedNames? LeftOvers { get; set; }

    /// <summary>What else there is to say of the run.</summary>
    public string? Note { get; init; }

    /// <summary>Compares the mapping with what should be in it, and keeps what is left over.</summary>
    /// <param name="rows">The mapping.</param>
    /// <param name="readChecksum">Reads the SHA-256 of a derivative's original from the server; null where the server does not know
    /// it.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Locked"/> while the run is under way, <see cref="ErrorId.NotFound"/> where
    /// there is no mapping.</exception>
    public async Task<UploadedNames> CompareAsync(IAsyncEnumerable<MappingRow> rows, Func<string, Task<string?>> readChecksum) =>
        LeftOvers = await MappingComparison.FindLeftOversAsync(rows, Uploads, Before, readChecksum).ConfigureAwait(false);

    public void Dispose()
    {
        Uploads.Dispose();
        LeftOvers?.Dispose();
    }
}

/// <summary>What a project's mapping says of a run.</summary>
internal static class MappingComparison
{
    /// <summary>The maximum number of assets that are asked for at once.</summary>
    private const int MaxAssetRequests = 8;

    /// <summary>
    /// Reads a mapping once and returns the names that it lacks, comparing in Unicode form NFC: a Mac sends NFD, and the server keeps it. A
    /// name that was there before the run may be the same file, ingested by a run of somebody else: its content decides.
    /// </summary>
    public static async Task<UploadedNames> FindLeftOversAsync(
        IAsyncEnumerable<MappingRow> rows,
        UploadedNames uploads,
        MappingMark? mark,
        Func<string, Task<string?>> readChecksum
    )
    {
        SeenKeys since = new();
        SeenKeys own = new();
        foreach (string name in uploads.Read())
            own.Add(Normalize(name));
        Dictionary<string, List<string>> older = new(StringComparer.Ordinal);
        long count = 0;
        bool markHolds = mark is null || mark.Value.Rows == 0;
        await foreach (MappingRow row in rows.ConfigureAwait(false))
        {
            count++;
            string original = Normalize(row.Original);
            if (mark is null || count > mark.Value.Rows)
                since.Add(original);
            else if (own.Contains(original))
                AddTo(older, original, row.Derivative);
            if (count == mark?.Rows)
                markHolds = row.Derivative == mark.Value.LastDerivative;
        }

        ConcurrentDictionary<string, bool> equal = await CompareAsync(uploads, since, older, readChecksum).ConfigureAwait(false);
        UploadedNames leftOvers = new();
        foreach (UploadedName file in uploads.ReadFiles())
        {
            string name = Normalize(file.Name);
            bool isIngested = since.Contains(name) || (older.ContainsKey(name) && (!markHolds || equal.ContainsKey(name)));
            if (!isIngested)
                leftOvers.Add(file.Name, file.Sha256, file.Path);
        }

        return leftOvers;
    }

    /// <summary>The names whose content the server had before the run.</summary>
    private static async Task<ConcurrentDictionary<string, bool>> CompareAsync(
        UploadedNames uploads,
        SeenKeys since,
        Dictionary<string, List<string>> older,
        Func<string, Task<string?>> readChecksum
    )
    {
        ConcurrentDictionary<string, bool> equal = new(StringComparer.Ordinal);
        IEnumerable<UploadedName> doubtful = uploads
            .ReadFiles()
            .Where(file => file.Sha256 is not null && older.ContainsKey(Normalize(file.Name)) && !since.Contains(Normalize(file.Name)));
        await Parallel
            .ForEachAsync(
                doubtful,
                new ParallelOptions { MaxDegreeOfParallelism = MaxAssetRequests },
                async (file, _) =>
                {
                    string name = Normalize(file.Name);
                    foreach (string derivative in older[name])
                    {
                        if (
                            string.Equals(
                                await readChecksum(derivative).ConfigureAwait(false),
                                file.Sha256,
                                StringComparison.OrdinalIgnoreCase
                            )
                        )
                            equal.TryAdd(name, true);
                    }
                }
            )
            .ConfigureAwait(false);
        return equal;
    }

    private static void AddTo(Dictionary<string, List<string>> older, string name, string derivative)
    {
        if (!older.TryGetValue(name, out List<string>? derivatives))
            older.Add(name, derivatives = []);
        derivatives.Add(derivative);
    }

    private static string Normalize(string name) => name.Normalize(NormalizationForm.FormC);
}
