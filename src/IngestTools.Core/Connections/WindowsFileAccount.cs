using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace IngestTools.Connections;

/// <summary>The part of <see cref="FileAccount"/> for Windows: the owner and the access list. It has not been run on Windows yet.</summary>
[SupportedOSPlatform("windows")]
internal static class WindowsFileAccount
{
    private const FileSystemRights Change =
        FileSystemRights.WriteData
        | FileSystemRights.AppendData
        | FileSystemRights.Delete
        | FileSystemRights.DeleteSubdirectoriesAndFiles
        | FileSystemRights.ChangePermissions
        | FileSystemRights.TakeOwnership;

    /// <summary>The system, the administrators, the rights of whoever owns a file, and Windows' own installer.</summary>
    private static readonly string[] Trusted =
    [
        "S-1-5-18",
        "S-1-5-32-544",
        "S-1-3-0",
        "S-1-3-4",
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    ];

    public static FileRisk? FindRisk(FileInfo file, string what) =>
        file.Exists ? RiskOf(file.GetAccessControl(), file.FullName, what) : null;

    public static FileRisk? FindRisk(DirectoryInfo folder, string what) =>
        folder.Exists ? RiskOf(folder.GetAccessControl(), folder.FullName, what) : null;

    public static FileRisk? FindRisk(FileStream file, string path) => RiskOf(file.GetAccessControl(), path, "it");

    private static FileRisk? RiskOf(FileSystemSecurity security, string path, string what)
    {
        using WindowsIdentity current = WindowsIdentity.GetCurrent();
        if (security.GetOwner(typeof(SecurityIdentifier)) is SecurityIdentifier owner && !IsTrusted(owner, current))
        {
            return new FileRisk(
                $"{what} belongs to another account ({NameOf(owner)}; this is {current.Name})",
                $"Use the account that it belongs to, or run as administrator: icacls '{path}' /setowner '{current.Name}'."
            );
        }

        foreach (
            FileSystemAccessRule rule in security.GetAccessRules(includeExplicit: true, includeInherited: true, typeof(SecurityIdentifier))
        )
        {
            if (
                rule.AccessControlType == AccessControlType.Allow
                && (rule.PropagationFlags & PropagationFlags.InheritOnly) == 0
                && (rule.FileSystemRights & Change) != 0
                && rule.IdentityReference is SecurityIdentifier account
                && !IsTrusted(account, current)
            )
            {
                return new FileRisk(
                    $"other accounts can write to {what} ({NameOf(account)})",
                    $"Run: icacls '{path}' /inheritance:d; icacls '{path}' /remove:g '{NameOf(account)}'."
                );
            }
        }

        return null;
    }

    private static bool IsTrusted(SecurityIdentifier account, WindowsIdentity current) =>
        account == current.User || Trusted.Contains(account.Value, StringComparer.Ordinal);

    private static string NameOf(SecurityIdentifier account)
    {
        try
        {
            return account.Translate(typeof(NTAccount)).Value;
        }
        catch (IdentityNotMappedException)
        {
            return account.Value;
        }
    }
}
