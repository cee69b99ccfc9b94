using IngestTools.Files;
using IngestTools.Http;
using IngestTools.Scheduling;
using IngestTools.Services.Voss;
using IngestTools.Uploads;

namespace IngestTools.Scheduler.Loads;

/// <summary>Looks whether a load could be done as it was given, as far as this machine can tell.</summary>
internal static class LoadCheck
{
    /// <param name="load">The load.</param>
    /// <param name="isInputRead">Whether its input is read from where it is; else the copy of it is kept.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/>, <see cref="ErrorId.FileNotFound"/>,
    /// <see cref="ErrorId.FileUnreadable"/></exception>
    public static void Check(LoadDefinition load, bool isInputRead)
    {
        switch (load.Kind)
        {
            case LoadKind.BulkLoad:
                Need(load.Hierarchy, "-Hierarchy");
                string workbook = Need(load.Path, "-Path");
                if (!isInputRead)
                    break;
                CheckFile(workbook);
                VossClient.CheckWorkbook(workbook);
                break;
            case LoadKind.BulkIngest:
                CheckShortcode(Need(load.Shortcode, "-Shortcode"));
                CheckFileOrFolder(Need(load.Path, "-Path"));
                CheckPatterns("-Include", load.Include);
                CheckPatterns("-Exclude", load.Exclude);
                if (load.MappingPath is { } mapping)
                    CheckWritable(mapping);
                break;
            case LoadKind.Import:
                CheckSource(Need(load.Source, "-Source"));
                Need(load.Repository, "-Repository");
                Need(load.Branch, "-Branch");
                break;
            case LoadKind.LinkingBatch:
                Need(load.ProjectId, "-ProjectId");
                string ids = Need(load.DataIdPath, "-DataIdPath");
                if (!isInputRead)
                    break;
                CheckFile(ids);
                CheckIds(ids);
                break;
            default:
                throw Invalid($"There is no load {load.Kind}.", "Give one of BulkLoad, BulkIngest, Import, LinkingBatch.");
        }
    }

    /// <summary>A definition is kept in files and sent to other nodes, so it holds no secret.</summary>
    private static void CheckSource(string source)
    {
        if (Redaction.Of(source) != source)
        {
            throw Invalid(
                $"The source {Redaction.Of(source)} has a password, a signature or another query in its address, and a schedule keeps "
                    + $"no secret.",
                "Give the address without it, and let the server read the source with credentials of its own."
            );
        }
    }

    private static string Need(string? value, string parameter) =>
        string.IsNullOrWhiteSpace(value) ? throw Invalid($"{parameter} is missing.", $"Give {parameter}.") : value;

    private static void CheckShortcode(string shortcode)
    {
        const int digits = 4;
        if (shortcode.Length != digits || !shortcode.All(char.IsAsciiHexDigit))
            throw Invalid(
                $"'{shortcode}' is not a shortcode: a project's shortcode is four hexadecimal digits, such as 0001 or 082E.",
                "Give the project's shortcode."
            );
    }

    private static void CheckPatterns(string parameter, IReadOnlyList<string>? patterns)
    {
        foreach (string pattern in patterns ?? [])
        {
            if (string.IsNullOrEmpty(pattern))
                throw Invalid(
                    $"{parameter} has an empty pattern, which matches no file.",
                    "Leave it out, or give a pattern such as '*.tif'."
                );
            if (FileNamePattern.FindProblem(pattern) is { } problem)
                throw Invalid($"{parameter}: {problem}", "Give patterns of file names, such as '*.tif'.");
        }
    }

    private static void CheckFile(string path)
    {
        CheckFull(path);
        if (Directory.Exists(path))
            throw Unreadable(ErrorId.FileUnreadable, $"{path} is a folder, and one file is needed.", path, null);
        Open(path);
    }

    private static void CheckFileOrFolder(string path)
    {
        CheckFull(path);
        if (!Directory.Exists(path))
        {
            Open(path);
            return;
        }

        try
        {
            using IEnumerator<string> entries = Directory.EnumerateFileSystemEntries(path).GetEnumerator();
            entries.MoveNext();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(
                ErrorId.FileUnreadable,
                $"The scheduler's account ({Environment.UserName}) cannot read the folder {path}: {e.Message}",
                path,
                e
            );
        }
    }

    private static void CheckIds(string path)
    {
        if (new DataIdFile(path).FindProblem() is { } problem)
            throw Invalid($"No ids of data can be read from {path}: {problem.Reason}.", problem.Advice);
    }

    private static void Open(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Unreadable(
                ErrorId.FileNotFound,
                $"There is no file or folder {path}, as the scheduler's account ({Environment.UserName}) sees it.",
                path,
                e
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(
                ErrorId.FileUnreadable,
                $"The scheduler's account ({Environment.UserName}) cannot read {path}: {e.Message}",
                path,
                e
            );
        }
    }

    private static void CheckWritable(string path)
    {
        CheckFull(path);
        try
        {
            UserFile.Find(path);
            string probe = Path.Join(Path.GetDirectoryName(path), $".{Guid.NewGuid():N}.tmp");
            using FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(
                ErrorId.FileUnreadable,
                $"The scheduler's account ({Environment.UserName}) cannot write the mapping to {path}: {e.Message}",
                path,
                e
            );
        }
    }

    private static void CheckFull(string path)
    {
        if (!Path.IsPathFullyQualified(path))
            throw Invalid($"'{path}' is not a full path, and the scheduler's current folder is not yours.", "Give a full path.");
    }

    private static IngestException Unreadable(ErrorId errorId, string message, string path, Exception? cause) =>
        new(errorId, message, cause)
        {
            Operation = "register",
            Advice = "Give that account the right, or a path that it can use.",
            Target = path,
        };

    private static IngestException Invalid(string message, string advice) =>
        new(ErrorId.InvalidSchedule, message) { Operation = "register", Advice = advice };
}
