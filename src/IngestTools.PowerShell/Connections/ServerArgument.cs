using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Connections;

/// <summary>The base address of a server, as results and transactions have it in their property <c>Server</c>.</summary>
/// <remarks>
/// It is not a string. PowerShell binds properties that need no conversion first, and only into the default parameter set if one fits
/// there: the Id of an object that was read back from JSON would then not be bound any more.
/// </remarks>
public sealed class ServerArgument
{
    private static readonly string[] Schemes = ["http://", "https://"];

    /// <summary>Names a server.</summary>
    /// <param name="address">Its base address.</param>
    public ServerArgument(string address) => Address = address ?? "";

    /// <summary>The base address.</summary>
    public string Address { get; }

    /// <summary>
    /// The base address, as connections have it; null where the text is not meant as one. A table may have a column of this name that means
    /// something else.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: it is meant as an address, and is not the base address of a
    /// server.</exception>
    internal string? ReadBaseAddress()
    {
        if (!Schemes.Any(scheme => Address.AsSpan().TrimStart().StartsWith(scheme, StringComparison.OrdinalIgnoreCase)))
            return null;
        return IngestConnection.ServerOf(Address)
            ?? throw IngestErrors.Create(
                ErrorId.Rejected,
                $"'{Redaction.Of(Address)}' is not the base address of a server.",
                "Give the property Server as a full address without user name, password and query, such as "
                    + "https://ingest.example.org, or leave it out."
            );
    }

    /// <inheritdoc/>
    public override string ToString() => Address;
}
