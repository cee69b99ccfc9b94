namespace IngestTools.Journal;

/// <summary>Records nothing and knows nothing.</summary>
internal sealed class NoJournal : IIngestJournal, IPlaceJournal, IUploadJob
{
    public static readonly NoJournal Instance = new();

    private NoJournal() { }

    public bool IsOn => false;

    public StartOrigin? Origin => null;

    public PlaceMark Mark
    {
        get => default;
        set { }
    }

    public bool IsClosing
    {
        get => false;
        set { }
    }

    public long LastEndedJob => 0;

    public long Number => 0;

    public IngestException? Failure => null;

    public IPlaceJournal OpenPlace(JournalPlace place) => this;

    public IUploadJob BeginJob(JournalPlace place, string connection, long? call) => this;

    public long BeginStart(JournaledStart start) => 0;

    public void EndStart(long key, Transaction transaction) { }

    public void CancelStart(long key) { }

    public void LoseStart(long key, string message) { }

    public void Update(Transaction transaction) { }

    public JournaledUpload? FindUpload(IngestService service, string server, string serverName) => null;

    public IReadOnlyList<JournaledTransaction> ReadTransactions(TransactionQuery query) => [];

    public IReadOnlyList<IngestJob> ReadJobs(JobQuery query) => [];

    public IEnumerable<UploadResult> ReadResults(long job, params UploadStatus[] statuses) => throw JournalErrors.NoSuchJob(job);

    public JournalCleared Count(ClearQuery query) => new(0, 0, 0);

    public JournalCleared Clear(ClearQuery query) => new(0, 0, 0);

    public JournaledFile? Find(string name) => null;

    public void Refresh() { }

    public IEnumerable<JournaledFile> Read(FileState state) => [];

    public long Count(FileState state) => 0;

    public void Write(IReadOnlyCollection<JournaledFile> files) { }

    public IReadOnlyList<string> FindOthers(string name) => [];

    public void AddOthers(IReadOnlyCollection<(string Name, string ServerName)> others) { }

    public void Forget(FileState state) { }

    public OlderJob? FindOlder() => null;

    public long EndedBeside => 0;

    public ValueTask RecordAsync(JournaledFile file, long? bytes) => default;

    public ValueTask RecordAsync(UploadResult result) => default;

    public void Skip() { }

    public Task CompleteAsync(IngestJobStatus status) => Task.CompletedTask;

    public void Dispose() { }
}
