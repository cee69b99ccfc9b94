using System.Text.Json.Serialization;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>A user who can log in at DSP-API.</summary>
/// <param name="Email">Also the name by which the command line calls the user.</param>
/// <param name="Password">In plain text: it protects nothing but a sandbox.</param>
public sealed record DspUser(string Email, string Password)
{
    /// <summary>The name for a login by user name.</summary>
    public string UserName { get; init; } = Email.Split('@')[0];

    /// <summary>The IRI for a login by IRI.</summary>
    public string Iri { get; init; } = $"http://rdfh.ch/users/{Email.Split('@')[0]}";

    /// <summary>
    /// What a token of this user may do: "admin", "write:project:0001", "read:project:0001", separated by spaces. Fixed at the login.
    /// </summary>
    public string Scope { get; init; } = "admin";
}

/// <summary>The releases whose rules differ.</summary>
public enum DspIngestRelease
{
    /// <summary>v0.19.1: bulk ingest needs the scope admin; epub, htm, html and svg are not ingested.</summary>
    [JsonStringEnumMemberName("0.19.1")]
    V0191,

    /// <summary>The newest that is known: write:project:XXXX is enough.</summary>
    [JsonStringEnumMemberName("current")]
    Current,
}

/// <summary>How DSP-INGEST and its login behave. Properties are read at each use and may be set while the sandbox runs.</summary>
public sealed class DspIngestOptions
{
    /// <summary>Who can log in.</summary>
    public IReadOnlyList<DspUser> Users { get; set; } = [new DspUser("root@example.com", "test")];

    /// <summary>A token with the scope admin that is valid from the start, without a login; read once, when the sandbox starts.</summary>
    public string? Token { get; set; }

    /// <summary>Any bearer token has the scope admin, as with JWT_DISABLE_AUTH; the header is still needed.</summary>
    public bool AcceptsAnyToken { get; set; }

    /// <summary>How long a token of a login is valid.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The release that is imitated.</summary>
    public DspIngestRelease Release { get; set; } = DspIngestRelease.Current;

    /// <summary>How long a request waits for the project's lock before it is refused with 409.</summary>
    public TimeSpan LockWait { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How long the ingest of a file takes, whatever its size.</summary>
    public TimeSpan IngestTimePerFile { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How long the ingest of each MiB of a file takes in addition.</summary>
    public TimeSpan IngestTimePerMebibyte { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Awaited before each file's ingest, with its path: a test can hold a run there, and release it.</summary>
    public Func<string, Task> BeforeIngest { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Awaited by finalize between its answer and the deletion.</summary>
    public Func<Task> BeforeDelete { get; set; } = static () => Task.CompletedTask;

    /// <summary>Whether the ingest of the file with this path fails, so that it is left over.</summary>
    public Func<string, bool> IngestFails { get; set; } = static _ => false;

    /// <summary>Whether the first ingest of the file with this path fails in each project; later ones succeed.</summary>
    public Func<string, bool> IngestFailsOnce { get; set; } = static _ => false;

    /// <summary>How long finalize waits, after its answer, before it deletes and releases the lock.</summary>
    public TimeSpan FinalizeDelay { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Whether GET /projects/{shortcode}/assets/{assetId} exists.</summary>
    public bool HasAssetsRoute { get; set; } = true;

    /// <summary>Whether the assets route returns a wrong checksum for the file that was uploaded with this path.</summary>
    public Func<string, bool> CorruptsChecksum { get; set; } = static _ => false;

    /// <summary>What GET /health returns.</summary>
    public bool IsHealthy { get; set; } = true;

    /// <summary>
    /// A rule for <see cref="IngestFails"/>, <see cref="IngestFailsOnce"/> and <see cref="CorruptsChecksum"/>: the files that fit one of
    /// the patterns, in which "*" is anything but a slash and "**" anything. A pattern without a slash is for the name, whatever
    /// the folder.
    /// </summary>
    public static Func<string, bool> FilesLike(params string[] patterns)
    {
        Glob[] globs = Array.ConvertAll(patterns, Glob.ForFile);
        return path => Array.Exists(globs, glob => glob.IsMatch(path));
    }
}
