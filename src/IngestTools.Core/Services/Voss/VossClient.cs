using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.Logging;
using IngestTools.Scheduling;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Services.Voss;

/// <summary>VOSS Automate's bulk load: upload a workbook, run it now or later.</summary>
/// <param name="connection">The connection.</param>
/// <param name="logger">The logger.</param>
/// <param name="journal">The journal that loads are recorded in; null records nothing and knows nothing.</param>
public sealed class VossClient(IngestConnection connection, ILogger? logger = null, IIngestJournal? journal = null)
{
    private readonly VossRoutes _routes = new(connection, logger ?? NullLogger.Instance);

    private readonly IIngestJournal _journal = journal ?? IngestJournal.Off;

    /// <summary>Makes a client, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">The log.</param>
    /// <param name="journal">The journal that loads are recorded in; null records nothing and knows nothing.</param>
    public VossClient(IngestConnection connection, IngestLog log, IIngestJournal? journal = null)
        : this(connection, log.Logger, journal) { }

    /// <summary>The target that workbooks are sent to.</summary>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="uniqueNames">Whether each file gets a name that no other run has.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not a hierarchy.</exception>
    public IUploadTarget CreateUploadTarget(string hierarchy, bool uniqueNames = false) =>
        new VossUploadTarget(_routes, Hierarchy.Parse(hierarchy), uniqueNames);

    /// <summary>Looks whether a file is a workbook, without sending it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotAWorkbook"/>, <see cref="ErrorId.FileUnreadable"/> and others.</exception>
    public static void CheckWorkbook(string path) => WorkbookFile.Check(path);

    /// <summary>Starts the load of a workbook that was uploaded. The answer comes at once; the load is queued.</summary>
    /// <param name="fileName">The workbook, by the name that the server gave it.</param>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="cancellationToken">Cancels the request; a load that was started continues.</param>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.OutcomeUnknown"/>: the answer was lost; it is not sent again. <see cref="ErrorId.Rejected"/>,
    /// <see cref="ErrorId.NotAllowed"/> and others.
    /// </exception>
    /// <remarks>VOSS Automate, POST /api/tool/BulkLoad/ with nowait=true</remarks>
    public Task<Transaction> StartAsync(string fileName, string hierarchy, CancellationToken cancellationToken) =>
        StartAsync(new BulkLoadRequest { FileName = fileName, Hierarchy = hierarchy }, cancellationToken);

    /// <summary>
    /// Starts the load of a workbook that was uploaded, unless another one has its name now, or the same content was loaded before.
    /// </summary>
    /// <param name="load">The workbook.</param>
    /// <param name="cancellationToken">Cancels the request; a load that was started continues.</param>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.NameCollision"/>: a later upload has replaced it. <see cref="ErrorId.AlreadyDone"/>: a workbook of the same
    /// content was loaded into the hierarchy, or is being loaded. <see cref="ErrorId.JournalUnavailable"/>: nothing was sent. And those of
    /// <see cref="StartAsync(string, string, CancellationToken)"/>.
    /// </exception>
    /// <remarks>VOSS Automate, POST /api/tool/BulkLoad/ with nowait=true</remarks>
    public Task<Transaction> StartAsync(BulkLoadRequest load, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(load);
        LoadRequest request = new() { BulkloadFile = CheckName(load.FileName), ExecuteImmediately = true };
        return RunAsync(load, request, TransactionKind.BulkLoad, static transaction => transaction, cancellationToken);
    }

    /// <summary>The load of a workbook whose start was not answered, by a file name that no other load has.</summary>
    /// <param name="fileName">The workbook, by the name that the server gave it.</param>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="cancellationToken">Cancels the search.</param>
    /// <returns>Its transaction; null where the server lists none.</returns>
    /// <exception cref="IngestException">The server does not list its transactions, so that nothing is known.</exception>
    /// <remarks>VOSS Automate, GET /api/tool/Transaction/</remarks>
    public async Task<Transaction?> FindLoadAsync(string fileName, string hierarchy, CancellationToken cancellationToken)
    {
        Hierarchy node = Hierarchy.Parse(hierarchy);
        IReadOnlyList<string> found = await _routes.FindLoadsAsync(node, CheckName(fileName), cancellationToken).ConfigureAwait(false);
        return found.Count == 0 ? null : Describe(found[0], node, fileName);
    }

    /// <summary>Makes a schedule on the server, which runs the load once and then vanishes.</summary>
    /// <param name="fileName">The workbook, by the name that the server gave it.</param>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="time">When.</param>
    /// <param name="cancellationToken">Ends the asking; a schedule that was made stays.</param>
    /// <returns>The making of the schedule, as a transaction; its message has the time in each of its forms.</returns>
    /// <exception cref="IngestException">As <see cref="StartAsync(string, string, CancellationToken)"/>.</exception>
    /// <remarks>VOSS Automate, POST /api/tool/BulkLoad/ with execute_immediately false</remarks>
    public Task<Transaction> ScheduleAsync(string fileName, string hierarchy, ScheduleTime time, CancellationToken cancellationToken) =>
        ScheduleAsync(new BulkLoadRequest { FileName = fileName, Hierarchy = hierarchy }, time, cancellationToken);

    /// <summary>Makes a schedule on the server, unless another workbook has the name of this one now.</summary>
    /// <param name="load">The workbook.</param>
    /// <param name="time">When.</param>
    /// <param name="cancellationToken">Cancels the request; a schedule that was made stays.</param>
    /// <exception cref="IngestException">As <see cref="StartAsync(BulkLoadRequest, CancellationToken)"/>; the same content can be scheduled
    /// several times.</exception>
    /// <remarks>VOSS Automate, POST /api/tool/BulkLoad/ with execute_immediately false</remarks>
    public Task<Transaction> ScheduleAsync(BulkLoadRequest load, ScheduleTime time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(load);
        ArgumentNullException.ThrowIfNull(time);
        ExecutionTime execution = new(time);
        LoadRequest request = new()
        {
            BulkloadFile = CheckName(load.FileName),
            ExecuteImmediately = false,
            ExecuteDate = execution.Date,
            ExecuteTime = execution.Time,
            ExecuteTimezone = execution.Timezone,
        };
        return RunAsync(
            load,
            request,
            TransactionKind.Schedule,
            making =>
                making with
                {
                    Kind = TransactionKind.Schedule,
                    Unit = null,
                    ScheduledFor = time.Local,
                    Message = execution.Describe(),
                },
            cancellationToken
        );
    }

    /// <summary>The paths of all nodes of the hierarchy that the user sees.</summary>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <remarks>VOSS Automate, GET /api/data/HierarchyNode/</remarks>
    public Task<IReadOnlyList<string>> ListHierarchiesAsync(CancellationToken cancellationToken) =>
        _routes.ListHierarchiesAsync(cancellationToken);

    private Task<Transaction> RunAsync(
        BulkLoadRequest load,
        LoadRequest request,
        TransactionKind kind,
        Func<Transaction, Transaction> complete,
        CancellationToken cancellationToken
    )
    {
        BulkLoadStart start = new(_routes, _journal, load, kind);
        return start.RunAsync(
            complete(Describe("", start.Hierarchy, load.FileName)) with
            {
                TransactionId = null,
            },
            StartAsync,
            cancellationToken
        );

        async Task<Transaction> StartAsync() =>
            complete(
                Describe(await SendAsync(start.Hierarchy, request, cancellationToken).ConfigureAwait(false), start.Hierarchy, load.FileName)
            );
    }

    private static string CheckName(string fileName) =>
        !string.IsNullOrWhiteSpace(fileName)
            ? fileName
            : throw new IngestException(ErrorId.Rejected, "The workbook has no name.")
            {
                Service = IngestService.Voss,
                Operation = "start bulk load",
                Advice = "Give the name that Send-IngestFile wrote as FileName.",
                Target = fileName,
            };

    /// <summary>A load is asked for once: it has no number of its own by which the server would know it again.</summary>
    private async Task<string> SendAsync(Hierarchy node, LoadRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await _routes.StartAsync(node, request, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.OutcomeUnknown)
        {
            throw e.With(
                message: $"{e.Message} Look for '{request.BulkloadFile}'.",
                advice: $"It was not sent again, since that could load it twice. Look in VOSS's transaction "
                    + $"log{(request.ExecuteImmediately ? "" : " and its list of schedules")} for a detail with "
                    + $"'{request.BulkloadFile}': if there is none, start it "
                    + $"again{(request.ExecuteImmediately ? " with -Again" : "")}. -UniqueName of Send-IngestFile makes names that "
                    + $"cannot be mistaken."
            );
        }
    }

    private Transaction Describe(string pkid, Hierarchy node, string fileName)
    {
        DateTimeOffset now = connection.Time.GetUtcNow();
        return BulkLoadTransactions.Describe(pkid, connection) with
        {
            Status = TransactionStatus.Queued,
            Hierarchy = node.Value,
            FileName = fileName,
            SubmittedAt = now,
            SeenAt = now,
        };
    }
}
