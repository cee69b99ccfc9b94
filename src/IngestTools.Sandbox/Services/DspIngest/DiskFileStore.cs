using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using IngestTools.Sandbox.Http;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>
/// A project in a folder: "import" with the files that wait, "assets" with the originals that were ingested, "assets.jsonl" with what is
/// known of them, and "mapping.csv" as the server has it.
/// </summary>
internal sealed partial class DiskFileStore(string folder) : IDspFileStore
{
    private static readonly UTF8Encoding Utf8WithoutBom = new(encoderShouldEmitUTF8Identifier: false);

    private readonly string _import = Path.Combine(folder, "import");
    private readonly string _assets = Path.Combine(folder, "assets");
    private readonly string _assetLines = Path.Combine(folder, "assets.jsonl");
    private readonly string _mapping = Path.Combine(folder, "mapping.csv");

    public StoredProject Load()
    {
        Dictionary<string, DspAsset> assets = new(StringComparer.Ordinal);
        foreach (string line in LinesOf(_assetLines))
        {
            StoredAsset stored = JsonSerializer.Deserialize<StoredAsset>(line, Answer.JsonOptions)!;
            assets[stored.AssetId] = stored.ToAsset();
        }

        // A row's second column leads to its asset; the first may be quoted and may even span lines.
        List<DspAsset>? mapping = File.Exists(_mapping) ? [] : null;
        foreach (string line in LinesOf(_mapping))
        {
            if (AssetAtEnd().Match(line) is { Success: true } match && assets.TryGetValue(match.Groups["id"].Value, out DspAsset? asset))
                mapping!.Add(asset);
        }

        // Hidden files wait too, so nothing is skipped for its attributes.
        EnumerationOptions all = new() { RecurseSubdirectories = true, AttributesToSkip = 0 };
        List<DspWaitingFile>? waiting = Directory.Exists(_import)
            ? Directory.EnumerateFiles(_import, "*", all).Select(Describe).ToList()
            : null;
        return new StoredProject(waiting, mapping, [.. assets.Values]);
    }

    public Stream OpenUpload(string path)
    {
        string file = ImportPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        return new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);
    }

    public void MoveToAssets(DspAsset asset)
    {
        Directory.CreateDirectory(_assets);
        string extension = UploadPath.Extension(asset.Original);
        File.Move(ImportPath(asset.Original), Path.Combine(_assets, $"{asset.AssetId}.{extension}.orig"));
    }

    public void AppendMapping(IReadOnlyCollection<DspAsset> rows)
    {
        Directory.CreateDirectory(folder);
        File.AppendAllLines(_assetLines, rows.Select(static a => JsonSerializer.Serialize(StoredAsset.From(a), Answer.JsonOptions)));
        if (!File.Exists(_mapping))
            File.WriteAllText(_mapping, MappingCsv.Header + "\n");
        using StreamWriter mapping = new(_mapping, append: true, Utf8WithoutBom) { NewLine = "\n" };
        foreach (DspAsset row in rows)
            mapping.WriteLine(MappingCsv.Row(row));
    }

    public void DeleteImport()
    {
        if (Directory.Exists(_import))
            Directory.Delete(_import, recursive: true);
        File.Delete(_mapping);
    }

    /// <summary>The server's rules know only "/". On Windows a folder's name could lead out by other ways.</summary>
    private string ImportPath(string path)
    {
        string file = Path.GetFullPath(Path.Combine(_import, path));
        return file.StartsWith(_import + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? file
            : throw new IOException("The path leads out of the import folder.");
    }

    private DspWaitingFile Describe(string file)
    {
        using FileStream content = File.OpenRead(file);
        string path = Path.GetRelativePath(_import, file).Replace(Path.DirectorySeparatorChar, '/');
        return new DspWaitingFile(path, content.Length, new Sha256Digest(SHA256.HashData(content)), IsComplete: true);
    }

    private static IEnumerable<string> LinesOf(string file) => File.Exists(file) ? File.ReadLines(file) : [];

    [GeneratedRegex(@",(?<id>[0-9A-Za-z]{11}-[0-9A-Za-z]{11})\.[^,.]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex AssetAtEnd();

    /// <summary>A line of assets.jsonl.</summary>
    private sealed record StoredAsset(string Original, string AssetId, string Extension, long Length, string Sha256)
    {
        public static StoredAsset From(DspAsset asset) =>
            new(asset.Original, asset.AssetId, asset.Extension, asset.Length, asset.Sha256.ToString());

        public DspAsset ToAsset() => new(Original, AssetId, Extension, Length, Sha256Digest.Parse(Sha256));
    }
}
