using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using IngestTools.Http;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>
/// Fetches a project's mapping. A download that breaks off is started again, and continues after the rows that were returned.
/// </summary>
internal sealed class MappingDownload(BulkIngestRoutes routes, Shortcode shortcode)
{
    /// <summary>A lock that is held for longer than this is no short call's.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The pause before a download that broke off is begun again.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private const int MostBreaks = 5;

    private const int MostInOnePart = 256;

    /// <exception cref="IngestException"><see cref="ErrorId.Locked"/> during a run, <see cref="ErrorId.NotFound"/> where there is no
    /// mapping.</exception>
    public async IAsyncEnumerable<MappingRow> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (IReadOnlyList<MappingRow> rows in ReadPartsAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (MappingRow row in rows)
                yield return row;
        }
    }

    /// <summary>
    /// The rows as they come, those that come together in one list: at a million rows a second, handing over each one costs as much as
    /// reading it.
    /// </summary>
    /// <exception cref="IngestException">As <see cref="ReadAsync"/>.</exception>
    public async IAsyncEnumerable<IReadOnlyList<MappingRow>> ReadPartsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long given = 0;
        for (int breaks = 0; ; )
        {
            using HttpResponseMessage response = await GetWhenFreeAsync(cancellationToken).ConfigureAwait(false);
            MappingReader reader = new(await OpenAsync(response, cancellationToken).ConfigureAwait(false), routes.Door);
            await using ConfiguredAsyncDisposable disposing = reader.ConfigureAwait(false);
            Exception? broken = null;
            bool isHeaderRead = false;
            for (bool isOver = false; !isOver; )
            {
                List<MappingRow> rows = new(MostInOnePart);
                try
                {
                    if (!isHeaderRead)
                        await reader.ReadHeaderAsync().ConfigureAwait(false);
                    isHeaderRead = true;
                    await reader.ReadAsync(rows).ConfigureAwait(false);
                    isOver = rows.Count == 0;
                }
                catch (Exception e) when (e is IOException or HttpRequestException or IngestException { ErrorId: ErrorId.InvalidAnswer })
                {
                    (broken, isOver) = (e, true);
                }

                // After a break it begins again: what was given before is passed over.
                int known = (int)Math.Clamp(given - (reader.RowCount - rows.Count), 0, rows.Count);
                if (known == rows.Count)
                    continue;
                given += rows.Count - known;
                breaks = 0;
                yield return known == 0 ? rows : rows.GetRange(known, rows.Count - known);
            }

            if (broken is null)
                yield break;
            if (broken is IngestException)
                ExceptionDispatchInfo.Throw(broken);
            if (++breaks > MostBreaks)
                throw Broken(broken, given);
            routes.Logger.LogInformation(
                "The mapping of project {Shortcode} broke off after {Rows} rows; it is fetched again.",
                shortcode,
                given
            );
            await Task.Delay(FirstPause * breaks, routes.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Copies the mapping as it comes.</summary>
    /// <returns>The number of bytes.</returns>
    public async Task<long> CopyToAsync(Stream destination, CancellationToken cancellationToken)
    {
        for (int breaks = 0; ; )
        {
            destination.SetLength(0);
            using HttpResponseMessage response = await GetWhenFreeAsync(cancellationToken).ConfigureAwait(false);
            Stream body = await OpenAsync(response, cancellationToken).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                try
                {
                    return await CopyAsync(body, destination, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is HttpIOException or HttpRequestException or AnswerBrokenException)
                {
                    if (++breaks > MostBreaks)
                        throw Broken(e, rows: null);
                }
            }

            await Task.Delay(FirstPause * breaks, routes.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<long> CopyAsync(Stream body, Stream destination, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[128 * 1024];
        long length = 0;
        while (true)
        {
            int read;
            try
            {
                read = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidDataException e)
            {
                throw MappingReader.NotAsEncoded(routes.Door, e);
            }
            catch (IOException e)
            {
                // What fails here is the network; what fails below is the disk, and is not tried again.
                throw new AnswerBrokenException(e);
            }

            if (read == 0)
                return length;
            await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            length += read;
        }
    }

    private async Task<HttpResponseMessage> GetWhenFreeAsync(CancellationToken cancellationToken)
    {
        long started = routes.Time.GetTimestamp();
        while (true)
        {
            try
            {
                return await routes.GetMappingAsync(shortcode, cancellationToken).ConfigureAwait(false);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.Locked && routes.Time.GetElapsedTime(started) < LockTimeout)
            {
                await new ProjectLock(routes, shortcode)
                    .WaitAfterRefusalAsync(LockTimeout - routes.Time.GetElapsedTime(started), cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
            {
                throw e.With(advice: $"A bulk ingest may go on. Wait for it: Wait-Transaction dsp:{shortcode}");
            }
            catch (IngestException e) when (BulkIngestRoutes.IsNoMapping(e))
            {
                throw e.With(
                    message: $"Project {shortcode} has no mapping: no bulk ingest was started since it was finalized, or ever.",
                    advice: $"Upload files and start one: Send-IngestFile, then Start-BulkIngest -Shortcode {shortcode}."
                );
            }
        }
    }

    private async Task<Stream> OpenAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        return new ReadTimeoutStream(body, StallTimeout.TimeLimit, routes.Time, cancellationToken);
    }

    private IngestException Broken(Exception cause, long? rows) =>
        new(
            ErrorId.ConnectionFailed,
            $"The mapping broke off{(rows is null ? "" : $" after {Quantity.Of(rows.Value, "row")}")}: "
                + $"{routes.Door.Words(cause.GetBaseException().Message)}",
            routes.Door.Cause(cause)
        )
        {
            Service = IngestService.DspIngest,
            Operation = "get mapping",
            IsTransient = true,
            Advice = "Try again: the mapping stays on the server until the project is finalized.",
        };

    private sealed class AnswerBrokenException(Exception cause) : IOException(cause.Message, cause);
}
