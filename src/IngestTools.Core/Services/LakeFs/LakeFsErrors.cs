using System.Net;

namespace IngestTools.Services.LakeFs;

/// <summary>What errors mean at lakeFS.</summary>
internal static class LakeFsErrors
{
    /// <summary>So the server answers what it does not know.</summary>
    private const string NoSuchEndpoint = "invalid API endpoint";

    private const string InsteadOfRanges = "Use Start-Import, which makes ranges, metarange and commit on the server.";

    /// <summary>What an error of a start means.</summary>
    public static Func<IngestException, IngestException> OfStart(ImportRequest request) =>
        error =>
            error switch
            {
                { StatusCode: HttpStatusCode.NotFound } or { ServerMessage: NoSuchEndpoint } when request.Dialect == ImportDialect.Legacy =>
                    error
                        .With(
                            ErrorId.NotFound,
                            advice: "Check the repository and the branch. A server of v0.101 or later does not take -Dialect Legacy."
                        )
                        .ForGood(),
                { ServerMessage: NoSuchEndpoint } => error
                    .With(
                        ErrorId.NotFound,
                        $"This server cannot import in this way: {error.Message}",
                        "Servers before v0.101 have another form of imports, or none: try -Dialect Legacy, or New-ImportRange."
                    )
                    .ForGood(),
                { StatusCode: HttpStatusCode.BadRequest }
                    when error.ServerMessage?.Contains("schema", StringComparison.OrdinalIgnoreCase) == true => error.With(
                    advice: request.Dialect == ImportDialect.Auto
                        ? "The server expects another form of imports than its version suggests: try -Dialect Legacy."
                        : "The server expects another form of imports. Leave -Dialect out, so that it is found by the server's version."
                ),
                { StatusCode: HttpStatusCode.BadRequest } => error.With(
                    advice: "Check the sources; the server takes none in or around the repository's own storage."
                ),
                _ => error,
            };

    /// <summary>
    /// Whether an error is of one page, so that others may answer. A server or a proxy that only fails on a page that is not needed must
    /// not end an import.
    /// </summary>
    public static bool IsOfOnePage(ErrorId error) =>
        error
            is ErrorId.NotFound
                or ErrorId.NotAllowed
                or ErrorId.InvalidAnswer
                or ErrorId.ServerError
                or ErrorId.TooManyRequests
                or ErrorId.Rejected
                or ErrorId.Conflict
                or ErrorId.TimedOut;

    /// <summary>What an error of a look at the server's settings means: a server that has no such page answers 500.</summary>
    public static IngestException OfSettings(IngestException error) =>
        error.ServerMessage == NoSuchEndpoint ? error.With(ErrorId.NotFound).ForGood() : error;

    /// <summary>What an error of a status or a cancellation means.</summary>
    public static Func<IngestException, IngestException> OfImport(ImportId id) =>
        error =>
            error switch
            {
                { StatusCode: HttpStatusCode.Forbidden, RequestId: null } when id.IsLegacy => error.With(
                    message: $"Something between here and the server refuses a GET with a body, by which the legacy dialect asks "
                        + $"about an import. {error.Message}",
                    advice: "Many proxies and content networks do. Connect to the server itself (-Uri, -NoProxy), or use a server of "
                        + "v0.101 or later."
                ),
                { StatusCode: HttpStatusCode.BadRequest } when id.IsLegacy => error.With(
                    advice: "A proxy may have dropped the body of the request; or the server is of v0.101 or later, and the id begins "
                        + "with lakefs: and not lakefs-legacy:."
                ),
                { StatusCode: HttpStatusCode.BadRequest } => error.With(
                    advice: "Where the server is older than v0.101, the id begins with lakefs-legacy: and not lakefs:."
                ),
                _ => error,
            };

    /// <summary>What an error of a range or metarange means.</summary>
    public static Func<IngestException, IngestException> OfRanges(string repository) =>
        error =>
            error switch
            {
                { ServerMessage: NoSuchEndpoint } => error
                    .With(
                        ErrorId.NotFound,
                        $"This server has no ranges; they ended with v0.111.0. {error.Message}",
                        InsteadOfRanges,
                        repository
                    )
                    .ForGood(),
                { StatusCode: HttpStatusCode.NotFound } => error.With(advice: "Check the name of the repository."),
                _ => error,
            };

    /// <summary>The error of a server that has no ranges.</summary>
    public static IngestException NoRanges(string repository, LakeFsVersion version) =>
        new(ErrorId.NotFound, $"lakeFS {version} has no ranges and metaranges: they were in v0.65.0 to v0.110.0, and ended with v0.111.0.")
        {
            Service = IngestService.LakeFs,
            Operation = "make a range",
            Advice = InsteadOfRanges,
            Target = repository,
        };

    /// <summary>An error that is found here, before the server is asked.</summary>
    public static IngestException Refused(string message, string advice, object? target = null) =>
        new(ErrorId.Rejected, message)
        {
            Service = IngestService.LakeFs,
            Operation = "start import",
            Advice = advice,
            Target = target,
        };
}
