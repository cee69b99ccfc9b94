using System.Text;
using IngestTools.Connections;

namespace IngestTools.Uploads;

/// <summary>Names that were uploaded, in the order in which they came; in a temporary file beyond 100,000.</summary>
public sealed class UploadedNames : IDisposable
{
    /// <summary>So many are kept in memory.</summary>
    internal const int MostInMemory = 100_000;

    private readonly List<string> _names = [];
    private FileStream? _file;
    private BinaryWriter? _writer;

    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>Adds one.</summary>
    /// <param name="remoteName">The name on the server.</param>
    public void Add(string remoteName)
    {
        ArgumentNullException.ThrowIfNull(remoteName);
        Count++;
        if (_writer is null && _names.Count < MostInMemory)
            _names.Add(remoteName);
        else
            Writer().Write(remoteName);
    }

    /// <summary>All names, in the order in which they were added. None may be added meanwhile.</summary>
    public IEnumerable<string> Read()
    {
        foreach (string name in _names)
            yield return name;
        if (_writer is null)
            yield break;
        _writer.Flush();
        _file!.Position = 0;
        try
        {
            using BinaryReader reader = new(_file, Encoding.UTF8, leaveOpen: true);
            for (long left = Count - _names.Count; left > 0; left--)
                yield return reader.ReadString();
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

    private BinaryWriter Writer()
    {
        _file ??= IngestFolders.CreateTemporaryFile();
        return _writer ??= new BinaryWriter(_file, Encoding.UTF8, leaveOpen: true);
    }
}
