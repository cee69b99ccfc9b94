namespace IngestTools.Sandbox.Services.Ica;

/// <summary>A user who can get a token with a password.</summary>
/// <param name="Email">The user's name.</param>
/// <param name="Password">In plain text: it protects nothing but a sandbox.</param>
public sealed record IcaUser(string Email, string Password);

/// <summary>How the last page of a cursor says that it is the last: the service does each of them somewhere.</summary>
public enum IcaCursorEnd
{
    /// <summary><c>"nextPageToken": null</c></summary>
    Null,

    /// <summary>No <c>nextPageToken</c> at all.</summary>
    Absent,

    /// <summary><c>"nextPageToken": ""</c></summary>
    Empty,
}

/// <summary>
/// How ICA behaves. Properties are read at each use and may be set while the sandbox runs; a batch keeps the times of its beginning.
/// </summary>
public sealed class IcaOptions
{
    /// <summary>Who can get a token with a password.</summary>
    public IReadOnlyList<IcaUser> Users { get; set; } = [new IcaUser("root@example.com", "test")];

    /// <summary>The API keys that are known.</summary>
    public IReadOnlyList<string> ApiKeys { get; set; } = ["test"];

    /// <summary>A token that is valid from the start; read once, when the sandbox starts.</summary>
    public string? Token { get; set; }

    /// <summary>Any bearer token is valid.</summary>
    public bool AcceptsAnyToken { get; set; }

    /// <summary>How long a token is valid.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long a batch waits before its first item: half of it as INITIALIZED, half as WAITING_FOR_RESOURCES.</summary>
    public TimeSpan QueueTime { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long an item takes. The items of a batch are worked off one after the other, by the sandbox's clock.</summary>
    public TimeSpan TimePerItem { get; set; } = TimeSpan.FromMicroseconds(5);

    /// <summary>After how many items a new batch's job stops, as an administrator can make it; null for never.</summary>
    public int? StopsAfter { get; set; }

    /// <summary>Whether there is no data with this id.</summary>
    public Func<string, bool> IsMissing { get; set; } = static _ => false;

    /// <summary>Whether this data belongs to a project that does not share its data.</summary>
    public Func<string, bool> IsNotShared { get; set; } = static _ => false;

    /// <summary>Whether this data cannot be linked for some other reason.</summary>
    public Func<string, bool> LinkFails { get; set; } = static _ => false;

    /// <summary>Whether the first attempt in each project to link this data fails; later ones succeed.</summary>
    public Func<string, bool> LinkFailsOnce { get; set; } = static _ => false;

    /// <summary>Whether only a part of this folder's contents can be linked.</summary>
    public Func<string, bool> LinksPartly { get; set; } = static _ => false;

    /// <summary>Whether the user has no right to this project.</summary>
    public Func<string, bool> Forbids { get; set; } = static _ => false;

    /// <summary>Whether there is no project with this id.</summary>
    public Func<string, bool> HasNoProject { get; set; } = static _ => false;

    /// <summary>How many rows a page has at most, and where nothing else is asked for.</summary>
    public int MaxPageSize { get; set; } = 1000;

    /// <summary>How a cursor ends.</summary>
    public IcaCursorEnd CursorEnd { get; set; }

    /// <summary>Each page names the token of itself as the next one: a client that follows it never ends.</summary>
    public bool RepeatsToken { get; set; }

    /// <summary>The job of a batch is null, as its schema allows.</summary>
    public bool HidesJob { get; set; }

    /// <summary>A word in place of every job's status: one that a newer release may have.</summary>
    public string? SaysOfJobs { get; set; }

    /// <summary>A word in place of the status of every item that succeeded.</summary>
    public string? SaysOfLinked { get; set; }

    /// <summary>A rule for ids: those that fit one of the patterns, in which "*" is anything.</summary>
    public static Func<string, bool> IdsLike(params string[] patterns)
    {
        Glob[] globs = Array.ConvertAll(patterns, Glob.ForPath);
        return id => Array.Exists(globs, glob => glob.IsMatch(id));
    }
}
