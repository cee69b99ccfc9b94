using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Scheduling;
using Microsoft.Extensions.Logging;

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

    /// <summary>The profile of a load's connection, which leads to the load's server.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>, <see cref="ErrorId.FileUnreadable"/>, <see cref="ErrorId.WrongServer"/></exception>
    public ConnectionProfile Find(LoadDefinition load)
    {
        ConnectionProfile profile = Find(load.Connection);
        if (load.Server is not { } recorded || ServerOf(profile) is not { } server || server == recorded)
            return profile;
        throw new IngestException(ErrorId.WrongServer, $"The schedule loads to {Redaction.Of(recorded)}, and the connection '{profile.Name}' is to {server}.")
        {
            Service = profile.Service,
            Operation = "schedule",
            Advice = $"To load to {server} from now on, register the schedule again with -Force. To keep its server, save the connection again with the address {Redaction.Of(recorded)}.",
            Target = profile.Name,
        };
    }

    /// <summary>A load with the server that its connection leads to now, where it has none; as it is where that cannot be found out.</summary>
    public LoadDefinition WithServer(LoadDefinition load) => load.Server is null ? load with { Server = FindServer(load.Connection) } : load;

    /// <summary>The base address of the server that a connection leads to; null where that cannot be found out.</summary>
    public string? FindServer(string name)
    {
        try
        {
            return ServerOf(Find(name));
        }
        catch (IngestException)
        {
            // What is wrong is told when the run begins.
            return null;
        }
    }

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

    /// <summary>Opens a connection of its own for a load.</summary>
    /// <exception cref="IngestException">Those of <see cref="Find(LoadDefinition)"/>.</exception>
    public IngestConnection Open(LoadDefinition load, ILogger logger) => IngestConnection.Open(Find(load).ToSettings(vault: null), logger);

    private static string? ServerOf(ConnectionProfile profile) => IngestConnection.ServerOf(profile.ToSettings(vault: null));
}
