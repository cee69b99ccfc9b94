using Xunit;

namespace IngestTools.Units.Support;

/// <summary>
/// Tests that start programs. A machine of many cores would run all their classes at once, each with its own programs and some with a
/// PostgreSQL, and would be too busy for what they wait for. So there are two collections of them, each of which runs one test at a time.
/// Their classes have the trait kind=process too: <c>dotnet test --filter kind!=process</c> runs all others.
/// </summary>
[CollectionDefinition(Name)]
public sealed class StartsProcesses
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Starts processes";
}

/// <summary>Tests that kill or suspend schedulers again and again, alone or in a cluster. See <see cref="StartsProcesses"/>.</summary>
[CollectionDefinition(Name)]
public sealed class KillsProcesses
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Kills processes";
}
