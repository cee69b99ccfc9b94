using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Security;
using Shell = System.Management.Automation.PowerShell;

namespace IngestTools.PowerShell.Connections;

/// <summary>Reads secrets through Microsoft.PowerShell.SecretManagement, if it is installed.</summary>
internal static class SecretVault
{
    private const string Module = "Microsoft.PowerShell.SecretManagement";

    /// <summary>Reads a secret in a runspace of its own: the one that is asked for may be busy, and this may be any thread.</summary>
    /// <param name="vault">The vault; null is the default one.</param>
    /// <param name="name">The secret's name.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.SecretUnavailable"/></exception>
    internal static async ValueTask<string> ReadAsync(string? vault, string name, CancellationToken cancellationToken)
    {
        using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using Shell shell = Shell.Create();
        shell.Runspace = runspace;
        shell.AddCommand("Get-Secret").AddParameter("Name", name).AddParameter("ErrorAction", ActionPreference.Stop);
        if (vault is not null)
            shell.AddParameter("Vault", vault);
        using CancellationTokenRegistration stop = cancellationToken.Register(shell.Stop);
        try
        {
            PSDataCollection<PSObject> found = await Task.Factory.FromAsync(shell.BeginInvoke(), shell.EndInvoke).ConfigureAwait(false);
            return TextOf(found.FirstOrDefault()?.BaseObject) ?? throw Unavailable(vault, name, "it is not text", null);
        }
        catch (PipelineStoppedException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (CommandNotFoundException e)
        {
            throw NotInstalled(name, e);
        }
        catch (RuntimeException e)
        {
            throw Unavailable(vault, name, e.Message, e);
        }
    }

    private static string? TextOf(object? secret) =>
        secret switch
        {
            string text => text,
            SecureString secure => Secrets.Reveal(secure),
            PSCredential credential => Secrets.Reveal(credential.Password),
            _ => null,
        };

    private static IngestException NotInstalled(string name, Exception cause) =>
        new(
            ErrorId.SecretUnavailable,
            $"The secret '{name}' is in a vault, and the module {Module} that reads vaults is not installed.",
            cause
        )
        {
            Advice = $"Install it with Install-PSResource {Module}, or keep the secret elsewhere: -SecretFrom env:NAME or file:PATH.",
            Target = name,
        };

    private static IngestException Unavailable(string? vault, string name, string why, Exception? cause) =>
        new(
            ErrorId.SecretUnavailable,
            $"The secret '{name}' cannot be read from {(vault is null ? "the default vault" : $"the vault '{vault}'")}: {why}",
            cause
        )
        {
            Advice = "Try Get-Secret -Name with this name. A vault that asks for a password must be unlocked, or configured not to ask.",
            Target = name,
        };
}
