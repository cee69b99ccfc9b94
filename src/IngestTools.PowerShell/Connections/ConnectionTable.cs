using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Connections;

/// <summary>The connections of a runspace.</summary>
internal sealed class ConnectionTable
{
    private const string OtherWays =
        "Or save a profile with -Save -Default, or set the environment variables that about_IngestTools_Connections lists.";

    private readonly List<IngestConnection> _connections = [];

    /// <summary>
    /// Connections that were opened because something named them or their server. Where nothing is named they are not used.
    /// </summary>
    private readonly HashSet<IngestConnection> _named = [];

    /// <summary>By service, the connection that was used where nothing was named, once it has ended.</summary>
    private readonly Dictionary<IngestService, EndedConnection> _ended = [];
    private readonly SortedSet<string> _profiles = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All connections, oldest first.</summary>
    internal IReadOnlyList<IngestConnection> All => _connections;

    /// <summary>The names of all connections, and of the profiles that were seen in this session.</summary>
    internal IEnumerable<string> Names => _connections.Select(c => c.Name).Union(_profiles, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Adds a connection, in place of one of the same name. That one stays open for whoever holds it. From now on it is used where nothing
    /// is named.
    /// </summary>
    internal void Add(IngestConnection connection)
    {
        AddNamed(connection);
        _named.Remove(connection);
        _ended.Remove(connection.Service);
    }

    /// <summary>Closes a connection; nothing uses it any more.</summary>
    /// <returns>
    /// The connection that is used from now on where nothing is named, and this one was so far; null where there is none. A saved default
    /// or the environment does not take its place: a line that was written for a sandbox would go to production.
    /// </returns>
    internal IngestConnection? Remove(IngestConnection connection)
    {
        bool wasUsed = Newest(connection.Service) == connection;
        _connections.Remove(connection);
        _named.Remove(connection);
        connection.Dispose();
        IngestConnection? next = wasUsed ? Newest(connection.Service) : null;
        if (wasUsed && next is null)
            _ended[connection.Service] = new EndedConnection(connection.Name, connection.Server);
        return next;
    }

    /// <summary>Closes all connections.</summary>
    internal void Clear()
    {
        foreach (IngestConnection connection in _connections)
            connection.Dispose();
        _connections.Clear();
        _named.Clear();
        _ended.Clear();
    }

    /// <summary>The saved profiles; their names are remembered, to be completed.</summary>
    internal IReadOnlyList<ConnectionProfile> ReadProfiles()
    {
        IReadOnlyList<ConnectionProfile> profiles = new ProfileStore().Read();
        _profiles.Clear();
        _profiles.UnionWith(profiles.Select(p => p.Name));
        return profiles;
    }

    /// <summary>
    /// The connection that is meant: the one given or named, else the newest of the service, else the saved default, else the
    /// environment's.
    /// </summary>
    /// <param name="service">The service that is to be spoken to.</param>
    /// <param name="argument">What <c>-Connection</c> says; null where it says nothing.</param>
    /// <param name="log">Takes warnings about what is insecure.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>; <see cref="ErrorId.Rejected"/> for a connection to another
    /// service.</exception>
    internal IngestConnection Resolve(IngestService service, ConnectionArgument? argument, IngestLog log)
    {
        if (argument is null || argument.Name.Length == 0)
            return Newest(service) ?? OpenDefault(service, log) ?? throw NoConnection(service);
        IngestConnection connection = argument.Connection ?? Named(service, argument.Name, log);
        return connection.Service == service ? connection : throw WrongService(service, connection);
    }

    /// <summary>Whether there is a connection to a service where none is named.</summary>
    /// <param name="service">The service.</param>
    internal bool HasDefault(IngestService service) =>
        Newest(service) is not null || (!_ended.ContainsKey(service) && DefaultOf(service) is not null);

    /// <summary>
    /// The connection that leads to a server: the one of a name if it does, else any of the session, of the saved profiles, or of the
    /// environment.
    /// </summary>
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
        _connections.FindLast(c => !_named.Contains(c))
        ?? Enum.GetValues<IngestService>().Select(s => OpenDefault(s, log)).FirstOrDefault(c => c is not null)
        ?? throw NoConnectionAtAll();

    /// <summary>
    /// Opens what is used where there is no connection: the saved default, else the environment's. Null where there is neither.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NoConnection"/>: a connection was used before, and has ended.</exception>
    private IngestConnection? OpenDefault(IngestService service, IngestLog log)
    {
        if (DefaultOf(service) is not { } settings)
            return null;
        if (_ended.TryGetValue(service, out EndedConnection? ended))
            throw Ended(service, ended, settings);
        IngestConnection connection = IngestConnection.Open(settings, log);
        Add(connection);
        return connection;
    }

    private ConnectionSettings? DefaultOf(IngestService service) =>
        ReadProfiles().FirstOrDefault(p => p.IsDefault && p.Service == service)?.ToSettings(SecretVault.ReadAsync)
        ?? EnvironmentConnections.Read(service);

    private IngestConnection Named(IngestService service, string name, IngestLog log) =>
        Find(name, log)
        ?? (string.Equals(name, service.ToString(), StringComparison.OrdinalIgnoreCase) ? OpenFromEnvironment(service, log) : null)
        ?? throw NoSuchConnection(name);

    private IngestConnection? Find(string name, IngestLog log) =>
        _connections.Find(c => IsName(c, name)) ?? OpenSaved(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase), log);

    private IngestConnection? Newest(IngestService service) => _connections.FindLast(c => c.Service == service && !_named.Contains(c));

    private IngestConnection? OpenSaved(Func<ConnectionProfile, bool> isMeant, IngestLog log) =>
        ReadProfiles().FirstOrDefault(isMeant) is { } profile ? Open(profile.ToSettings(SecretVault.ReadAsync), log) : null;

    /// <summary>
    /// A profile whose name a connection to another server has now is left alone: opening it would take that connection's place.
    /// </summary>
    private IngestConnection? OpenSavedOf(IngestService service, string server, string? name, IngestLog log)
    {
        ConnectionProfile? profile = ReadProfiles()
            .Where(p =>
                p.Service == service
                && !_connections.Exists(c => IsName(c, p.Name))
                && IngestConnection.ServerOf(p.ToSettings(SecretVault.ReadAsync)) == server
            )
            .OrderByDescending(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase))
            .FirstOrDefault();
        return profile is null ? null : Open(profile.ToSettings(SecretVault.ReadAsync), log);
    }

    private IngestConnection? OpenFromEnvironmentOf(IngestService service, string server, IngestLog log) =>
        EnvironmentConnections.Read(service) is { } settings
        && IngestConnection.ServerOf(settings) == server
        && !_connections.Exists(c => IsName(c, settings.Name ?? service.ToString()))
            ? Open(settings, log)
            : null;

    private IngestConnection? OpenFromEnvironment(IngestService service, IngestLog log) =>
        EnvironmentConnections.Read(service) is { } settings ? Open(settings, log) : null;

    private IngestConnection Open(ConnectionSettings settings, IngestLog log)
    {
        IngestConnection connection = IngestConnection.Open(settings, log);
        AddNamed(connection);
        return connection;
    }

    private void AddNamed(IngestConnection connection)
    {
        foreach (IngestConnection other in _connections.FindAll(c => IsName(c, connection.Name)))
        {
            bool wasUsed = other.Service != connection.Service && Newest(other.Service) == other;
            _connections.Remove(other);
            _named.Remove(other);
            if (wasUsed && Newest(other.Service) is null)
                _ended[other.Service] = new EndedConnection(other.Name, other.Server);
        }

        _connections.Add(connection);
        _named.Add(connection);
    }

    private static bool IsName(IngestConnection connection, string name) =>
        string.Equals(connection.Name, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Says that another connection takes the place of one that has ended.</summary>
    internal static string DescribeNext(IngestConnection next) =>
        $"Without -Connection, the connection '{next.Name}' to {next.Server} is now used for {next.Service}.";

    /// <summary>The error of a name that nothing has.</summary>
    internal static IngestException NoSuchConnection(string name) =>
        IngestErrors.Create(
            ErrorId.NoConnection,
            $"There is no connection and no saved profile with the name '{name}'. Connect-IngestService -Name '{name}' makes one.",
            "Get-IngestConnection lists the connections of this session, and Get-IngestConnection -Saved the profiles.",
            name
        );

    private static IngestException Ended(IngestService service, EndedConnection ended, ConnectionSettings settings)
    {
        string name = settings.Name ?? service.ToString();
        string server = IngestConnection.ServerOf(settings) ?? "an address that cannot be used";
        string origin = settings.Name is null ? "the environment variables describe" : $"the saved default '{name}' has";
        return IngestErrors.Create(
            ErrorId.NoConnection,
            $"There is no connection to {service}: the connection '{ended.Name}' to {ended.Server} has ended. The connection that "
                + $"{origin}, to {server}, is not used in its place.",
            $"To use it, name it with -Connection '{name}'. For another server: Connect-IngestService -Service {service} -Uri <address>.",
            ended.Name
        );
    }

    private static IngestException NoConnectionAtAll() =>
        IngestErrors.Create(ErrorId.NoConnection, "There is no connection. Connect-IngestService makes one.", OtherWays);

    private static IngestException NoConnection(IngestService service) =>
        IngestErrors.Create(
            ErrorId.NoConnection,
            $"There is no connection to {service}. Connect-IngestService -Service {service} -Uri <address> makes one.",
            OtherWays
        );

    private static IngestException WrongService(IngestService service, IngestConnection connection) =>
        IngestErrors.Create(
            ErrorId.Rejected,
            $"The connection '{connection.Name}' is to {connection.Service}, and this needs one to {service}.",
            $"Leave -Connection out to use the newest connection to {service}, or name another.",
            connection.Name
        );

    /// <summary>A connection that has ended.</summary>
    private sealed record EndedConnection(string Name, string Server);
}
