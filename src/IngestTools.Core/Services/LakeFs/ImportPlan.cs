namespace IngestTools.Services.LakeFs;

/// <summary>An import that was looked at before it is started.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Dialect">The form in which the server is spoken to; never Auto.</param>
/// <param name="Replacements">What it would delete, by destination; empty where this server deletes nothing.</param>
/// <param name="Errors">What is wrong with its sources, each with the source as target. An import with one of them is not started.</param>
public sealed record ImportPlan(
    ImportRequest Request,
    ImportDialect Dialect,
    IReadOnlyList<ImportReplacement> Replacements,
    IReadOnlyList<IngestException> Errors
)
{
    /// <summary>The branch's last commit.</summary>
    internal string? Head { get; init; }
}

/// <summary>
/// What an import deletes on the branch because of one of its destinations. The server deletes all keys that begin with the destination as
/// it was written, while the imported ones get a slash after it: <c>data</c> takes <c>database/x</c> away too.
/// </summary>
/// <param name="Destination">The destination; empty is the whole branch.</param>
public sealed record ImportReplacement(string Destination)
{
    /// <summary>How many objects are deleted, as far as they were counted; null where they could not be listed.</summary>
    public long? Objects { get; init; }

    /// <summary>Whether there are more than were counted.</summary>
    public bool HasMore { get; init; }

    /// <summary>
    /// What goes although it lies beside the destination and not under it; folders end with a slash. Null where it could not be listed.
    /// </summary>
    public IReadOnlyList<string>? Siblings { get; init; } = [];

    /// <summary>Whether the whole branch is replaced.</summary>
    public bool IsWholeBranch => Destination.Length == 0;

    /// <summary>Whether more goes than the destination's name says: then a person is asked.</summary>
    public bool IsSurprising => (IsWholeBranch && Objects is null or > 0) || Siblings is null or { Count: > 0 };

    /// <summary>What goes, in words.</summary>
    public string Describe()
    {
        string count = Objects is { } objects
            ? $"{objects:N0}{(HasMore ? " or more" : "")} {(objects == 1 && !HasMore ? "object" : "objects")}"
            : "an unknown number of objects";
        string where =
            IsWholeBranch ? "everything on the branch"
            : ImportSource.IsOpen(Destination) ? $"all that begins with '{Destination}'"
            : $"all under '{Destination}'";
        string beside = Siblings switch
        {
            null => "; whether that takes something beside it along could not be found out",
            { Count: > 0 } siblings => $", and with it {List(siblings)}, since the destination does not end with a slash",
            _ => "",
        };
        return $"{where} ({count}){beside}";
    }

    private static string List(IReadOnlyList<string> names)
    {
        const int MostNamed = 5;
        string named = string.Join(", ", names.Take(MostNamed).Select(name => $"'{name}'"));
        return names.Count > MostNamed ? $"{named} and {names.Count - MostNamed:N0} more" : named;
    }
}
