namespace IngestTools.Sandbox.Services.Voss;

/// <summary>Rows of one sheet that are loaded into one entity.</summary>
/// <param name="Entity">What they are loaded into.</param>
/// <param name="Hierarchy">The node that the block names; null where it names none.</param>
/// <param name="IsParallel">Whether rows run side by side.</param>
/// <param name="Rows">The rows in their order, read as they are asked for: once, and before the next block is asked for.</param>
internal sealed record LoadBlock(string Entity, string? Hierarchy, bool IsParallel, IEnumerable<VossRow> Rows)
{
    private const char Comment = '#';

    /// <summary>The number of sheets that are loaded: a tab that begins with # is left out.</summary>
    /// <exception cref="InvalidDataException">The file is not a workbook, or a broken one.</exception>
    public static int CountSheets(byte[] file) => Workbook.ReadSheetNames(file).Count(IsLoaded);

    /// <summary>The blocks of the sheets that are loaded, from left to right.</summary>
    /// <remarks>
    /// A block begins with a cell like "entity: data/User; hierarchy: sys.hcs; parallel: True", which the row of the columns' names
    /// follows. Where a sheet has no such cell its first row has the names, the sheet's name is the entity, and a gap between rows ends a
    /// block.
    /// </remarks>
    /// <exception cref="InvalidDataException">The file is not a workbook, or a broken one; thrown where the broken part is
    /// read.</exception>
    public static IEnumerable<LoadBlock> FromWorkbook(byte[] file)
    {
        using IEnumerator<(LoadBlock? Header, VossRow? Row)> lines = LinesOf(Workbook.ReadRows(file, IsLoaded)).GetEnumerator();
        bool more = lines.MoveNext();
        while (more)
        {
            LoadBlock block = lines.Current.Header!;
            more = lines.MoveNext();
            yield return block with
            {
                Rows = RowsOfBlock(),
            };
            // What the caller did not read.
            while (more && lines.Current.Row is not null)
                more = lines.MoveNext();
        }

        IEnumerable<VossRow> RowsOfBlock()
        {
            for (; more && lines.Current.Row is { } row; more = lines.MoveNext())
                yield return row;
        }
    }

    /// <summary>Each block's header, and after it its rows.</summary>
    private static IEnumerable<(LoadBlock? Header, VossRow? Row)> LinesOf(IEnumerable<WorkbookRow> rows)
    {
        string? sheet = null;
        string entity = "";
        Dictionary<string, string> settings = [];
        IReadOnlyDictionary<int, string>? columns = null;
        bool isNamed = false;
        int last = 0;
        foreach ((string name, int number, IReadOnlyDictionary<int, string> cells) in rows)
        {
            if (name != sheet)
                (sheet, settings, columns, isNamed, last) = (name, [], null, false, 0);
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
                entity = settings.GetValueOrDefault("entity", name);
                yield return (
                    new LoadBlock(
                        entity,
                        settings.GetValueOrDefault("hierarchy"),
                        string.Equals(settings.GetValueOrDefault("parallel"), "true", StringComparison.OrdinalIgnoreCase),
                        []
                    ),
                    null
                );
            }
            else
            {
                yield return (null, new VossRow(name, number, entity, Named(columns, cells)));
            }

            last = number;
        }
    }

    private static bool IsLoaded(string sheet) => !sheet.StartsWith(Comment);

    private static bool IsComment(IReadOnlyDictionary<int, string> cells) =>
        cells.TryGetValue(0, out string? first) && first.StartsWith(Comment);

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
