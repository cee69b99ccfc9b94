namespace IngestTools.Journal;

/// <summary>Where names are unique: one project or hierarchy at one server.</summary>
/// <param name="Service">The service.</param>
/// <param name="Server">The server's base address, without user information. A connection's name does not identify a server.</param>
/// <param name="Name">The project, hierarchy, or repository and branch, as the service names it.</param>
public readonly record struct JournalPlace(IngestService Service, string Server, string Name);
