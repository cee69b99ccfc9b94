namespace IngestTools.Connections;

/// <summary>Reads a secret from a vault.</summary>
/// <param name="vault">The vault's name; null is the default one.</param>
/// <param name="name">The secret's name.</param>
/// <param name="cancellationToken">Cancels the read.</param>
/// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/></exception>
public delegate ValueTask<string> VaultReader(string? vault, string name, CancellationToken cancellationToken);

/// <summary>Where a secret is kept: <c>env:NAME</c>, <c>file:PATH</c> or <c>vault:[VAULT/]NAME</c>.</summary>
public sealed class SecretReference
{
    private const UnixFileMode ReadableByOthers =
        UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>No secret is larger: a file that is, is another file.</summary>
    private const int MaxBytes = 64 * 1024;

    private readonly string _place;

    private SecretReference(SecretPlace kind, string place)
    {
        Kind = kind;
        _place = place;
    }

    private enum SecretPlace
    {
        Environment,
        File,
        Vault,
    }

    private SecretPlace Kind { get; }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/>: the text is none of the three forms.</exception>
    public static SecretReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string place = text[(colon + 1)..];
        SecretPlace? kind = (colon < 0 ? "" : text[..colon].ToUpperInvariant()) switch
        {
            "ENV" => SecretPlace.Environment,
            "FILE" => SecretPlace.File,
            "VAULT" => SecretPlace.Vault,
            _ => null,
        };
        if (kind is null || place.Length == 0)
        {
            // The text is not repeated: somebody may have written the secret itself.
            throw new IngestException(ErrorId.SecretUnavailable, "This does not say where a secret is kept.")
            {
                Advice = "Write env:NAME, file:PATH or vault:[VAULT/]NAME; never the secret itself.",
            };
        }

        return new SecretReference(kind.Value, kind == SecretPlace.File ? Path.GetFullPath(place) : place);
    }

    /// <summary>A reader of this secret. A file is refused when others than its owner can read or write it.</summary>
    /// <param name="vault">Reads vaults; null where there are none.</param>
    public SecretReader CreateReader(VaultReader? vault) =>
        Kind switch
        {
            SecretPlace.Environment => _ => ValueTask.FromResult(ReadVariable()),
            SecretPlace.File => _ => ValueTask.FromResult(ReadFile()),
            _ => ReadVaultAsync(vault),
        };

    /// <summary>The text form; a file's path is a full one.</summary>
    public override string ToString() =>
        Kind switch
        {
            SecretPlace.Environment => "env:" + _place,
            SecretPlace.File => "file:" + _place,
            _ => "vault:" + _place,
        };

    private string ReadVariable() =>
        Environment.GetEnvironmentVariable(_place) is { Length: > 0 } secret
            ? secret
            : throw Unavailable($"The environment variable {_place} is not set.", "Set it in the environment of this process.");

    /// <summary>Opened once: what is looked at is what is read.</summary>
    private string ReadFile()
    {
        try
        {
            using FileStream file = FileAccount.OpenTrusted(
                _place,
                risk => Unavailable($"The file {_place} is not used as a secret: {risk.Reason}.", risk.Advice)
            );
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & ReadableByOthers) != 0)
                throw Unavailable(
                    $"The file {_place} can be read or written by others than its owner, so it is not secret.",
                    $"Run: chmod 600 '{_place}', and change the secret."
                );
            if (file.Length > MaxBytes)
                throw Unavailable(
                    $"The file {_place} has {file.Length:N0} bytes, and no secret is that long.",
                    "Check the path after file:."
                );
            using StreamReader reader = new(file);
            string secret = reader.ReadToEnd().Trim('\uFEFF').TrimEnd('\r', '\n');
            return secret.Length > 0 ? secret : throw Unavailable($"The file {_place} is empty.", "Write the secret into it.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Unavailable($"The file {_place} does not exist.", "Check the path after file:.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OpenFileLimit.IsReached(e)
                ? Unavailable($"The file {_place} cannot be opened: {OpenFileLimit.Reason}.", OpenFileLimit.Advice, e)
                : Unavailable($"The file {_place} cannot be read: {e.Message}", "Give the account that runs this the right to read it.", e);
        }
    }

    private SecretReader ReadVaultAsync(VaultReader? vault)
    {
        int slash = _place.LastIndexOf('/');
        string? vaultName = slash > 0 ? _place[..slash] : null;
        string name = _place[(slash + 1)..];
        return vault is null
            ? _ =>
                throw Unavailable(
                    "No secret vault is available.",
                    "Install the PowerShell module Microsoft.PowerShell.SecretManagement, or keep the secret in env: or file:."
                )
            : cancellationToken => vault(vaultName, name, cancellationToken);
    }

    private static IngestException Unavailable(string message, string advice, Exception? cause = null) =>
        new(ErrorId.SecretUnavailable, message, cause) { Advice = advice };
}
