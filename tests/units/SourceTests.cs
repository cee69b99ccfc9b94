using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units;

/// <summary>What no compiler checks of the source files.</summary>
public sealed class SourceTests
{
    /// <summary>As .editorconfig says.</summary>
    private const int MaxColumns = 140;

    private static readonly string[] Folders = ["src", "tests", "examples"];

    private static readonly string[] Output = ["bin", "obj", "out"];

    [Fact]
    public void Lines_of_code_are_no_longer_than_the_editor_is_told()
    {
        string[] files = [.. Folders.SelectMany(folder => FilesIn(Path.Join(Repository.Root, folder)))];
        Assert.InRange(files.Length, 400, int.MaxValue);

        IEnumerable<string> tooLong = files.SelectMany(file =>
            File.ReadLines(file)
                .Select((line, i) => (Line: line, Number: i + 1))
                .Where(line => line.Line.Length > MaxColumns)
                .Select(line => $"{Path.GetRelativePath(Repository.Root, file)}:{line.Number} has {line.Line.Length} columns")
        );

        Assert.Empty(tooLong);
    }

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory
            .EnumerateFiles(folder, "*.cs")
            .Concat(Directory.EnumerateDirectories(folder).Where(inner => !Output.Contains(Path.GetFileName(inner))).SelectMany(FilesIn));
}
