namespace IngestTools.Uploads;

/// <summary>Where files go: one project of one service.</summary>
public interface IUploadTarget
{
    /// <summary>The service.</summary>
    IngestService Service { get; }

    /// <summary>The connection's name.</summary>
    string Connection { get; }
}
