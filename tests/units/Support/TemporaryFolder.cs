using System.Security.Cryptography;

namespace IngestTools.Units.Support;

/// <summary>A folder that is gone with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ingesttools-test-").FullName;

    /// <summary>Writes a file of so many bytes that depend on its name.</summary>
    public string Write(string name, int length = 100)
    {
        string path = System.IO.Path.Join(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        byte[] bytes = new byte[length];
        new Random(StringComparer.Ordinal.GetHashCode(name) ^ length).NextBytes(bytes);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public static string HashOf(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))).ToLowerInvariant();

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
