namespace IngestTools.Scheduler.CommandLine;

/// <summary>The command line says something that cannot be done; the message says what.</summary>
internal sealed class UsageException(string message) : Exception(message);
