namespace IngestTools.Sandbox.Services.LakeFs;

/// <summary>What an import is doing.</summary>
public enum LakeFsImportPhase
{
    /// <summary>Its id was returned, and its record is not written yet.</summary>
    Starting,

    /// <summary>It walks its sources; the count rises.</summary>
    Ingesting,

    /// <summary>It writes ranges and the metarange; the count stands.</summary>
    Writing,

    /// <summary>The commit is on the branch, and no status has it yet.</summary>
    Committed,

    /// <summary>Nothing will change any more.</summary>
    Ended,
}

/// <summary>The request of an import, in either dialect.</summary>
/// <param name="Paths">From where to where.</param>
/// <param name="Message">Of the commit.</param>
/// <param name="Metadata">Of the commit; null for none.</param>
/// <param name="Force">Also into a read-only repository.</param>
internal sealed record ImportOrder(
    IReadOnlyList<ImportLocation> Paths,
    string Message,
    IReadOnlyDictionary<string, string>? Metadata,
    bool Force
);

/// <summary>
/// An import that runs behind its answer. Its record is what a status tells: it is written at intervals, so that it lags behind what is
/// done.
/// </summary>
public sealed class LakeFsImport
{
    internal const string CommonPrefix = "common_prefix";
    internal const string Object = "object";

    private readonly object _gate = new();
    private readonly LakeFsRepository _repository;
    private readonly LakeFsBranch _branch;
    private readonly ImportOrder _order;
    private readonly LakeFsState _state;
    private readonly SandboxEnvironment _environment;
    private ImportRecord? _record;

    internal LakeFsImport(
        string id,
        LakeFsRepository repository,
        LakeFsBranch branch,
        ImportOrder order,
        LakeFsState state,
        SandboxEnvironment environment
    )
    {
        Id = id;
        _repository = repository;
        _branch = branch;
        _order = order;
        _state = state;
        _environment = environment;
    }

    /// <summary>The import's id.</summary>
    public string Id { get; }

    /// <summary>What it is doing, whatever its record says.</summary>
    public LakeFsImportPhase Phase { get; private set; }

    /// <summary>How often it was cancelled.</summary>
    public int Cancellations { get; private set; }

    /// <summary>The message of its commit.</summary>
    public string Message => _order.Message;

    /// <summary>The metadata of its commit; null for none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata => _order.Metadata;

    /// <summary>The sources, in the order in which they were given.</summary>
    public IReadOnlyList<string> Sources => _order.Paths.Select(static p => p.Path).ToArray();

    internal ImportRecord? Record
    {
        get
        {
            lock (_gate)
                return _record;
        }
    }

    /// <summary>The destination with the slash that objects get before their names.</summary>
    internal static string Below(string destination) =>
        destination.Length == 0 || destination.EndsWith('/') ? destination : destination + "/";

    internal void Start() => _ = RunAsync();

    /// <summary>False where it had completed. An error that was there before is written over: so does the server.</summary>
    internal bool TryCancel()
    {
        lock (_gate)
        {
            if (_record is not { Completed: false } record)
                return false;
            Cancellations++;
            if (record.Error?.Message != Canceled)
                _record = record with { Error = new ImportError(Canceled), UpdateTime = _environment.Clock.GetUtcNow() };
        }
        _environment.Changes.Pulse();
        return true;
    }

    private const string Canceled = "Canceled";

    private LakeFsOptions Options => _state.Options;

    private async Task RunAsync()
    {
        try
        {
            if (new LakeFsVersion(Options.Version).TellsIdEarly)
                await _environment.DelayAsync(Options.RecordDelay);
            Write(new ImportRecord(false, _environment.Clock.GetUtcNow(), 0));
            if (Sources.Any(Options.ImportSticks))
                return;
            await IngestAsync();
        }
        catch (LakeFsWalkException e)
        {
            Fail($"error on ingest: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            // The sandbox ends.
        }
    }

    private async Task IngestAsync()
    {
        Enter(LakeFsImportPhase.Ingesting);
        (string Destination, KeyListing Keys)[] found = _order.Paths.Select(path => (path.Destination, Walk(path))).ToArray();
        long total = found.Sum(static f => f.Keys.Count);
        for (double walked = 0; walked < total; )
        {
            TimeSpan step = Options.StatusInterval;
            await _environment.DelayAsync(step);
            // Where no time passes between two statuses the walk is done at once.
            walked = step > TimeSpan.Zero ? walked + Options.ObjectsPerSecond * step.TotalSeconds : total;
            if (!TryProgress((long)Math.Min(walked, total)))
                return;
        }

        Enter(LakeFsImportPhase.Writing);
        for (int part = 0; part < 3; part++)
        {
            await _environment.DelayAsync(Options.WriteTime);
            if (!TryProgress(total))
                return;
        }
        await Options.BeforeCommit();
        if (TryProgress(total))
            await CommitAsync(found, total);
    }

    private async Task CommitAsync((string Destination, KeyListing Keys)[] found, long total)
    {
        if (Obstacle() is { } obstacle)
        {
            Fail(obstacle);
            return;
        }
        LakeFsVersion version = new(Options.Version);
        bool isAside = version.CommitsToImportBranch || Options.Dialect == LakeFsDialect.Legacy;
        LakeFsBranch target = isAside ? ImportBranch() : _branch;
        KeyListing content = isAside ? KeyListing.Empty : target.Content;
        if (version.ReplacesDestination && !isAside)
            content = found.Aggregate(content, static (rest, path) => rest.WithoutPrefix(path.Destination));
        content = found.Aggregate(content, static (all, path) => all.With(path.Keys));

        string metaRange = _repository.Ranges.KeepMeta(content);
        LakeFsCommit commit = _repository.NewCommit([target.Head.Id], MessageOf(version), metaRange, _order.Metadata);
        target.Commit(commit, (_, _) => content);
        _repository.Keep(commit, content);
        Enter(LakeFsImportPhase.Committed);
        await Options.BeforeLastStatus();
        await _environment.DelayAsync(Options.StatusInterval);
        Write(new ImportRecord(true, _environment.Clock.GetUtcNow(), total, isAside ? target.Name : null, metaRange, commit));
        Enter(LakeFsImportPhase.Ended);
    }

    private string MessageOf(LakeFsVersion version) =>
        _order.Message.Length == 0 && version.HasDefaultMessage ? "Import objects" : _order.Message;

    private string? Obstacle()
    {
        if (_repository.IsReadOnly && !_order.Force)
            return "merge import: read-only repository";
        if (_branch.IsDirty)
            return $"merge import: merge to '{_branch.Name}': uncommitted changes (dirty branch)";
        return Options.HookAborts is { } hook ? $"merge import: pre-commit hook aborted, {hook}" : null;
    }

    private LakeFsBranch ImportBranch()
    {
        string name = $"_{_branch.Name}_imported";
        return _repository.TryGetBranch(name, out LakeFsBranch? branch) ? branch : _repository.AddBranch(name);
    }

    private KeyListing Walk(ImportLocation path)
    {
        if (Options.WalkFails(path.Path) is { } words)
            throw new LakeFsWalkException(words);
        return path.Type == Object
            ? _state.Store.One(path.Path).Renamed(0, path.Destination)
            : _state.Store.Walk(path.Path).Renamed(0, Below(path.Destination));
    }

    private void Enter(LakeFsImportPhase phase)
    {
        Phase = phase;
        _environment.Changes.Pulse();
    }

    /// <summary>False when the import was cancelled since it last looked.</summary>
    private bool TryProgress(long objects)
    {
        bool goesOn = Record?.Error is null;
        if (goesOn)
            Write(new ImportRecord(false, _environment.Clock.GetUtcNow(), objects));
        else
            Enter(LakeFsImportPhase.Ended);
        return goesOn;
    }

    private void Fail(string words)
    {
        Write(new ImportRecord(false, _environment.Clock.GetUtcNow(), Record?.Objects ?? 0, Error: new ImportError(words)));
        Enter(LakeFsImportPhase.Ended);
    }

    /// <summary>Not over a cancellation, whatever was done by then.</summary>
    private void Write(ImportRecord record)
    {
        lock (_gate)
        {
            if (_record?.Error is null)
                _record = record;
        }
        _environment.Changes.Pulse();
    }
}

/// <summary>What is known of an import, under the names of no dialect.</summary>
internal sealed record ImportRecord(
    bool Completed,
    DateTimeOffset UpdateTime,
    long Objects,
    string? ImportBranch = null,
    string? MetaRangeId = null,
    LakeFsCommit? Commit = null,
    ImportError? Error = null
);

internal sealed record ImportError(string Message);
