namespace IngestTools.Connections;

/// <summary>The one place that knows where files of this library lie.</summary>
public static class IngestFolders
{
    /// <summary>The configuration folder: <c>INGESTTOOLS_HOME</c>, else <c>XDG_CONFIG_HOME/ingesttools</c> or <c>%APPDATA%\IngestTools</c>.</summary>
    public static string Configuration => throw new NotImplementedException();
}
