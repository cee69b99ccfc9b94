namespace IngestTools.Journal;

/// <summary>
/// A local path as a folder and the tail of the remote name. A folder's files share the folder, so a million records do not repeat it.
/// </summary>
/// <param name="Folder">What comes before the tail, its separator included; the whole path where path and name have no tail in
/// common.</param>
/// <param name="Cut">Where the tail begins in the remote name; -1 where there is none.</param>
internal readonly record struct LocalPathParts(string Folder, int Cut)
{
    /// <summary>Splits a path by the remote name that it was sent under.</summary>
    /// <param name="path">The full path.</param>
    /// <param name="name">The remote name.</param>
    /// <param name="separator">What separates folders in the path.</param>
    public static LocalPathParts Split(string path, string name, char separator)
    {
        int common = 0;
        while (
            common < path.Length
            && common < name.Length
            && path[^(common + 1)] == (name[^(common + 1)] is '/' ? separator : name[^(common + 1)])
        )
            common++;
        for (; common > 0; common--)
        {
            bool beginsInPath = common < path.Length && path[^(common + 1)] == separator;
            bool beginsInName = common == name.Length || name[^(common + 1)] == '/';
            if (beginsInPath && beginsInName)
                return new LocalPathParts(path[..^common], name.Length - common);
        }

        return new LocalPathParts(path, -1);
    }

    /// <summary>The path again.</summary>
    /// <param name="name">The remote name.</param>
    /// <param name="separator">What separates folders in the path.</param>
    public string Join(string name, char separator) => Cut < 0 ? Folder : Folder + name[Cut..].Replace('/', separator);
}
