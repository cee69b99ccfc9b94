using IngestTools.Connections;

namespace IngestTools.PowerShell.Connections;

/// <summary>What <c>-Connection</c> takes: a connection, or the name of one.</summary>
public sealed class ConnectionArgument
{
    /// <summary>Names a connection.</summary>
    /// <param name="name">The name of a connection of this session, or of a saved profile.</param>
    public ConnectionArgument(string name) => Name = name ?? "";

    /// <summary>Gives a connection.</summary>
    public ConnectionArgument(IngestConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Connection = connection;
        Name = connection.Name;
    }

    /// <summary>Gives a profile, which is a connection that can be opened by its name.</summary>
    public ConnectionArgument(ConnectionProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        Name = profile.Name;
    }

    /// <summary>The connection's name.</summary>
    public string Name { get; }

    /// <summary>The connection, where it was given and not named.</summary>
    internal IngestConnection? Connection { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
