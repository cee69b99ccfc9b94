using System.Net;
using System.Security;
using IngestTools.Connections;

namespace IngestTools.PowerShell.Connections;

/// <summary>Readers of secrets that the user gave. The text exists only while a request needs it.</summary>
internal static class Secrets
{
    /// <summary>A reader of a secure string, which stays what it is when the caller's is cleared.</summary>
    internal static SecretReader ReaderOf(SecureString secret)
    {
        SecureString copy = secret.Copy();
        copy.MakeReadOnly();
        return _ => ValueTask.FromResult(Reveal(copy));
    }

    /// <summary>The text of a secure string.</summary>
    internal static string Reveal(SecureString secret) => new NetworkCredential("", secret).Password;
}
