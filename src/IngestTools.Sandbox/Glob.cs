using System.Text.RegularExpressions;

namespace IngestTools.Sandbox;

/// <summary>A pattern for paths: "*" stands for anything within a segment, "**" for anything. Case matters.</summary>
internal sealed class Glob
{
    private readonly Regex _regex;

    private Glob(string prefix, string pattern)
    {
        string body = Regex
            .Escape(pattern)
            .Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        _regex = new Regex($@"\A{prefix}{body}\z", RegexOptions.CultureInvariant | RegexOptions.Singleline);
    }

    /// <summary>A pattern for a whole path.</summary>
    public static Glob ForPath(string pattern) => new("", pattern);

    /// <summary>A pattern without a slash is for the file's name, whatever folder it is in.</summary>
    public static Glob ForFile(string pattern) => new(pattern.Contains('/', StringComparison.Ordinal) ? "" : "(?:.*/)?", pattern);

    public bool IsMatch(string path) => _regex.IsMatch(path);
}
