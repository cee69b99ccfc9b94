using System.Text;
using IngestTools.Files;

namespace IngestTools.Uploads;

/// <summary>Files that were uploaded, in the order in which they came; in a temporary file beyond 50,000.</summary>
public sealed class UploadedNames : IDisposable
{
    /// <summary>So many are kept in memory.</summary>
    internal const int MostInMemory = 50_000;

    private readonly SeenKeys _seen = new();
    private readonly List<UploadedName> _names = [];
    private FileStream? _file;
    private BinaryWriter? _writer;

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>Adds one, unless its name is there already.</summary>
    /// <param name="remoteName">The name on the server.</param>
    /// <param name="sha256">SHA-256 of the file, hexadecimal; null where it is not known.</param>
    /// <param name="path">The local file; null where it is not known.</param>
    /// <param name="wasSkipped">Whether it was not uploaded this time, since it had been sent before.</param>
    /// <returns>False where the name is there already.</returns>
    public bool Add(string remoteName, string? sha256 = null, string? path = null, bool wasSkipped = false)
    {
        ArgumentNullException.ThrowIfNull(remoteName);
        if (!_seen.Add(remoteName))
            return false;
        Count++;
        if (_writer is null && _names.Count < MostInMemory)
        {
            _names.Add(new UploadedName(remoteName, sha256, path, wasSkipped));
            return true;
        }

        Writer().Write(remoteName);
        Writer().Write(sha256 ?? "");
        Writer().Write(path ?? "");
        Writer().Write(wasSkipped);
        return true;
    }

    /// <summary>All names, in the order in which they were added. None may be added meanwhile.</summary>
    public IEnumerable<string> Read() => ReadFiles().Select(static file => file.Name);

    /// <summary>All names with what is known of their content. None may be added meanwhile.</summary>
    public IEnumerable<UploadedName> ReadFiles()
    {
        foreach (UploadedName name in _names)
            yield return name;
        if (_writer is null)
            yield break;
        _writer.Flush();
        _file!.Position = 0;
        try
        {
            using BinaryReader reader = new(_file, Encoding.UTF8, leaveOpen: true);
            for (long left = Count - _names.Count; left > 0; left--)
                yield return new UploadedName(reader.ReadString(), ReadText(reader), ReadText(reader), reader.ReadBoolean());
        }
        finally
        {
            _file.Seek(0, SeekOrigin.End);
        }
    }

    /// <summary>Deletes the temporary file.</summary>
    public void Dispose()
    {
        _writer?.Dispose();
        _file?.Dispose();
    }

    private static string? ReadText(BinaryReader reader) => reader.ReadString() is { Length: > 0 } text ? text : null;

    private BinaryWriter Writer()
    {
        _file ??= PrivateFiles.CreateTemporary();
        return _writer ??= new BinaryWriter(_file, Encoding.UTF8, leaveOpen: true);
    }
}

/// <summary>A file that was uploaded.</summary>
/// <param name="Name">Its name on the server.</param>
/// <param name="Sha256">SHA-256 of its content, hexadecimal; null where it is not known.</param>
/// <param name="Path">The local file; null where it is not known.</param>
/// <param name="WasSkipped">Whether it was not uploaded this time, since it had been sent before.</param>
public readonly record struct UploadedName(string Name, string? Sha256, string? Path = null, bool WasSkipped = false);
