using System.Globalization;
using System.Text;

namespace IngestTools.Sandbox.Samples;

/// <summary>
/// Files to try the cmdlets with. Their content is the same each time, so a file that differs is not one of them: it is never
/// replaced.
/// </summary>
internal static class SampleFolder
{
    private const int Ids = 60_000;

    /// <summary>One id of this many begins with fil.dead: each batch of 25,000 has one that a sandbox can refuse.</summary>
    private const int RefusedEvery = 25_000;

    private const int FirstRefused = 5;

    private static readonly (string Name, Func<byte[]> Content)[] Files =
    [
        .. Scans("scans"),
        .. Scans("unsorted"),
        // DSP-INGEST refuses a name with this character.
        ("unsorted/draft#3.pdf", static () => Noise(2, seed: 5)),
        ("ids.csv", IdList),
        ("users.xlsx", SampleWorkbook.Users),
        // The name of a workbook, and the content of another kind of file.
        ("list.xlsx", static () => "Username,Email\nada,ada@example.com\n"u8.ToArray()),
    ];

    /// <summary>Writes the files that are not there yet, and makes the folder.</summary>
    /// <exception cref="SampleException">
    /// A file of the same name has another content, or the folder cannot be written. Nothing was overwritten.
    /// </exception>
    public static void Write(string folder)
    {
        List<(string Path, byte[] Content)> missing = [];
        foreach ((string name, Func<byte[]> content) in Files)
        {
            string path = Path.Combine([folder, .. name.Split('/')]);
            byte[] bytes = content();
            if (!Exists(path))
                missing.Add((path, bytes));
            else if (!HasContent(path, bytes))
                throw new SampleException($"'{path}' exists and is not the sample file; no sample was written");
        }

        foreach ((string path, byte[] content) in missing)
            WriteNew(path, content);
    }

    /// <summary>The same names in each folder, and different files.</summary>
    private static IEnumerable<(string, Func<byte[]>)> Scans(string folder)
    {
        const int Kibibyte = 1024;
        int first = folder.Length * 10;
        yield return ($"{folder}/box 1/letter, page 1.tif", () => Noise(2355 * Kibibyte, first));
        yield return ($"{folder}/box 1/letter, page 2.tif", () => Noise(2253 * Kibibyte, first + 1));
        yield return ($"{folder}/box 2/Überblick.pdf", () => Noise(79 * Kibibyte, first + 2));
        yield return ($"{folder}/index.csv", () => Noise(900, first + 3));
    }

    private static byte[] IdList()
    {
        StringBuilder text = new("DataId\n");
        for (int i = 0; i < Ids; i++)
        {
            string start = i % RefusedEvery == FirstRefused ? "fil.dead" : "fil.0000";
            text.Append(start).Append(i.ToString("x28", CultureInfo.InvariantCulture)).Append('\n');
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    private static bool HasContent(string path, byte[] content)
    {
        try
        {
            return new FileInfo(path) is { Exists: true } file
                && file.Length == content.Length
                && File.ReadAllBytes(path).AsSpan().SequenceEqual(content);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SampleException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    private static void WriteNew(string path, byte[] content)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
            file.Write(content);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SampleException($"'{path}' cannot be written: {e.Message}", e);
        }
    }
}
