using System.Collections.Concurrent;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>An uploaded file.</summary>
/// <param name="Id">The id that its upload was answered with; no call takes it.</param>
/// <param name="Name">The name by which a load finds it.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Uploads">How often a file with this name came.</param>
public sealed record VossFile(string Id, string Name, byte[] Content, int Uploads);

/// <summary>The uploaded files by name: a later one takes the place of an earlier one. Under a folder they outlive the sandbox.</summary>
internal sealed class VossFiles
{
    private readonly ConcurrentDictionary<string, VossFile> _files = new(StringComparer.Ordinal);
    private readonly string? _folder;
    private readonly Func<string> _newId;

    public VossFiles(string? folder, Func<string> newId)
    {
        _folder = folder;
        _newId = newId;
        if (folder is null)
            return;
        Directory.CreateDirectory(folder);
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            string name = Uri.UnescapeDataString(Path.GetFileName(path));
            _files[name] = new VossFile(newId(), name, File.ReadAllBytes(path), Uploads: 1);
        }
    }

    public IReadOnlyCollection<VossFile> All => _files.Values.ToArray();

    public VossFile? Find(string name) => _files.GetValueOrDefault(name);

    public async Task<VossFile> AddAsync(string name, byte[] content)
    {
        if (_folder is not null)
            await File.WriteAllBytesAsync(Path.Combine(_folder, Uri.EscapeDataString(name)), content);
        return _files.AddOrUpdate(
            name,
            _ => new VossFile(_newId(), name, content, Uploads: 1),
            (_, old) => new VossFile(_newId(), name, content, old.Uploads + 1)
        );
    }
}
