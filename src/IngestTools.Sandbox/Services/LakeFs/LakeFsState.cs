using System.Collections.Concurrent;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>
/// What lakeFS knows: its repositories, the object store beside it, who is signed in, and how it behaves. All of it is in memory.
/// </summary>
public sealed class LakeFsState
{
    /// <summary>The repository that is there from the start.</summary>
    public const string FirstRepository = "lake";

    private const string ImportIdAlphabet = "0123456789abcdefghijklmnopqrstuv";
    private const int SampleObjects = 1000;

    private readonly ConcurrentDictionary<string, LakeFsRepository> _repositories = new(StringComparer.Ordinal);
    private readonly SandboxEnvironment _environment;

    internal LakeFsState(LakeFsOptions options, SandboxEnvironment environment)
    {
        Options = options;
        _environment = environment;
        Tokens = new LakeFsTokens(options, environment);
        AddSamples();
    }

    /// <summary>How the service behaves; may be changed while it runs.</summary>
    public LakeFsOptions Options { get; }

    /// <summary>The object store that imports read from.</summary>
    public LakeFsObjectStore Store { get; } = new();

    /// <summary>The tokens of /auth/login.</summary>
    public LakeFsTokens Tokens { get; }

    /// <summary>The repositories.</summary>
    public IReadOnlyCollection<LakeFsRepository> Repositories =>
        _repositories.Values.OrderBy(static r => r.Name, StringComparer.Ordinal).ToArray();

    /// <summary>A repository that is there.</summary>
    public LakeFsRepository Repository(string name) =>
        _repositories.TryGetValue(name, out LakeFsRepository? repository)
            ? repository
            : throw new LakeFsRefusal(Status404NotFound, "repository not found");

    /// <summary>Adds a repository with an empty branch main.</summary>
    public LakeFsRepository AddRepository(string name, string? storageNamespace = null, bool isReadOnly = false) =>
        _repositories[name] = new LakeFsRepository(name, storageNamespace ?? $"s3://lakefs-storage/{name}", isReadOnly, _environment);

    internal LakeFsImport StartImport(LakeFsRepository repository, LakeFsBranch branch, ImportOrder order)
    {
        LakeFsImport import = new(NewImportId(), repository, branch, order, this, _environment);
        repository.Add(import);
        import.Start();
        return import;
    }

    /// <summary>The record of an import; null before it is written, and once it is old.</summary>
    internal (LakeFsImport Import, ImportRecord Record)? FindRecord(LakeFsRepository repository, string id)
    {
        if (repository.FindImport(id) is not { } import || import.Record is not { } record)
            return null;
        if (_environment.Clock.GetUtcNow() - record.UpdateTime <= Options.RecordLifetime)
            return (import, record);
        repository.Forget(import);
        return null;
    }

    /// <summary>12 bytes in base 32: seconds since 1970 in the first 4, and what makes it unique.</summary>
    private string NewImportId()
    {
        const int DigitsOfTime = 6;
        const int DigitsOfRest = 13;
        long bits = _environment.Clock.GetUtcNow().ToUnixTimeSeconds() << 3;
        char[] time = new char[DigitsOfTime + 1];
        for (int i = DigitsOfTime; i >= 0; i--, bits >>= 5)
            time[i] = ImportIdAlphabet[(int)(bits & 31)];
        return new string(time) + _environment.NextString(ImportIdAlphabet, DigitsOfRest);
    }

    /// <summary>
    /// Enough to try every cmdlet: a source, and a branch on which some of what a careless destination would delete lies beside the rest.
    /// </summary>
    private void AddSamples()
    {
        Store.Add(LakeFsKeys.Numbered("s3://bucket/prefix/", SampleObjects));
        Store.Add("s3://bucket/single/report.csv", "s3://bucket/single/report.csv.bak");
        AddRepository(FirstRepository)
            .AddBranch(
                LakeFsRepository.DefaultBranch,
                "raw/2022.parquet",
                "raw/2023.parquet",
                "raw-archive/2019.parquet",
                "rawdata.csv",
                "reports/summary.csv"
            );
    }
}
