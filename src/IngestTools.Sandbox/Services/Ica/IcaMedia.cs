namespace IngestTools.Sandbox.Services.Ica;

/// <summary>
/// The media types that an operation takes. Each operation has its own: one that offers only v3 refuses v4, and a missing or general Accept
/// is refused everywhere.
/// </summary>
/// <param name="Bodies">What Content-Type may be; empty where there is no body.</param>
/// <param name="Answers">What Accept may be.</param>
internal sealed record IcaMedia(string[] Bodies, string[] Answers)
{
    public const string V3 = "application/vnd.illumina.v3+json";

    public const string V4 = "application/vnd.illumina.v4+json";

    public const string Json = "application/json";

    /// <summary>Most operations that read.</summary>
    public static readonly IcaMedia ReadV3 = new([], [V3]);

    /// <summary>The items of a linking batch, in both versions.</summary>
    public static readonly IcaMedia ReadItems = new([], [V4, V3]);

    /// <summary>The making of a linking batch.</summary>
    public static readonly IcaMedia Create = new([V4, V3, Json], [V4, V3]);

    /// <summary>
    /// Why a request is refused; null where it is not. A list of types, or a type with a charset, is refused too: whether the real service
    /// takes them nobody has told, so a client had better not depend on it.
    /// </summary>
    public string? WhatIsWrong(HttpRequest request)
    {
        string accept = request.Headers.Accept.ToString();
        if (!Answers.Contains(accept, StringComparer.OrdinalIgnoreCase))
            return "Invalid Accept Header";
        if (Bodies.Length == 0)
            return null;
        string body = request.ContentType ?? "";
        if (!Bodies.Contains(body, StringComparer.OrdinalIgnoreCase))
            return "Invalid Content-Type Header";
        // A body without a version is of the version that is asked for.
        return body == Json || string.Equals(body, accept, StringComparison.OrdinalIgnoreCase)
            ? null
            : "Accept Header and Content-Type Header do not have the same version";
    }
}
