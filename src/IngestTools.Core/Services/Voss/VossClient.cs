using IngestTools.Connections;
using IngestTools.Logging;
using IngestTools.Scheduling;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Services.Voss;

/// <summary>VOSS Automate's bulk load: upload a workbook, run it now or later.</summary>
/// <param name="connection">The connection.</param>
/// <param name="logger">Takes what happens.</param>
public sealed class VossClient(IngestConnection connection, ILogger? logger = null)
{
    private readonly VossRoutes _routes = new(connection, logger ?? NullLogger.Instance);

    /// <summary>Makes a client, for a host with a log of its own.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="log">Takes what happens.</param>
    public VossClient(IngestConnection connection, IngestLog log)
        : this(connection, log.Logger)
    {
    }

    /// <summary>The target that workbooks are sent to.</summary>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="uniqueNames">Whether each file gets a name that no other run has.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no hierarchy.</exception>
    public IUploadTarget CreateUploadTarget(string hierarchy, bool uniqueNames = false) => new VossUploadTarget(_routes, Hierarchy.Parse(hierarchy), uniqueNames);

    /// <summary>Looks whether a file is a workbook, without sending it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.NotAWorkbook"/>, <see cref="ErrorId.FileUnreadable"/> and others.</exception>
    public static void CheckWorkbook(string path) => WorkbookFile.Check(path);

    /// <summary>Starts the load of a workbook that was uploaded. The answer comes at once; the load is queued.</summary>
    /// <param name="fileName">The workbook, by the name that the server gave it.</param>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="cancellationToken">Ends the asking; a load that was started goes on.</param>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.OutcomeUnknown"/>: the answer was lost; it is not sent again. <see cref="ErrorId.Rejected"/>, <see cref="ErrorId.NotAllowed"/> and others.
    /// </exception>
    /// <remarks>VOSS Automate, POST /api/tool/BulkLoad/ with nowait=true</remarks>
    public async Task<Transaction> StartAsync(string fileName, string hierarchy, CancellationToken cancellationToken)
    {
        Hierarchy node = Hierarchy.Parse(hierarchy);
        LoadRequest request = new() { BulkloadFile = CheckName(fileName), ExecuteImmediately = true };
        return Describe(await SendAsync(node, request, cancellationToken).ConfigureAwait(false), node, fileName);
    }

    /// <summary>The load of a workbook whose start was not answered, by a file name that no other load has.</summary>
    /// <param name="fileName">The workbook, by the name that the server gave it.</param>
    /// <param name="hierarchy">The hierarchy: a dotted path or a pkid.</param>
    /// <param name="cancellationToken">Ends the search.</param>
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
    /// <returns>The making of the schedule, as a transaction; its message tells the time in each of its forms.</returns>
    /// <exception cref="IngestException">As <see cref="StartAsync"/>.</exception>
    /// <remarks>VOSS Automate, POST /api/tool/BulkLoad/ with execute_immediately false</remarks>
    public async Task<Transaction> ScheduleAsync(string fileName, string hierarchy, ScheduleTime time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(time);
        Hierarchy node = Hierarchy.Parse(hierarchy);
        ExecutionTime execution = new(time);
        LoadRequest request = new()
        {
            BulkloadFile = CheckName(fileName),
            ExecuteImmediately = false,
            ExecuteDate = execution.Date,
            ExecuteTime = execution.Time,
            ExecuteTimezone = execution.Timezone,
        };
        Transaction making = Describe(await SendAsync(node, request, cancellationToken).ConfigureAwait(false), node, fileName);
        return making with { Kind = TransactionKind.Schedule, Unit = null, ScheduledFor = time.Local, Message = execution.Describe() };
    }

    /// <summary>The paths of all nodes of the hierarchy that the user sees.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <remarks>VOSS Automate, GET /api/data/HierarchyNode/</remarks>
    public Task<IReadOnlyList<string>> ListHierarchiesAsync(CancellationToken cancellationToken) => _routes.ListHierarchiesAsync(cancellationToken);

    private static string CheckName(string fileName) => !string.IsNullOrWhiteSpace(fileName)
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
                advice: $"It was not sent again, since that could load it twice. Look in VOSS's transaction log{(request.ExecuteImmediately ? "" : " and its list of schedules")} for a detail with '{request.BulkloadFile}': if there is none, send it again. -UniqueName of Send-IngestFile makes names that cannot be mistaken.");
        }
    }

    private Transaction Describe(string pkid, Hierarchy node, string fileName)
    {
        DateTimeOffset now = connection.Time.GetUtcNow();
        return BulkLoadTransactions.Describe(pkid) with
        {
            Status = TransactionStatus.Queued,
            Hierarchy = node.Value,
            FileName = fileName,
            Connection = connection.Name,
            SubmittedAt = now,
            SeenAt = now,
        };
    }
}
