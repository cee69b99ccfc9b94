namespace IngestTools.PowerShell.Connections;

/// <summary>The base address of a server, as results and transactions have it in their property <c>Server</c>.</summary>
/// <remarks>
/// It is not a string. PowerShell binds properties that need no conversion first, and only into the default parameter set if one fits there: the Id of an object
/// that was read back from JSON would then not be bound any more.
/// </remarks>
public sealed class ServerArgument
{
    /// <summary>Names a server.</summary>
    /// <param name="address">Its base address.</param>
    public ServerArgument(string address) => Address = address ?? "";

    /// <summary>The base address.</summary>
    public string Address { get; }

    /// <summary>The base address; null where it is not one. A table may have a column of this name that means something else.</summary>
    internal string? BaseAddress => Uri.TryCreate(Address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" ? Address : null;

    /// <inheritdoc/>
    public override string ToString() => Address;
}
