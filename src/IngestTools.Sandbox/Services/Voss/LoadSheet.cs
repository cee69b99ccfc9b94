namespace IngestTools.Sandbox.Services.Voss;

/// <summary>Rows of one sheet that are loaded into one entity.</summary>
/// <param name="Entity">What they are loaded into.</param>
/// <param name="Hierarchy">The node that the block names; null where it names none.</param>
/// <param name="IsParallel">Whether rows run side by side.</param>
/// <param name="Rows">The rows in their order.</param>
internal sealed record LoadBlock(string Entity, string? Hierarchy, bool IsParallel, IReadOnlyList<VossRow> Rows);

/// <summary>A sheet as a load takes it.</summary>
/// <param name="Name">The name on its tab.</param>
/// <param name="Blocks">What follows each of its headers.</param>
internal sealed record LoadSheet(string Name, IReadOnlyList<LoadBlock> Blocks)
{
    private const char Comment = '#';

    /// <summary>The sheets that are loaded, from left to right: a tab that begins with # is left out.</summary>
    public static IReadOnlyList<LoadSheet> FromWorkbook(byte[] file) =>
        Workbook.Read(file).Where(static sheet => !sheet.Name.StartsWith(Comment)).Select(From).ToArray();

    /// <summary>
    /// A block begins with a cell like "entity: data/User; hierarchy: sys.hcs; parallel: True", which the row of the columns' names follows. Where a
    /// sheet has no such cell its first row has the names, the sheet's name is the entity, and a gap between rows ends a block.
    /// </summary>
    private static LoadSheet From(WorkbookSheet sheet)
    {
        List<LoadBlock> blocks = [];
        Dictionary<string, string> settings = [];
        IReadOnlyDictionary<int, string>? columns = null;
        bool isNamed = false;
        List<VossRow> rows = [];
        int last = 0;
        foreach ((int number, IReadOnlyDictionary<int, string> cells) in sheet.Rows.Where(static row => row.Cells.Count > 0))
        {
            // A header may have a column of comments, whose name begins like one.
            if (IsComment(cells) && (columns is not null || cells.Count == 1))
                continue;
            if (SettingsOf(cells) is { } found)
            {
                (settings, columns, isNamed) = (found, null, true);
            }
            else if (columns is null || (!isNamed && number > last + 1))
            {
                columns = cells;
                rows = [];
                blocks.Add(new LoadBlock(
                    settings.GetValueOrDefault("entity", sheet.Name),
                    settings.GetValueOrDefault("hierarchy"),
                    string.Equals(settings.GetValueOrDefault("parallel"), "true", StringComparison.OrdinalIgnoreCase),
                    rows));
            }
            else
            {
                rows.Add(new VossRow(sheet.Name, number, blocks[^1].Entity, Named(columns, cells)));
            }

            last = number;
        }

        return new LoadSheet(sheet.Name, blocks);
    }

    private static bool IsComment(IReadOnlyDictionary<int, string> cells) => cells.TryGetValue(0, out string? first) && first.StartsWith(Comment);

    private static Dictionary<string, string>? SettingsOf(IReadOnlyDictionary<int, string> cells)
    {
        if (!cells.TryGetValue(0, out string? first) || !first.StartsWith("entity:", StringComparison.OrdinalIgnoreCase))
            return null;
        Dictionary<string, string> settings = new(StringComparer.OrdinalIgnoreCase);
        foreach (string setting in first.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] sides = setting.Split(':', 2, StringSplitOptions.TrimEntries);
            settings[sides[0]] = sides.ElementAtOrDefault(1) ?? "";
        }

        return settings;
    }

    private static Dictionary<string, string> Named(IReadOnlyDictionary<int, string> columns, IReadOnlyDictionary<int, string> cells)
    {
        Dictionary<string, string> named = new(StringComparer.OrdinalIgnoreCase);
        foreach ((int column, string value) in cells)
        {
            if (columns.TryGetValue(column, out string? name))
                named[name] = value;
        }

        return named;
    }
}
