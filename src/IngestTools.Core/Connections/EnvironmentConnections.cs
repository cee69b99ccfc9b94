namespace IngestTools.Connections;

/// <summary>Connections that environment variables describe: <c>INGESTTOOLS_DSPINGEST_URI</c> and its kin.</summary>
public static class EnvironmentConnections
{
    /// <summary>The settings that the environment has for a service; null where it has no address or no secret for it.</summary>
    /// <param name="service">The service.</param>
    /// <param name="variable">Reads a variable; null takes the process's environment.</param>
    public static ConnectionSettings? Read(IngestService service, Func<string, string?>? variable = null) => throw new NotImplementedException();
}
