namespace IngestTools.Connections;

/// <summary>Reads a secret from a vault: <paramref name="vault"/> is null for the default one.</summary>
public delegate ValueTask<string> VaultReader(string? vault, string name, CancellationToken cancellationToken);

/// <summary>Where a secret is kept: <c>env:NAME</c>, <c>file:PATH</c> or <c>vault:[VAULT/]NAME</c>.</summary>
public sealed class SecretReference
{
    /// <summary>Reads the text form.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/>: the text is none of the three forms.</exception>
    public static SecretReference Parse(string text) => throw new NotImplementedException();

    /// <summary>A reader of this secret. A file is refused when others than its owner can read it.</summary>
    /// <param name="vault">Reads vaults; null where there are none.</param>
    public SecretReader CreateReader(VaultReader? vault) => throw new NotImplementedException();
}
