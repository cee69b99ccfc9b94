using System.Runtime.CompilerServices;
using IngestTools.Http;

namespace IngestTools.Services.DspIngest;

/// <summary>Saves a mapping: first beside the file, then in its place, so that the file is there whole or as it was.</summary>
internal sealed class MappingFile(BulkIngestRoutes routes, Shortcode shortcode)
{
    private const int MostAtOnce = 1024;

    public async Task<(long Bytes, long Rows)> SaveAsync(string path, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        string? temporary = null;
        try
        {
            // What a link leads to is replaced, not the link.
            if (new FileInfo(path).LinkTarget is not null)
                path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
            temporary = Path.Join(Path.GetDirectoryName(path), $".{Guid.NewGuid():N}.tmp");
            long bytes;
            long rows;
            FileStream file = new(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, useAsync: true);
            await using (file.ConfigureAwait(false))
            {
                bytes = await new MappingDownload(routes, shortcode).CopyToAsync(file, cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
                file.Position = 0;
                rows = await CountRowsAsync(file, routes.Door).ConfigureAwait(false);
            }

            if (!OperatingSystem.IsWindows() && File.Exists(path))
                File.SetUnixFileMode(temporary, File.GetUnixFileMode(path));
            File.Move(temporary, path, overwrite: true);
            temporary = null;
            return (bytes, rows);
        }
        // .NET tells a disk's quota (EFBIG) as an argument out of range.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw new IngestException(ErrorId.FileUnreadable, $"The mapping of project {shortcode} cannot be written to {path}: {e.Message}", e)
            {
                Service = IngestService.DspIngest,
                Operation = "save mapping",
                Advice = "Give a place with room, where this account may write. The mapping stays on the server until the project is finalized.",
                Target = path,
            };
        }
        finally
        {
            if (temporary is not null)
                Connections.IngestFolders.TryDelete(temporary);
        }
    }

    /// <summary>Reads back what was written: it is a mapping, and so long.</summary>
    private static async Task<long> CountRowsAsync(Stream file, ServerText text)
    {
        MappingReader reader = new(file, text);
        await using ConfiguredAsyncDisposable disposing = reader.ConfigureAwait(false);
        await reader.ReadHeaderAsync().ConfigureAwait(false);
        List<MappingRow> rows = new(MostAtOnce);
        do
        {
            rows.Clear();
            await reader.ReadAsync(rows).ConfigureAwait(false);
        }
        while (rows.Count > 0);

        return reader.RowCount;
    }
}
