namespace IngestTools.Journal;

/// <summary>
/// A local path as a folder and the tail of the remote name. A folder's files share the folder, so a million records do not repeat it.
/// </summary>
/// <param name="Folder">What comes before the tail, its separator included; the whole path where path and name have no tail in common.</param>
/// <param name="Cut">Where the tail begins in the remote name; -1 where there is none.</param>
internal readonly record struct LocalPathParts(string Folder, int Cut)
{
    /// <summary>Splits a path by the remote name that it was sent under.</summary>
    public static LocalPathParts Split(string path, string name)
    {
        int common = 0;
        while (common < path.Length && common < name.Length && IsSame(path[^(common + 1)], name[^(common + 1)]))
            common++;
        for (; common > 0; common--)
        {
            bool beginsInPath = common < path.Length && IsSeparator(path[^(common + 1)]);
            bool beginsInName = common == name.Length || name[^(common + 1)] == '/';
            if (beginsInPath && beginsInName)
                return new LocalPathParts(path[..^common], name.Length - common);
        }

        return new LocalPathParts(path, -1);
    }

    /// <summary>The path again.</summary>
    public string Join(string name)
    {
        if (Cut < 0)
            return Folder;
        string tail = name[Cut..];
        return Folder + (Path.DirectorySeparatorChar == '/' ? tail : tail.Replace('/', Path.DirectorySeparatorChar));
    }

    private static bool IsSame(char inPath, char inName) => inPath == inName || (inName == '/' && IsSeparator(inPath));

    private static bool IsSeparator(char c) => c == Path.DirectorySeparatorChar || c == Path.AltDirectorySeparatorChar;
}
