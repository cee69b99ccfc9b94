using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Services.DspIngest;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using IngestTools.Uploads;

namespace IngestTools.Units.Journal;

/// <summary>
/// A user at a machine: a connection and a journal of their own. A new session of the same user has the journal, and nothing else.
/// </summary>
internal sealed class JournalMachine : IDisposable
{
    private readonly DspHarness _dsp;
    private readonly string _journalPath;
    private readonly TimeProvider _time;

    public JournalMachine(DspHarness dsp, string name, TimeProvider? time = null)
        : this(dsp, Path.Join(dsp.Folder.Path, name, "journal.db"), name, time ?? TimeProvider.System) { }

    private JournalMachine(DspHarness dsp, string journalPath, string name, TimeProvider time)
    {
        _time = time;
        _dsp = dsp;
        _journalPath = journalPath;
        Name = name;
        Connection = dsp.Connect(TimeProvider.System);
        Journal = new SqliteJournal(journalPath, time);
    }

    public string Name { get; }

    public IngestConnection Connection { get; }

    public IIngestJournal Journal { get; }

    public DspIngestClient Client => new(Connection, _dsp.Log, Journal);

    /// <summary>The same user in a new session: the journal is all that is left of the one before.</summary>
    public JournalMachine NewSession() => new(_dsp, _journalPath, Name, _time);

    public async Task<List<UploadResult>> SendAsync(string path, UploadOptions? options = null)
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        requests.Writer.TryWrite(new UploadRequest(path, Client.CreateUploadTarget(DspHarness.Shortcode)));
        requests.Writer.Complete();
        List<UploadResult> results = [];
        UploadOptions how = (options ?? new UploadOptions()) with { Journal = Journal, Recurse = true };
        await foreach (UploadResult result in new UploadEngine(how, _dsp.Log).SendAsync(requests.Reader))
            results.Add(result);
        return results;
    }

    public Task<Transaction> StartAsync(IEnumerable<UploadResult>? results, CancellationToken cancellationToken = default)
    {
        UploadedNames? names = results is null ? null : new UploadedNames();
        foreach (UploadResult result in (results ?? []).Where(result => result.IsOnServer))
            names!.Add(result.RemoteName, result.Sha256, result.Path, result.Status == UploadStatus.Skipped);
        return Client.StartAsync(DspHarness.Shortcode, names, cancellationToken);
    }

    public async Task<Transaction> WaitAsync(Transaction transaction)
    {
        ITransactionSource source = TransactionSources.For(Connection, _dsp.Log, Journal);
        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(transaction, source));
        requests.Writer.Complete();
        WaitOptions how = new() { PollInterval = TimeSpan.FromMilliseconds(20), Timeout = TimeSpan.FromSeconds(60) };
        Transaction? ended = null;
        await foreach (WaitEvent happened in new TransactionWaiter(how, _dsp.Log).WaitAsync(requests.Reader, CancellationToken.None))
            ended = (happened as WaitEvent.Ended)?.Transaction ?? ended;
        return ended ?? throw new InvalidOperationException("The wait ended without the transaction.");
    }

    /// <summary>Sends a folder, starts its ingest and waits for the end: the line that is typed again.</summary>
    public async Task<(List<UploadResult> Results, Transaction Ended)> RunAsync(string path, UploadOptions? options = null)
    {
        List<UploadResult> results = await SendAsync(path, options);
        Transaction started = await StartAsync(results);
        return (results, started.IsTerminal ? started : await WaitAsync(started));
    }

    public void Dispose()
    {
        Journal.Dispose();
        Connection.Dispose();
    }
}
