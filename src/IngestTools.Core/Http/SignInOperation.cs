namespace IngestTools.Http;

/// <summary>The request that exchanges a name and a secret for a token or a session.</summary>
internal static class SignInOperation
{
    /// <param name="uri">Where the service takes it.</param>
    /// <param name="content">Makes the body of each attempt.</param>
    /// <param name="refine">Says what an error means at this service.</param>
    public static HttpOperation Post(Uri uri, Func<HttpContent> content, Func<IngestException, IngestException> refine) =>
        new()
        {
            Name = "sign in",
            // A second token or session does no harm.
            Kind = OperationKind.Repeatable,
            Method = HttpMethod.Post,
            Uri = uri,
            Accept = JsonBody.MediaType,
            SignsIn = false,
            BringsCredentials = true,
            Content = _ => content(),
            Refine = refine,
        };

    /// <summary>The token of an answer, as it goes into a header.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidAnswer"/>: it is missing, or it has characters that no token
    /// has.</exception>
    public static string TokenOf(IngestHttp http, HttpOperation operation, string? token) =>
        token?.Trim() is { Length: > 0 } trimmed && trimmed.All(c => c is > ' ' and < '\u007f')
            ? trimmed
            : throw http.Unreadable(operation, "no token that can be used", null, null);

    /// <summary>The error of a sign-in that was refused, whatever status the service has for that; any other stays as it is.</summary>
    /// <param name="error">The error.</param>
    /// <param name="who">Who did not sign in whom.</param>
    /// <param name="advice">What the user can check.</param>
    public static IngestException Refused(IngestException error, string who, string advice) =>
        error.ErrorId is ErrorId.NotSignedIn or ErrorId.Rejected or ErrorId.NotAllowed
            ? error.With(ErrorId.NotSignedIn, $"{who}: {error.ServerMessage ?? error.Message}", advice)
            : error;
}
