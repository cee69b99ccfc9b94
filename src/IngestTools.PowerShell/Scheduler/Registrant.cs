namespace IngestTools.PowerShell.Scheduler;

/// <summary>Who sits here, for the daemon's records.</summary>
internal static class Registrant
{
    internal static string Name => $"{Environment.UserName}@{Environment.MachineName}";
}
