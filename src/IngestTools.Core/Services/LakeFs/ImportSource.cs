namespace IngestTools.Services.LakeFs;

/// <summary>From where to where an import goes.</summary>
/// <param name="Source">The address in the object store, such as <c>s3://bucket/prefix/</c>.</param>
/// <param name="Destination">
/// The prefix on the branch, or for an object its name there; empty is the whole branch. An object's destination that is empty or ends with
/// a slash gets the object's own name.
/// </param>
/// <param name="Type">What the source is.</param>
public sealed record ImportSource(string Source, string Destination = "", ImportSourceType Type = ImportSourceType.CommonPrefix)
{
    private const char Slash = '/';

    /// <summary>The destination that goes over the wire.</summary>
    internal string FullDestination =>
        Type == ImportSourceType.Object && (Destination.Length == 0 || Destination.EndsWith(Slash))
            ? Destination + Source[(Source.LastIndexOf(Slash) + 1)..]
            : Destination;

    /// <summary>
    /// Whether a prefix has no slash at its end. The server then takes all that begins like it: from the source the siblings too, and on
    /// the branch it deletes them.
    /// </summary>
    internal static bool IsOpen(string prefix) => prefix.Length > 0 && !prefix.EndsWith(Slash);
}
