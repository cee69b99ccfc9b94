using System.Text;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>What the one who started a bulk ingest knows and the server does not tell: which files it should ingest, and how the mapping was before.</summary>
internal sealed class BulkIngestRun : IDisposable
{
    /// <summary>The names that should be ingested.</summary>
    public required UploadedNames Uploads { get; init; }

    /// <summary>The mapping as it was before the run; null where it could not be read because another run went on.</summary>
    public MappingMark? Before { get; init; }

    /// <summary>The names that were not ingested; null until the run has ended.</summary>
    public UploadedNames? LeftOvers { get; set; }

    /// <summary>What else there is to say of the run.</summary>
    public string? Note { get; init; }

    /// <summary>Compares the mapping with what should be in it, and keeps what is left over.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Locked"/> while the run goes on, <see cref="ErrorId.NotFound"/> where there is no mapping.</exception>
    public async Task<UploadedNames> CompareAsync(IAsyncEnumerable<MappingRow> rows) => LeftOvers = await MappingComparison.FindLeftOversAsync(rows, Uploads, Before).ConfigureAwait(false);

    public void Dispose()
    {
        Uploads.Dispose();
        LeftOvers?.Dispose();
    }
}

/// <summary>What a project's mapping says of a run.</summary>
internal static class MappingComparison
{
    /// <summary>Reads a mapping once and tells which names it lacks, comparing in Unicode form NFC: a Mac sends NFD, and the server keeps it.</summary>
    public static async Task<UploadedNames> FindLeftOversAsync(IAsyncEnumerable<MappingRow> rows, UploadedNames uploads, MappingMark? mark)
    {
        SeenKeys since = new();
        SeenKeys older = new();
        long count = 0;
        bool markHolds = mark is null || mark.Value.Rows == 0;
        await foreach (MappingRow row in rows.ConfigureAwait(false))
        {
            count++;
            string original = row.Original.Normalize(NormalizationForm.FormC);
            if (mark is null || count > mark.Value.Rows)
                since.Add(original);
            else
                older.Add(original);
            if (count == mark?.Rows)
                markHolds = row.Derivative == mark.Value.LastDerivative;
        }

        UploadedNames leftOvers = new();
        foreach (string name in uploads.Read())
        {
            string normal = name.Normalize(NormalizationForm.FormC);
            if (!since.Contains(normal) && (markHolds || !older.Contains(normal)))
                leftOvers.Add(name);
        }

        return leftOvers;
    }
}
