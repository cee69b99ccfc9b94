using Xunit;

namespace IngestTools.Units.Support;

/// <summary>
/// Tests that start programs, each with many threads and some with a PostgreSQL: one at a time, since two of them beside each other leave a small machine too busy for
/// what they wait for. Their classes have the trait kind=process too, so that <c>dotnet test --filter kind!=process</c> runs all others.
/// </summary>
[CollectionDefinition(Name)]
public sealed class StartsProcesses
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Starts processes";
}
