namespace IngestTools.Connections;

/// <summary>How a connection proves who it is.</summary>
public enum SignInKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>With a bearer token, sent as it is.</summary>
    Token,

    /// <summary>With a user name and a password.</summary>
    Password,

    /// <summary>With an API key.</summary>
    ApiKey,

    /// <summary>With a session's cookie.</summary>
    Cookie,
}
