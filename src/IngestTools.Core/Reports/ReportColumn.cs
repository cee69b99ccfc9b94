namespace IngestTools.Reports;

/// <summary>
/// A property of rows under the name that it has in JSON and CSV. Names and order are part of the format: scripts of users read them. A new
/// one goes to the end.
/// </summary>
/// <param name="Name">The name.</param>
/// <param name="Read">The value: a text, a number, a bool, an enum, a time or a time span; null where a row has none.</param>
internal sealed record ReportColumn(string Name, Func<ReportRow, object?> Read)
{
    /// <summary>Duration is written in seconds, for programs that add it up.</summary>
    private const string DurationName = "DurationSeconds";

    /// <summary>All columns. CSV has each of them in each row, and JSON those of the row's kind.</summary>
    public static IReadOnlyList<ReportColumn> All { get; } =
    [
        new("Kind", row => row.Kind),
        new("Outcome", row => row.Outcome),
        new("Status", row => row.Status),
        new("Id", row => row.Id),
        new("Name", row => row.Name),
        new("Path", row => row.Path),
        new("RemoteName", row => row.RemoteName),
        new("FileName", row => row.FileName),
        new("Derivative", row => row.Derivative),
        new("Shortcode", row => row.Shortcode),
        new("Hierarchy", row => row.Hierarchy),
        new("ProjectId", row => row.ProjectId),
        new("BatchId", row => row.BatchId),
        new("DataId", row => row.DataId),
        new("Repository", row => row.Repository),
        new("Branch", row => row.Branch),
        new("Length", row => row.Length),
        new("Sha256", row => row.Sha256),
        new("Verified", row => row.Verified),
        new("Attempts", row => row.Attempts),
        new("Completed", row => row.Completed),
        new("Total", row => row.Total),
        new("Unit", row => row.Unit),
        new("Uploaded", row => row.Uploaded),
        new("Failed", row => row.Failed),
        new("Skipped", row => row.Skipped),
        new("DueAt", row => row.DueAt),
        new("StartedAt", row => row.StartedAt),
        new("CompletedAt", row => row.CompletedAt),
        new(DurationName, row => row.Duration is { } duration ? Math.Round(duration.TotalSeconds, 3) : null),
        new("BytesPerSecond", row => row.BytesPerSecond is { } rate ? Math.Round(rate) : null),
        new("Reason", row => row.Reason),
        new("ErrorId", row => row.ErrorId),
        new("StatusCode", row => row.StatusCode),
        new("Message", row => row.Message),
        new("ServerMessage", row => row.ServerMessage),
        new("RequestId", row => row.RequestId),
        new("Advice", row => row.Advice),
        new("Connection", row => row.Connection),
        new("Server", row => row.Server),
    ];

    private static readonly string[] OfEach = ["Kind", "Outcome", "Status", "ErrorId", "Message", "Connection", "Server"];

    private static readonly string[] OfProgress =
    [
        "Id",
        "Name",
        "FileName",
        "Completed",
        "Total",
        "Unit",
        "StartedAt",
        "CompletedAt",
        DurationName,
    ];

    private static readonly Dictionary<ReportRowKind, ReportColumn[]> ByKind = new()
    {
        [ReportRowKind.Upload] = Select([
            "Path",
            "RemoteName",
            "FileName",
            "Derivative",
            "Shortcode",
            "Hierarchy",
            "Length",
            "Sha256",
            "Attempts",
            "StartedAt",
            "CompletedAt",
            DurationName,
            "BytesPerSecond",
            "Reason",
            "StatusCode",
            "ServerMessage",
            "RequestId",
            "Advice",
        ]),
        [ReportRowKind.Transaction] = Select([.. OfProgress, "Shortcode", "Hierarchy", "ProjectId", "BatchId", "Repository", "Branch"]),
        [ReportRowKind.TransactionItem] = Select(["Id", "Name", "FileName", "Hierarchy"]),
        [ReportRowKind.Mapping] = Select(["Path", "RemoteName", "Derivative", "Shortcode", "Sha256", "Verified"]),
        [ReportRowKind.LinkingItem] = Select(["Id", "ProjectId", "BatchId", "DataId"]),
        [ReportRowKind.Run] = Select([.. OfProgress, "DueAt"]),
        [ReportRowKind.Job] = Select([
            "Id",
            "Shortcode",
            "Hierarchy",
            "Length",
            "Uploaded",
            "Failed",
            "Skipped",
            "StartedAt",
            "CompletedAt",
            DurationName,
        ]),
    };

    /// <summary>The columns that rows of a kind have.</summary>
    public static IReadOnlyList<ReportColumn> Of(ReportRowKind kind) => ByKind[kind];

    private static ReportColumn[] Select(string[] names) =>
        [.. All.Where(column => OfEach.Contains(column.Name) || names.Contains(column.Name))];
}
