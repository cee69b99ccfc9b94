namespace IngestTools.Connections;

/// <summary>Looks whether a secret can be sent at all, before an error of the transport would quote it.</summary>
internal static class Secrets
{
    /// <summary>A token as it goes into a header, without the end of line that a file or a copied text brings.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/>: it is empty, or has characters that no token
    /// has.</exception>
    public static string CheckToken(string token)
    {
        token = token.Trim();
        if (token.Length > 0 && token.All(c => c is > ' ' and < '\u007f'))
            return token;
        throw new IngestException(
            ErrorId.SecretUnavailable,
            token.Length == 0
                ? "The token is empty."
                : "The token has characters that no token has: spaces, control characters, or letters beyond ASCII."
        )
        {
            Advice = "Copy the token again, the whole of it and nothing else.",
        };
    }
}
