namespace IngestTools.Journal;

/// <summary>
/// What was sent and started from this machine by this account. The upload engine, the starts, the waiter and the scheduler use it through
/// this interface, and none of them knows how it is stored.
/// </summary>
public interface IIngestJournal : IDisposable
{
    /// <summary>Whether anything is recorded.</summary>
    bool IsOn { get; }

    /// <summary>The run of a schedule that starts are recorded for; null where a person starts them.</summary>
    StartOrigin? Origin { get; }

    /// <summary>Opens what is known of the files of one place.</summary>
    /// <param name="place">The place.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    IPlaceJournal OpenPlace(JournalPlace place);

    /// <summary>Records that files are about to be sent to a place, before the first of them is.</summary>
    /// <param name="place">The place.</param>
    /// <param name="connection">The connection's name.</param>
    /// <param name="call">The number of the first job of the same call; null for the first.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    IUploadJob BeginJob(JournalPlace place, string connection, long? call);

    /// <summary>Records that something is about to be started, before the request is sent. It is on the disk when this returns.</summary>
    /// <param name="start">What is started.</param>
    /// <returns>The key under which its outcome is recorded.</returns>
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    long BeginStart(JournaledStart start);

    /// <summary>Records what a start became: the transaction that the server answered with.</summary>
    /// <param name="key">The key of the start.</param>
    /// <param name="transaction">The transaction.</param>
    void EndStart(long key, Transaction transaction);

    /// <summary>Records that the server did not take a start. Nothing is kept of it.</summary>
    /// <param name="key">The key of the start.</param>
    void CancelStart(long key);

    /// <summary>
    /// Records that the answer to a start was lost: whether the server acted is not known. What was found out meanwhile stays.
    /// </summary>
    /// <param name="key">The key of the start.</param>
    /// <param name="message">What to look at.</param>
    void LoseStart(long key, string message);

    /// <summary>Records how a transaction was last seen. One that was not started from here is not recorded.</summary>
    /// <param name="transaction">The transaction.</param>
    void Update(Transaction transaction);

    /// <summary>
    /// The upload that a server has under a name, whichever place it was sent to: the newest one. Null where none is recorded.
    /// </summary>
    /// <param name="service">The service.</param>
    /// <param name="server">The server's base address.</param>
    /// <param name="serverName">The name that the server gave it.</param>
    JournaledUpload? FindUpload(IngestService service, string server, string serverName);

    /// <summary>The starts that are recorded, newest first.</summary>
    /// <param name="query">Selects them.</param>
    IReadOnlyList<JournaledTransaction> ReadTransactions(TransactionQuery query);

    /// <summary>The jobs that are recorded, newest first.</summary>
    /// <param name="query">Selects them.</param>
    IReadOnlyList<IngestJob> ReadJobs(JobQuery query);

    /// <summary>A job.</summary>
    /// <param name="number">Its number.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/></exception>
    IngestJob FindJob(long number) =>
        ReadJobs(new JobQuery { Number = number }) is [IngestJob job] ? job : throw JournalErrors.NoSuchJob(number);

    /// <summary>The results of a job's files: those that were uploaded, and those that failed.</summary>
    /// <param name="job">The job's number.</param>
    /// <param name="statuses">Only those of these statuses; none means all.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/></exception>
    IEnumerable<UploadResult> ReadResults(long job, params UploadStatus[] statuses);

    /// <summary>Counts the records that <see cref="Clear"/> would delete now.</summary>
    /// <param name="query">Selects them.</param>
    JournalCleared Count(ClearQuery query);

    /// <summary>Deletes records. Those of a job that runs, and of a transaction that has not ended, stay.</summary>
    /// <param name="query">Selects them.</param>
    JournalCleared Clear(ClearQuery query);
}

/// <summary>What is known of the files of one place. May be used from several threads.</summary>
public interface IPlaceJournal : IDisposable
{
    /// <summary>The part of the place's list of results that has been taken over into the journal.</summary>
    PlaceMark Mark { get; set; }

    /// <summary>Whether a request that removes what was sent to the place is under way, or its answer was lost.</summary>
    bool IsClosing { get; set; }

    /// <summary>What is known of a name; null where nothing is. What others recorded may be seen a second later.</summary>
    /// <param name="name">The name on the server.</param>
    JournaledFile? Find(string name);

    /// <summary>Lets <see cref="Find"/> see what others have recorded until now.</summary>
    void Refresh();

    /// <summary>The files of a state, in the order of their names.</summary>
    /// <param name="state">The state.</param>
    IEnumerable<JournaledFile> Read(FileState state);

    /// <summary>The number of files of a state.</summary>
    /// <param name="state">The state.</param>
    long Count(FileState state);

    /// <summary>Writes records; one that is there is replaced.</summary>
    /// <param name="files">The records.</param>
    void Write(IReadOnlyCollection<JournaledFile> files);

    /// <summary>
    /// What the server made of a name besides what the name's record says: of files that were sent from elsewhere, or before.
    /// </summary>
    /// <param name="name">The name on the server.</param>
    IReadOnlyList<string> FindOthers(string name);

    /// <summary>Records what the server made of names besides what their records say.</summary>
    /// <param name="others">The names, and what the server made of them.</param>
    void AddOthers(IReadOnlyCollection<(string Name, string ServerName)> others);

    /// <summary>Deletes the records of a state. The results of the jobs that sent them can still be read.</summary>
    /// <param name="state">The state.</param>
    void Forget(FileState state);

    /// <summary>The newest job of the place that had ended; 0 where none has.</summary>
    long LastEndedJob { get; }
}

/// <summary>A job that another one waits for.</summary>
/// <param name="Number">Its number.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Progress">A number that grows while it records results.</param>
public readonly record struct OlderJob(long Number, int ProcessId, long Progress);

/// <summary>How far a place's list of results has been taken over.</summary>
/// <param name="Rows">Rows that were taken over.</param>
/// <param name="Last">What the last of them names; it shows whether the list is still the same.</param>
public readonly record struct PlaceMark(long Rows, string? Last);

/// <summary>One call of Send-IngestFile into one place, while it runs. Results may be recorded from any thread.</summary>
public interface IUploadJob : IDisposable
{
    /// <summary>Its number.</summary>
    long Number { get; }

    /// <summary>Why results can no longer be recorded; null while they can. Then nothing more may be sent.</summary>
    IngestException? Failure { get; }

    /// <summary>An older job of another process that is sending to the same place; null where there is none.</summary>
    OlderJob? FindOlder();

    /// <summary>
    /// The number of jobs of this process that ended at the same place since this one began. They are not waited for: a later command of a
    /// pipeline would wait for an earlier one, which waits for the later one to take its results.
    /// </summary>
    long EndedBeside { get; }

    /// <summary>A file is on the server, or was found there.</summary>
    /// <param name="file">What is recorded. Its job is this one where it was uploaded, and none where it was found on the server.</param>
    /// <param name="bytes">Bytes that were uploaded for it; null where it was found there, of which <see cref="Skip"/> counts.</param>
    ValueTask RecordAsync(JournaledFile file, long? bytes);

    /// <summary>A file failed.</summary>
    /// <param name="result">Its result.</param>
    ValueTask RecordAsync(UploadResult result);

    /// <summary>A file was skipped.</summary>
    void Skip();

    /// <summary>Records what is still to be recorded, and that the job has ended.</summary>
    /// <param name="status">How it ended.</param>
    Task CompleteAsync(IngestJobStatus status);
}
