using IngestTools.Http;

namespace IngestTools.Services.LakeFs;

/// <summary>
/// Takes destinations for what they mean, or refuses them. The server takes every text as the beginning of a key: with a slash before it,
/// or a blank beside it, it is another place.
/// </summary>
internal static class ImportDestination
{
    private const string Scheme = "lakefs://";

    private const char Slash = '/';

    /// <summary>The request with its destinations as paths on the branch, and what is wrong with those that cannot be understood.</summary>
    public static (ImportRequest Request, IReadOnlyList<IngestException> Errors) Understand(ImportRequest request)
    {
        List<ImportSource> sources = new(request.Sources.Count);
        List<IngestException> errors = [];
        foreach (ImportSource source in request.Sources)
        {
            try
            {
                sources.Add(source with { Destination = Understand(source.Destination, request) });
            }
            catch (IngestException e)
            {
                errors.Add(e);
            }
        }

        return (request with { Sources = sources }, errors);
    }

    private static string Understand(string destination, ImportRequest request)
    {
        string path = destination.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? PathOf(destination, request) : destination;
        if (path.Length == 0)
            return path;
        if (path.Any(char.IsControl))
            throw Refused(destination, "it has control characters", "Write it without them.");
        if (char.IsWhiteSpace(path[0]) || char.IsWhiteSpace(path[^1]))
            throw Refused(
                destination,
                "it begins or ends with a blank",
                path.Trim().Length == 0 ? "Leave it out for the whole branch." : $"Write it as '{Redaction.EscapeControls(path.Trim())}'."
            );
        if (path[0] == Slash)
            throw Refused(
                destination,
                "it begins with a slash, and keys on a branch do not",
                path.Trim(Slash).Length == 0
                    ? "Leave it out for the whole branch."
                    : $"Write it as '{Redaction.EscapeControls(path.TrimStart(Slash))}'."
            );
        int colon = path.IndexOf("://", StringComparison.Ordinal);
        if (colon > 0 && path[..colon].All(char.IsAsciiLetterOrDigit))
            throw Refused(
                destination,
                "it is an address, and a destination is a path on the branch",
                $"Write it as {Scheme}{request.Repository}/{request.Branch}/path/, or as the path alone."
            );
        return path;
    }

    /// <summary>The path of an address, which must be on the branch that is imported into.</summary>
    private static string PathOf(string address, ImportRequest request)
    {
        string[] parts = address[Scheme.Length..].Split(Slash, 3);
        string repository = parts[0];
        string branch = parts.Length > 1 ? parts[1] : "";
        if (repository != request.Repository || branch != request.Branch)
        {
            throw Refused(
                address,
                $"it is on '{Redaction.EscapeControls($"{repository}/{branch}")}', and the import goes to "
                    + $"'{request.Repository}/{request.Branch}'",
                "Give the same repository and branch as -Repository and -Branch, or the path alone."
            );
        }

        return parts.Length > 2 ? parts[2] : "";
    }

    private static IngestException Refused(string destination, string why, string advice) =>
        LakeFsErrors.Refused($"'{Redaction.EscapeControls(destination)}' cannot be a destination: {why}.", advice, destination);
}
