using Microsoft.Extensions.Logging;

namespace IngestTools.Connections;

/// <summary>A connection to one service: its address, its way to sign in, and the sockets that are open. It shows no secret.</summary>
public sealed class IngestConnection : IDisposable
{
    private IngestConnection(ConnectionSettings settings) => Settings = settings;

    /// <summary>The connection's name.</summary>
    public string Name => Settings.Name ?? Settings.Service.ToString();

    /// <summary>The service.</summary>
    public IngestService Service => Settings.Service;

    /// <summary>The base address.</summary>
    public Uri Uri => Settings.Uri!;

    /// <summary>How it proves who it is.</summary>
    public SignInKind SignIn => Settings.SignIn;

    /// <summary>The user's name; null where there is none.</summary>
    public string? UserName => Settings.UserName;

    /// <summary>Where the secret is kept; null where it was given.</summary>
    public string? SecretFrom => Settings.SecretFrom;

    internal ConnectionSettings Settings { get; }

    /// <summary>Makes a connection. Nothing is sent yet.</summary>
    /// <param name="settings">What makes it.</param>
    /// <param name="logger">Takes warnings about what is insecure.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/> for an address that cannot be, <see cref="ErrorId.InsecureConnection"/>.</exception>
    public static IngestConnection Open(ConnectionSettings settings, ILogger? logger = null) => throw new NotImplementedException();

    /// <summary>Closes the sockets and forgets tokens.</summary>
    public void Dispose() => throw new NotImplementedException();

    /// <inheritdoc/>
    public override string ToString() => Name;
}
