using IngestTools.Connections;

namespace IngestTools.Scheduler.Runs;

/// <summary>Saved connections, as the daemon sees them.</summary>
internal sealed class SavedConnections
{
    private readonly ProfileStore _profiles = new();

    /// <summary>The profile of a name.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>, <see cref="ErrorId.FileUnreadable"/></exception>
    public ConnectionProfile Find(string name) =>
        _profiles.Read().FirstOrDefault(profile => string.Equals(profile.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new IngestException(ErrorId.NoConnection, $"There is no saved connection '{name}' in {IngestFolders.Configuration}, where the scheduler looks.")
        {
            Operation = "schedule",
            Advice = "Save one as the scheduler's account: Connect-IngestService ... -SecretFrom file:PATH -Save. Get-IngestConnection -Saved lists them.",
            Target = name,
        };

    /// <summary>The host that a connection goes to; a name of its own where there is no such connection.</summary>
    public string HostOf(string name)
    {
        try
        {
            return Find(name).Uri.Authority.ToLowerInvariant();
        }
        catch (IngestException)
        {
            // What is wrong is told when the run begins.
            return "connection " + name;
        }
    }

    /// <summary>Opens a connection of its own for a run.</summary>
    public IngestConnection Open(string name, Microsoft.Extensions.Logging.ILogger logger) => IngestConnection.Open(Find(name).ToSettings(vault: null), logger);
}
