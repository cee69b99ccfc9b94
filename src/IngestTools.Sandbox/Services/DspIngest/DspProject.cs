using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>A project of DSP-INGEST: its lock, its import folder, its mapping, and a count of what happened to each file.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is never asked for holds nothing to dispose of.")]
public sealed class DspProject
{
    /// <summary>How many files an ingest takes at once, as INGEST_BULK_MAX_PARALLEL of the server.</summary>
    private const int FilesAtOnce = 8;

    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly object _gate = new();
    private readonly Dictionary<string, DspFileHistory> _histories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DspAsset> _assets = new(StringComparer.Ordinal);
    private readonly DspIngestOptions _options;
    private readonly SandboxEnvironment _environment;
    private readonly IDspFileStore _store;
    private Dictionary<string, DspWaitingFile>? _import;
    private List<DspAsset>? _mapping;

    internal DspProject(string shortcode, DspIngestOptions options, SandboxEnvironment environment, IDspFileStore store)
    {
        Shortcode = shortcode;
        _options = options;
        _environment = environment;
        _store = store;

        StoredProject stored = store.Load();
        _import = stored.Waiting?.ToDictionary(static f => f.Path, StringComparer.Ordinal);
        _mapping = stored.Mapping?.ToList();
        foreach (DspWaitingFile file in stored.Waiting ?? [])
            HistoryOf(file.Path) = new DspFileHistory { Uploads = 1, UploadedSha256 = file.Sha256 };
        foreach (DspAsset asset in stored.Assets)
        {
            _assets[asset.AssetId] = asset;
            ref DspFileHistory history = ref HistoryOf(asset.Original);
            history = history with { Uploads = history.Uploads + 1, Ingests = history.Ingests + 1, IngestedSha256 = asset.Sha256 };
        }
    }

    /// <summary>Four hex digits, upper-case.</summary>
    public string Shortcode { get; }

    /// <summary>Whether an upload, an ingest, a finalize or a read of the mapping holds the project's lock.</summary>
    public bool IsLocked => _lock.CurrentCount == 0;

    /// <summary>Whether something was uploaded since the last finalize.</summary>
    public bool HasImportFolder
    {
        get
        {
            lock (_gate)
                return _import is not null;
        }
    }

    /// <summary>How many files are in the import folder.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
                return _import?.Count ?? 0;
        }
    }

    /// <summary>How many rows the mapping has.</summary>
    public int MappingCount
    {
        get
        {
            lock (_gate)
                return _mapping?.Count ?? 0;
        }
    }

    /// <summary>A copy of what is known of the files in the import folder: to be ingested, left over, or hidden.</summary>
    public IReadOnlyList<DspWaitingFile> WaitingFiles
    {
        get
        {
            lock (_gate)
                return _import is null ? [] : _import.Values.ToArray();
        }
    }

    /// <summary>A copy of the mapping's rows in their order; null when there is no mapping file.</summary>
    public IReadOnlyList<DspAsset>? Mapping
    {
        get
        {
            lock (_gate)
                return _mapping?.ToArray();
        }
    }

    /// <summary>A copy of what happened to each path that was ever uploaded.</summary>
    public IReadOnlyDictionary<string, DspFileHistory> Histories
    {
        get
        {
            lock (_gate)
                return new Dictionary<string, DspFileHistory>(_histories, StringComparer.Ordinal);
        }
    }

    /// <summary>Ingests started since the sandbox started.</summary>
    public int Runs { get; private set; }

    /// <summary>What happened to one path; all zero for one that never came.</summary>
    public DspFileHistory History(string path)
    {
        lock (_gate)
            return _histories.GetValueOrDefault(path);
    }

    /// <summary>Takes the lock as another client's ingest would; dispose what it returns to release it.</summary>
    public async Task<IDisposable> HoldLockAsync(CancellationToken cancellationToken = default)
    {
        await TryTakeAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        return new Releaser(this);
    }

    /// <summary>Appends rows to the mapping, as if that number of files had been ingested before.</summary>
    public void SeedMapping(int rows)
    {
        lock (_gate)
        {
            _import ??= new(StringComparer.Ordinal);
            int first = _mapping?.Count ?? 0;
            AddAssets(Enumerable.Range(first, rows).Select(NewSeed).ToArray());
        }
        _environment.Changes.Pulse();

        DspAsset NewSeed(int number) => new($"seed/{number:D7}.jpg", NewAssetId(), "jpx", 0, default);
    }

    internal Task<bool> TryLockAsync(CancellationToken cancellationToken) => TryTakeAsync(_options.LockWait, cancellationToken);

    /// <summary>Takes the lock for a while if it is free.</summary>
    internal async Task TryHoldAsync(TimeSpan time)
    {
        if (await TryTakeAsync(TimeSpan.Zero, CancellationToken.None))
            await ReleaseAfterAsync(() => _environment.DelayAsync(time));
    }

    internal void Unlock()
    {
        _lock.Release();
        _environment.Changes.Pulse();
    }

    private async Task<bool> TryTakeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!await _lock.WaitAsync(patience, cancellationToken))
            return false;
        _environment.Changes.Pulse();
        return true;
    }

    internal DspAsset? FindAsset(string assetId)
    {
        lock (_gate)
            return _assets.GetValueOrDefault(assetId);
    }

    /// <summary>Where the body of an upload goes. The lock is held.</summary>
    internal Stream OpenUpload(string path) => _store.OpenUpload(path);

    /// <summary>The lock is held: a broken upload stays as a truncated file, and an existing one is gone either way.</summary>
    internal void EndUpload(DspWaitingFile file)
    {
        lock (_gate)
        {
            (_import ??= new(StringComparer.Ordinal))[file.Path] = file;
            ref DspFileHistory history = ref HistoryOf(file.Path);
            history = file.IsComplete
                ? history with
                {
                    Uploads = history.Uploads + 1,
                    UploadedSha256 = file.Sha256,
                }
                : history with
                {
                    BrokenUploads = history.BrokenUploads + 1,
                };
        }
    }

    /// <summary>The lock is held by the caller and goes over to the run, which releases it at its end.</summary>
    internal void RunIngest() =>
        _environment.Track(
            ReleaseAfterAsync(async () =>
            {
                DspWaitingFile[] files = BeginRun();
                _environment.Changes.Pulse();
                ParallelOptions parallel = new() { MaxDegreeOfParallelism = FilesAtOnce, CancellationToken = _environment.Stopping };
                await Parallel.ForEachAsync(files, parallel, IngestAsync);
            })
        );

    /// <summary>The lock is held by the caller and goes over to the deletion, which releases it at its end.</summary>
    internal void RunFinalize() =>
        _environment.Track(
            ReleaseAfterAsync(async () =>
            {
                await _environment.DelayAsync(_options.FinalizeDelay);
                await _options.BeforeDelete().WaitAsync(_environment.Stopping);
                lock (_gate)
                {
                    _store.DeleteImport();
                    _import = null;
                    _mapping = null;
                }
            })
        );

    private async Task ReleaseAfterAsync(Func<Task> work)
    {
        // Off the request at once: its answer must not wait for the work.
        await Task.Yield();
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (_environment.Stopping.IsCancellationRequested)
        {
            // The sandbox ends; what was not done stays undone.
        }
        catch (Exception e)
        {
            // As on the server: no answer tells it, only the log.
            _environment.Logger.LogError(e, "Work on project {Shortcode} broke off", Shortcode);
        }
        finally
        {
            Unlock();
        }
    }

    private DspWaitingFile[] BeginRun()
    {
        lock (_gate)
        {
            Runs++;
            // Finalized while the start waited for the lock: the run dies before it makes a mapping.
            if (_import is null)
                return [];
            AddAssets([]);
            DspWaitingFile[] files = _import.Values.Where(static f => !UploadPath.IsHidden(f.Path)).ToArray();
            // The server's order is the file system's: no client may count on one.
            _environment.Shuffle(files);
            return files;
        }
    }

    private async ValueTask IngestAsync(DspWaitingFile file, CancellationToken cancellationToken)
    {
        await _environment.DelayAsync(_options.IngestTimePerFile + (_options.IngestTimePerMebibyte * (file.Length >> 20)));
        await _options.BeforeIngest(file.Path).WaitAsync(cancellationToken);
        if (_options.IngestFails(file.Path) || (_options.IngestFailsOnce(file.Path) && History(file.Path).IngestFailures == 0))
        {
            EndIngest(file, null);
            return;
        }
        DspAsset asset = new(file.Path, NewAssetId(), UploadPath.DerivativeExtension(file.Path), file.Length, file.Sha256);
        _store.MoveToAssets(asset);
        EndIngest(file, asset);
    }

    /// <summary>Without an asset the file stays where it is.</summary>
    private void EndIngest(DspWaitingFile file, DspAsset? asset)
    {
        lock (_gate)
        {
            ref DspFileHistory history = ref HistoryOf(file.Path);
            if (asset is null)
            {
                history = history with { IngestFailures = history.IngestFailures + 1 };
            }
            else
            {
                history = history with { Ingests = history.Ingests + 1, IngestedSha256 = file.Sha256 };
                _import!.Remove(file.Path);
                AddAssets([asset]);
            }
        }
        _environment.Changes.Pulse();
    }

    /// <summary>Also without a row, this makes the mapping exist.</summary>
    private void AddAssets(DspAsset[] assets)
    {
        _store.AppendMapping(assets);
        (_mapping ??= []).AddRange(assets);
        foreach (DspAsset asset in assets)
            _assets[asset.AssetId] = asset;
    }

    private string NewAssetId() => $"{_environment.NextString(Base62, 11)}-{_environment.NextString(Base62, 11)}";

    private ref DspFileHistory HistoryOf(string path) => ref CollectionsMarshal.GetValueRefOrAddDefault(_histories, path, out _);

    private sealed class Releaser(DspProject project) : IDisposable
    {
        private DspProject? _project = project;

        public void Dispose() => Interlocked.Exchange(ref _project, null)?.Unlock();
    }
}
