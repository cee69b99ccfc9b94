namespace IngestTools;

/// <summary>A part of a transaction that the server runs as one of its own: a sheet, a row.</summary>
/// <remarks>VOSS Automate, GET /api/tool/Transaction/{pkid}/.</remarks>
public sealed record SubTransaction
{
    /// <summary>Its own pkid.</summary>
    public required string TransactionId { get; init; }

    /// <summary>What it does, in the server's words.</summary>
    public string? Action { get; init; }

    /// <summary>What it is about, in the server's words.</summary>
    public string? Detail { get; init; }

    /// <summary>Where it stands.</summary>
    public TransactionStatus Status { get; init; }

    /// <summary>The server's own word for where it stands.</summary>
    public string? ServerStatus { get; init; }

    /// <summary>For a row: its sheet; null where the server does not tell.</summary>
    public string? Sheet { get; init; }

    /// <summary>For a row: its number in the sheet, as a spreadsheet shows it; null where the server does not tell.</summary>
    public int? Row { get; init; }

    /// <summary>What the server says about it; of many failed rows, the first 100 have it.</summary>
    public string? Message { get; init; }

    /// <summary>A sentence for a person: "Failed: add User, sheet Users, row 7: already exists".</summary>
    public override string ToString() =>
        string.Join(": ", new[] { Status.ToString(), Where(), Message }.Where(part => !string.IsNullOrEmpty(part)));

    private string Where() =>
        string.Join(
            ", ",
            new[] { Action, Detail, Sheet is null ? null : $"sheet {Sheet}", Row is null ? null : $"row {Row}" }.Where(part =>
                !string.IsNullOrEmpty(part)
            )
        );
}
