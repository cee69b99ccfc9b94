using Microsoft.Extensions.Logging;

namespace IngestTools.Logging;

/// <summary>Warns of the first file of each kind at once, and of the others together in the end.</summary>
internal sealed class FoldedWarnings(ILogger logger)
{
    private const int MaxNames = 5;

    private readonly Dictionary<string, More> _more = new(StringComparer.Ordinal);

    /// <summary>Takes a file.</summary>
    /// <param name="file">Its path, as it is shown.</param>
    /// <param name="what">What to say about it, the same for all files of its kind.</param>
    public void Add(string file, string what)
    {
        if (!_more.TryGetValue(what, out More? more))
        {
            _more.Add(what, new More());
            logger.LogWarning("{File}: {What}", file, what);
            return;
        }

        more.Count++;
        if (more.Names.Count < MaxNames)
            more.Names.Add(file);
    }

    /// <summary>Warns of the files that were not warned of yet.</summary>
    public void Complete()
    {
        foreach ((string what, More more) in _more.Where(kind => kind.Value.Count > 0))
        {
            string names = string.Join(", ", more.Names);
            string others = more.Count > more.Names.Count ? $" and {more.Count - more.Names.Count:N0} others" : "";
            logger.LogWarning(
                "{Count:N0} more {Files} ({Names}{Others}): {What}",
                more.Count,
                more.Count == 1 ? "file" : "files",
                names,
                others,
                what
            );
        }

        _more.Clear();
    }

    private sealed class More
    {
        public long Count { get; set; }

        public List<string> Names { get; } = [];
    }
}
