using IngestTools.Journal;
using IngestTools.Units.Support;
using Microsoft.Extensions.Time.Testing;

namespace IngestTools.Units.Journal;

/// <summary>A journal in a folder of its own, with a clock that the test moves.</summary>
public abstract class JournalTests : IDisposable
{
    internal static readonly JournalPlace Project = JournalProgram.PlaceOf("0001");

    private readonly TemporaryFolder _folder = new();
    private SqliteJournal? _journal;

    internal FakeTimeProvider Time { get; } = new();

    /// <summary>A folder that is not there yet.</summary>
    internal string Folder => System.IO.Path.Join(_folder.Path, "state");

    internal string Path => System.IO.Path.Join(Folder, "journal.db");

    internal SqliteJournal Journal => _journal ??= new SqliteJournal(Path, Time);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _journal?.Dispose();
        _folder.Dispose();
    }

    internal static JournaledFile FileOf(string name, FileState state = FileState.Sent) =>
        new()
        {
            Name = name,
            Path = $"/scans/{name}",
            Length = 100,
            LastWriteTime = new DateTime(2026, 3, 1, 11, 0, 0, DateTimeKind.Utc),
            Sha256 = Convert
                .ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)))
                .ToLowerInvariant(),
            State = state,
        };

    internal static JournaledStart StartOf(JournalPlace place, string id = "dsp:0001") =>
        new()
        {
            Kind = TransactionKind.BulkIngest,
            Place = place,
            Connection = "test",
            ManualCheck = "Look at the mapping.",
            Transaction = new Transaction
            {
                Id = id,
                Kind = TransactionKind.BulkIngest,
                Status = TransactionStatus.Running,
                Server = place.Server,
                Shortcode = place.Name,
            },
        };

    internal static UploadResult FailureOf(string name) =>
        new()
        {
            Path = $"/scans/{name}",
            RemoteName = name,
            Length = 7,
            Status = UploadStatus.Failed,
            Error = new IngestException(ErrorId.TooLarge, "It is too large."),
        };

    /// <summary>Runs a job that sends files and ends.</summary>
    internal async Task<long> SendAsync(JournalPlace place, params string[] names)
    {
        using IUploadJob job = Journal.BeginJob(place, "test", null);
        foreach (string name in names)
            await job.RecordAsync(FileOf(name), 100);
        await job.CompleteAsync(IngestJobStatus.Completed);
        Xunit.Assert.Null(job.Failure);
        return job.Number;
    }

    internal IngestJob JobOf(long number) => Xunit.Assert.Single(Journal.ReadJobs(new JobQuery { Number = number }));

    internal JournaledFile? Find(string name, JournalPlace? place = null)
    {
        using IPlaceJournal files = Journal.OpenPlace(place ?? Project);
        return files.Find(name);
    }

    internal string[] ResultsOf(long job) => Journal.ReadResults(job).Select(r => r.RemoteName).Order(StringComparer.Ordinal).ToArray();
}
