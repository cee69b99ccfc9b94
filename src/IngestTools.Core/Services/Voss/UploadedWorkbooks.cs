using System.Collections.Concurrent;
using IngestTools.Connections;

namespace IngestTools.Services.Voss;

/// <summary>
/// The workbooks that were uploaded over a connection, by the names that the server gave them. A later upload takes the place of an earlier
/// one.
/// </summary>
internal sealed class UploadedWorkbooks
{
    private readonly ConcurrentDictionary<string, UploadedWorkbook> _byName = new(StringComparer.Ordinal);

    public static UploadedWorkbooks Of(IngestConnection connection) =>
        (UploadedWorkbooks)connection.Memory.GetOrAdd("uploaded workbooks", static _ => new UploadedWorkbooks());

    public void Add(string name, string path, byte[]? sha256) =>
        _byName[name] = new UploadedWorkbook(
            path,
            sha256 is null ? null : Convert.ToHexString(sha256).ToLowerInvariant(),
            DateTimeOffset.UtcNow
        );

    /// <summary>The workbook that has a name now; null where none was uploaded over this connection.</summary>
    public UploadedWorkbook? Find(string name) => _byName.GetValueOrDefault(name);
}

/// <summary>A workbook that was uploaded.</summary>
/// <param name="Path">The local file; null where it is not known.</param>
/// <param name="Sha256">SHA-256 of its content, lower-case hexadecimal; null where it is not known.</param>
/// <param name="SentAt">When it was uploaded.</param>
internal sealed record UploadedWorkbook(string? Path, string? Sha256, DateTimeOffset SentAt);
