using System.Runtime.CompilerServices;
using IngestTools.Files;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>Saves a mapping. The mapping of an earlier load is set aside, since the server has deleted its own.</summary>
internal sealed class MappingFile(BulkIngestRoutes routes, Shortcode shortcode)
{
    private const int MostAtOnce = 1024;

    public async Task<(long Bytes, long Rows)> SaveAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            long bytes = 0;
            long rows = 0;
            string? aside = await UserFile
                .Find(path)
                .WriteAsync(
                    async file =>
                    {
                        bytes = await new MappingDownload(routes, shortcode).CopyToAsync(file, cancellationToken).ConfigureAwait(false);
                        rows = await CountRowsAsync(file.Name, routes.Door).ConfigureAwait(false);
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
            if (aside is not null)
            {
                routes.Logger.LogWarning(
                    "{Path} held something else, and was renamed to {Aside}. The mapping of project {Shortcode} is in {Path} now.",
                    path,
                    aside,
                    shortcode,
                    path
                );
            }

            return (bytes, rows);
        }
        // .NET tells a disk's quota (EFBIG) as an argument out of range.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw new IngestException(
                ErrorId.FileUnreadable,
                $"The mapping of project {shortcode} cannot be written to {Redaction.EscapeControls(path)}: {e.Message}",
                e
            )
            {
                Service = IngestService.DspIngest,
                Operation = "save mapping",
                Advice =
                    "Name a regular file, in a folder with free space where this account may write. The mapping stays on the server "
                    + "until the project is finalized.",
                Target = path,
            };
        }
    }

    /// <summary>Reads the written file back, and checks that it is a mapping of the same length.</summary>
    private static async Task<long> CountRowsAsync(string path, ServerText text)
    {
        MappingReader reader = new(
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true),
            text
        );
        await using ConfiguredAsyncDisposable disposing = reader.ConfigureAwait(false);
        await reader.ReadHeaderAsync().ConfigureAwait(false);
        List<MappingRow> rows = new(MostAtOnce);
        do
        {
            rows.Clear();
            await reader.ReadAsync(rows).ConfigureAwait(false);
        } while (rows.Count > 0);

        return reader.RowCount;
    }
}
