namespace IngestTools.Http;

/// <summary>Reads an answer's body: all of it, up to a limit, or its beginning.</summary>
internal static class AnswerBody
{
    /// <summary>An answer that is read as a whole is never larger, decompressed.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    /// <summary>How much of a body is read to find the words in it: a JSON error can be longer than what is kept of it.</summary>
    private const int MaxExplanation = 32 * 1024;

    /// <summary>The explanation of an error is waited for no longer than this.</summary>
    private static readonly TimeSpan ExplanationTimeout = TimeSpan.FromSeconds(10);

    /// <summary>All of the body.</summary>
    /// <exception cref="InvalidDataException">It is longer than <see cref="MaxBytes"/>, or is not encoded as its header says.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using MemoryStream whole = new();
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            byte[] buffer = new byte[16 * 1024];
            for (int read; (read = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0; )
            {
                if (whole.Length + read > MaxBytes)
                    throw new InvalidDataException($"It is longer than {MaxBytes / 1024 / 1024} MiB.");
                whole.Write(buffer, 0, read);
            }
        }

        return whole.GetBuffer().AsMemory(0, (int)whole.Length);
    }

    /// <summary>
    /// What an answer says in its body. Its status is known, and that is what counts: a body that breaks off, stalls, or is not encoded
    /// as its header says costs the words that are in the rest of it, and nothing else.
    /// </summary>
    public static async ValueTask<ServerMessage> ReadMessageAsync(
        HttpResponseMessage response,
        ServerText text,
        CancellationToken cancellationToken
    )
    {
        byte[] buffer = new byte[MaxExplanation];
        int length = 0;
        using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ExplanationTimeout);
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                for (
                    int read;
                    length < buffer.Length
                        && (read = await body.ReadAsync(buffer.AsMemory(length), timeout.Token).ConfigureAwait(false)) > 0;

                )
                    length += read;
            }
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException or InvalidDataException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            // The words that arrived are read nevertheless.
        }

        // Where the body is longer, a secret at the end of what was read is not whole.
        int end = length < buffer.Length ? length : Math.Max(0, length - text.Secrets.LongestForm * 2);
        return ServerMessage.Parse(buffer.AsSpan(0, end), CharsetOf(response), text);
    }

    /// <summary>The encoding of the text that the answer's header names; null where it names none.</summary>
    public static string? CharsetOf(HttpResponseMessage response) => response.Content.Headers.ContentType?.CharSet;
}
