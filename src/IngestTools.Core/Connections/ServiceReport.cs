namespace IngestTools.Connections;

/// <summary>What a look at a service found.</summary>
public sealed record ServiceReport
{
    /// <summary>The connection's name.</summary>
    public required string Connection { get; init; }

    /// <summary>The service.</summary>
    public required IngestService Service { get; init; }

    /// <summary>The base address.</summary>
    public required Uri Uri { get; init; }

    /// <summary>Whether the server answers, and is well.</summary>
    public bool Reachable { get; init; }

    /// <summary>The server's version, as it says it; null where it does not.</summary>
    public string? Version { get; init; }

    /// <summary>Whether the credentials are accepted; null where that could not be found out.</summary>
    public bool? SignedIn { get; init; }

    /// <summary>Whether the credentials are enough for what was asked; null where that could not be found out.</summary>
    public bool? Allowed { get; init; }

    /// <summary>Whether all is well: reachable, signed in, and, as far as it could be found out, allowed.</summary>
    public bool Ok => Reachable && SignedIn == true && Allowed != false;

    /// <summary>From the first request to its answer.</summary>
    public TimeSpan? ResponseTime { get; init; }

    /// <summary>A line for each thing that was looked at: what was found, and what to do about what is wrong.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>The connection, and what was found.</summary>
    public override string ToString() => $"{Connection}: {(Ok ? "ok" : "not ok")}{string.Concat(Details.Select(detail => " " + detail))}";
}
