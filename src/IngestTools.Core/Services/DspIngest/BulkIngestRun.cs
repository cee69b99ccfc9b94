using System.Text;
using IngestTools.Uploads;

namespace IngestTools.Services.DspIngest;

/// <summary>What the one who started a bulk ingest knows and the server does not tell: which files it should ingest, and how the mapping was before.</summary>
internal sealed class BulkIngestRun
{
    /// <summary>The names that should be ingested.</summary>
    public required UploadedNames Uploads { get; init; }

    /// <summary>The mapping as it was before the run; null where it could not be read because another run went on.</summary>
    public MappingMark? Before { get; init; }

    /// <summary>The names that were not ingested; null until the run has ended.</summary>
    public UploadedNames? LeftOvers { get; set; }

    /// <summary>What else there is to say of the run.</summary>
    public string? Note { get; init; }
}

/// <summary>A place in a mapping, by which its newer rows are told from its older ones: a project's mapping only grows until it is finalized.</summary>
/// <param name="Rows">Rows up to here.</param>
/// <param name="LastDerivative">The derivative of the last of them: it shows whether the mapping still is the one it was.</param>
internal readonly record struct MappingMark(long Rows, string? LastDerivative);

/// <summary>What a project's mapping says of a run.</summary>
/// <param name="Rows">Rows in all.</param>
/// <param name="NewRows">Rows since the mark.</param>
/// <param name="LeftOvers">The names that have no row since the mark.</param>
internal sealed record MappingComparison(long Rows, long NewRows, UploadedNames LeftOvers)
{
    /// <summary>Reads a mapping once and tells which names it lacks, comparing in Unicode form NFC: a Mac sends NFD, and the server keeps it.</summary>
    public static async Task<MappingComparison> ReadAsync(IAsyncEnumerable<MappingRow> rows, UploadedNames uploads, MappingMark? mark)
    {
        SeenKeys since = new();
        SeenKeys? all = mark is null ? null : new SeenKeys();
        long count = 0;
        bool markHolds = mark is null || mark.Value.Rows == 0;
        await foreach (MappingRow row in rows.ConfigureAwait(false))
        {
            count++;
            string original = row.Original.Normalize(NormalizationForm.FormC);
            if (mark is null || count > mark.Value.Rows)
                since.Add(original);
            else
                all!.Add(original);
            if (mark is not null && count == mark.Value.Rows)
                markHolds = row.Derivative == mark.Value.LastDerivative;
        }

        UploadedNames leftOvers = new();
        foreach (string name in uploads.Read())
        {
            string normal = name.Normalize(NormalizationForm.FormC);
            if (!since.Contains(normal) && (markHolds || !all!.Contains(normal)))
                leftOvers.Add(name);
        }

        return new MappingComparison(count, markHolds ? count - (mark?.Rows ?? 0) : count, leftOvers);
    }
}
