using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Connections;

/// <summary>The connections of a runspace.</summary>
internal sealed class ConnectionTable
{
    private const string OtherWays = "Or save a profile with -Save -Default, or set the environment variables that about_IngestTools_Connections lists.";

    private readonly List<IngestConnection> _connections = [];
    private readonly SortedSet<string> _profiles = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All connections, oldest first.</summary>
    internal IReadOnlyList<IngestConnection> All => _connections;

    /// <summary>The names of all connections, and of the profiles that were seen in this session.</summary>
    internal IEnumerable<string> Names => _connections.Select(c => c.Name).Union(_profiles, StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a connection, in place of one of the same name. That one stays open for whoever holds it.</summary>
    internal void Add(IngestConnection connection)
    {
        _connections.RemoveAll(c => IsName(c, connection.Name));
        _connections.Add(connection);
    }

    /// <summary>Closes a connection; nothing uses it any more.</summary>
    internal void Remove(IngestConnection connection)
    {
        _connections.Remove(connection);
        connection.Dispose();
    }

    /// <summary>Closes all connections.</summary>
    internal void Clear()
    {
        foreach (IngestConnection connection in _connections)
            connection.Dispose();
        _connections.Clear();
    }

    /// <summary>The saved profiles; their names are remembered, to be completed.</summary>
    internal IReadOnlyList<ConnectionProfile> ReadProfiles()
    {
        IReadOnlyList<ConnectionProfile> profiles = new ProfileStore().Read();
        _profiles.Clear();
        _profiles.UnionWith(profiles.Select(p => p.Name));
        return profiles;
    }

    /// <summary>The connection that is meant: the one given or named, else the newest of the service, else the saved default, else the environment's.</summary>
    /// <param name="service">The service that is to be spoken to.</param>
    /// <param name="argument">What <c>-Connection</c> says; null where it says nothing.</param>
    /// <param name="log">Takes warnings about what is insecure.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>; <see cref="ErrorId.Rejected"/> for a connection to another service.</exception>
    internal IngestConnection Resolve(IngestService service, ConnectionArgument? argument, IngestLog log)
    {
        if (argument is null || argument.Name.Length == 0)
            return Newest(service) ?? OpenSaved(p => p.IsDefault && p.Service == service, log) ?? OpenFromEnvironment(service, log) ?? throw NoConnection(service);
        IngestConnection connection = argument.Connection ?? Named(service, argument.Name, log);
        return connection.Service == service ? connection : throw WrongService(service, connection);
    }

    /// <summary>Whether there is a connection to a service where none is named.</summary>
    /// <param name="service">The service.</param>
    internal bool HasDefault(IngestService service) =>
        Newest(service) is not null || ReadProfiles().Any(p => p.IsDefault && p.Service == service) || EnvironmentConnections.Read(service) is not null;

    /// <summary>The connection that leads to a server: the one of a name if it does, else any of the session, of the saved profiles, or of the environment.</summary>
    /// <param name="service">The service.</param>
    /// <param name="server">The server's base address.</param>
    /// <param name="name">The name that is preferred; null prefers none.</param>
    /// <param name="log">Takes warnings about what is insecure.</param>
    /// <returns>The connection; null where none leads there.</returns>
    internal IngestConnection? FindOf(IngestService service, string server, string? name, IngestLog log)
    {
        IngestConnection[] open = [.. _connections.Where(c => c.Service == service && c.Uri.AbsoluteUri == server)];
        return Array.Find(open, c => name is not null && IsName(c, name))
            ?? open.LastOrDefault()
            ?? OpenSavedOf(service, server, name, log)
            ?? OpenFromEnvironmentOf(service, server, log);
    }

    /// <summary>The connection of a name, of whatever service.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/></exception>
    internal IngestConnection Resolve(ConnectionArgument argument, IngestLog log) =>
        argument.Connection ?? Find(argument.Name, log) ?? throw NoSuchConnection(argument.Name);

    /// <summary>The connection that is meant where nothing is said: the newest, else the saved default, else the environment's.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/></exception>
    internal IngestConnection Resolve(IngestLog log) =>
        _connections.LastOrDefault()
        ?? OpenSaved(p => p.IsDefault, log)
        ?? Enum.GetValues<IngestService>().Select(s => OpenFromEnvironment(s, log)).FirstOrDefault(c => c is not null)
        ?? throw NoConnectionAtAll();

    private IngestConnection Named(IngestService service, string name, IngestLog log) =>
        Find(name, log)
        ?? (string.Equals(name, service.ToString(), StringComparison.OrdinalIgnoreCase) ? OpenFromEnvironment(service, log) : null)
        ?? throw NoSuchConnection(name);

    private IngestConnection? Find(string name, IngestLog log) =>
        _connections.Find(c => IsName(c, name)) ?? OpenSaved(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase), log);

    private IngestConnection? Newest(IngestService service) => _connections.FindLast(c => c.Service == service);

    private IngestConnection? OpenSaved(Func<ConnectionProfile, bool> isMeant, IngestLog log) =>
        ReadProfiles().FirstOrDefault(isMeant) is { } profile ? Open(profile.ToSettings(SecretVault.ReadAsync), log) : null;

    /// <summary>A profile whose name a connection to another server has now is left alone: opening it would take that connection's place.</summary>
    private IngestConnection? OpenSavedOf(IngestService service, string server, string? name, IngestLog log)
    {
        ConnectionProfile? profile = ReadProfiles()
            .Where(p => p.Service == service && !_connections.Exists(c => IsName(c, p.Name)) && IngestConnection.ServerOf(p.ToSettings(SecretVault.ReadAsync)) == server)
            .OrderByDescending(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase))
            .FirstOrDefault();
        return profile is null ? null : Open(profile.ToSettings(SecretVault.ReadAsync), log);
    }

    private IngestConnection? OpenFromEnvironmentOf(IngestService service, string server, IngestLog log) =>
        EnvironmentConnections.Read(service) is { } settings && IngestConnection.ServerOf(settings) == server && !_connections.Exists(c => IsName(c, settings.Name ?? service.ToString()))
            ? Open(settings, log)
            : null;

    private IngestConnection? OpenFromEnvironment(IngestService service, IngestLog log) =>
        EnvironmentConnections.Read(service) is { } settings ? Open(settings, log) : null;

    private IngestConnection Open(ConnectionSettings settings, IngestLog log)
    {
        IngestConnection connection = IngestConnection.Open(settings, log);
        Add(connection);
        return connection;
    }

    private static bool IsName(IngestConnection connection, string name) => string.Equals(connection.Name, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>The error of a name that nothing has.</summary>
    internal static IngestException NoSuchConnection(string name) => IngestErrors.Create(
        ErrorId.NoConnection,
        $"There is no connection and no saved profile with the name '{name}'. Connect-IngestService -Name '{name}' makes one.",
        "Get-IngestConnection lists the connections of this session, and Get-IngestConnection -Saved the profiles.",
        name);

    private static IngestException NoConnectionAtAll() => IngestErrors.Create(
        ErrorId.NoConnection, "There is no connection. Connect-IngestService makes one.", OtherWays);

    private static IngestException NoConnection(IngestService service) => IngestErrors.Create(
        ErrorId.NoConnection,
        $"There is no connection to {service}. Connect-IngestService -Service {service} -Uri <address> makes one.",
        OtherWays);

    private static IngestException WrongService(IngestService service, IngestConnection connection) => IngestErrors.Create(
        ErrorId.Rejected,
        $"The connection '{connection.Name}' is to {connection.Service}, and this needs one to {service}.",
        $"Leave -Connection out to use the newest connection to {service}, or name another.",
        connection.Name);
}
