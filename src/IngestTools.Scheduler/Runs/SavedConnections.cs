using System.Collections.Concurrent;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Scheduling;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Runs;

/// <summary>Saved connections, as the daemon sees them.</summary>
internal sealed class SavedConnections
{
    private readonly ProfileStore _profiles = new();

    /// <summary>What active schedules load over, one load of each kind.</summary>
    private readonly ConcurrentDictionary<(string Connection, string? Server), LoadDefinition> _used = new();

    /// <summary>Notes that an active schedule loads over its connection.</summary>
    public void NoteUse(LoadDefinition load) => _used.TryAdd((load.Connection, load.Server), load);

    /// <summary>Forgets what was noted, before all is noted anew.</summary>
    public void ForgetUses() => _used.Clear();

    /// <summary>What is wrong with connections that active schedules load over.</summary>
    public IEnumerable<string> FindTroubles()
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        foreach (LoadDefinition load in _used.Values)
        {
            try
            {
                _ = FindForRun(load);
            }
            catch (IngestException e)
            {
                found.Add($"{e.Message} {e.Advice}");
            }
        }

        return found;
    }

    /// <summary>The profile of a name.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>, <see cref="ErrorId.FileUnreadable"/></exception>
    public ConnectionProfile Find(string name) =>
        _profiles.Read().FirstOrDefault(profile => string.Equals(profile.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new IngestException(
            ErrorId.NoConnection,
            $"There is no saved connection '{name}' in {IngestFolders.Configuration}, where the scheduler looks."
        )
        {
            Operation = "schedule",
            Advice =
                "Save one as the scheduler's account: Connect-IngestService ... -SecretFrom file:PATH -Save. Get-IngestConnection "
                + "-Saved lists them.",
            Target = name,
        };

    /// <summary>The profile of the connection of a schedule's load, which leads to the load's server.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>, <see cref="ErrorId.FileUnreadable"/>,
    /// <see cref="ErrorId.WrongServer"/></exception>
    public ConnectionProfile FindForRun(LoadDefinition load) =>
        Find(
            load,
            (profile, recorded, server) =>
                WrongServer(
                    profile,
                    $"The schedule loads to {recorded}, and the connection '{profile.Name}' is to {server}.",
                    $"To load to {server} from now on, name the connection once more with Set-BulkLoadSchedule -Connection, or register "
                        + $"the schedule again with -Force. To keep its server, save the connection again with the address {recorded}."
                )
        );

    /// <summary>The profile of the connection of a load that is to be registered, which leads to the load's server.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>, <see cref="ErrorId.FileUnreadable"/>,
    /// <see cref="ErrorId.WrongServer"/></exception>
    public ConnectionProfile FindForRegistration(LoadDefinition load) =>
        Find(
            load,
            (profile, recorded, server) =>
                WrongServer(
                    profile,
                    $"The object to register has the server {recorded}, and the connection '{profile.Name}' is to {server}.",
                    $"To load to {recorded}, name a saved connection to it with -Connection. To load to {server}, leave the object's "
                        + $"Server out: Select-Object * -ExcludeProperty Server."
                )
        );

    /// <summary>
    /// A load with the server that its connection leads to now, where it has none; as it is where that cannot be found out.
    /// </summary>
    public LoadDefinition WithServer(LoadDefinition load) =>
        load.Server is null ? load with { Server = FindServer(load.Connection) } : load;

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

    /// <summary>Opens a connection of its own, as a profile says.</summary>
    public static IngestConnection Open(ConnectionProfile profile, ILogger logger) =>
        IngestConnection.Open(profile.ToSettings(vault: null), logger);

    /// <summary>The base address of the server that a profile leads to; null where it has no usable address.</summary>
    public static string? ServerOf(ConnectionProfile profile) => IngestConnection.ServerOf(profile.ToSettings(vault: null));

    private ConnectionProfile Find(LoadDefinition load, Func<ConnectionProfile, string, string, IngestException> refuse)
    {
        ConnectionProfile profile = Find(load.Connection);
        return load.Server is not { } recorded || ServerOf(profile) is not { } server || server == recorded
            ? profile
            : throw refuse(profile, Redaction.Of(recorded), server);
    }

    private static IngestException WrongServer(ConnectionProfile profile, string message, string advice) =>
        new(ErrorId.WrongServer, message)
        {
            Service = profile.Service,
            Operation = "schedule",
            Advice = advice,
            Target = profile.Name,
        };
}
