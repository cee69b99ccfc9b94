namespace IngestTools.PowerShell.Scheduler;

/// <summary>The account that registers a schedule, for the daemon's records.</summary>
internal static class Registrant
{
    internal static string Name => $"{Environment.UserName}@{Environment.MachineName}";
}
