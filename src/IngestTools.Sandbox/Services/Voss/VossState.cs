using System.Collections.Concurrent;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>A load that will run later. It is gone once it ran.</summary>
/// <param name="Pkid">24 hexadecimal digits.</param>
/// <param name="Name">The file's name and when it was made.</param>
/// <param name="FileName">The workbook.</param>
/// <param name="Hierarchy">Where it is loaded.</param>
/// <param name="UserName">Who made it.</param>
/// <param name="ExecuteDate">YYYY-MM-DD, as it was sent.</param>
/// <param name="ExecuteTime">HH:MM:SS, as it was sent.</param>
/// <param name="ExecuteTimezone">Minutes relative to UTC, as they were sent.</param>
/// <param name="At">The instant that these three name.</param>
public sealed record VossSchedule(
    string Pkid,
    string Name,
    string FileName,
    VossHierarchyNode Hierarchy,
    string UserName,
    string ExecuteDate,
    string ExecuteTime,
    string ExecuteTimezone,
    DateTimeOffset At
);

/// <summary>What VOSS Automate knows: its files, transactions, schedules and sessions, and how it behaves.</summary>
public sealed class VossState
{
    private const string Hex = "0123456789abcdef";
    private const int PkidLength = 24;

    private readonly ConcurrentDictionary<string, VossTransaction> _transactions = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, VossSchedule> _schedules = new(StringComparer.Ordinal);
    private readonly VossFiles _files;
    private readonly VossHierarchies _hierarchies;

    internal VossState(VossOptions options, SandboxEnvironment environment)
    {
        Options = options;
        Environment = environment;
        Sessions = new VossSessions(options, environment);
        Rate = new VossRate(environment.Clock);
        _hierarchies = new VossHierarchies(options.Hierarchies);
        _files = new VossFiles(environment.DataFolder is { } folder ? Path.Combine(folder, "voss", "files") : null, NewPkid);
    }

    /// <summary>How the service behaves; may be changed while it runs.</summary>
    public VossOptions Options { get; }

    /// <summary>The files that were uploaded.</summary>
    public IReadOnlyCollection<VossFile> Files => _files.All;

    /// <summary>The transactions at the top, the oldest first.</summary>
    public IReadOnlyList<VossTransaction> Transactions =>
        _transactions.Values.Where(static t => t.Parent is null).OrderBy(static t => t.SubmittedTime).ToArray();

    /// <summary>The loads that will run later.</summary>
    public IReadOnlyCollection<VossSchedule> Schedules => _schedules.Values.ToArray();

    /// <summary>The nodes of the hierarchy.</summary>
    public IReadOnlyList<VossHierarchyNode> Hierarchies => _hierarchies.All;

    /// <summary>The sessions that somebody signed in for.</summary>
    public VossSessions Sessions { get; }

    /// <summary>How often users ask.</summary>
    public VossRate Rate { get; }

    internal SandboxEnvironment Environment { get; }

    /// <summary>Forgets a transaction with all its parts, as a server does that tidies its log up.</summary>
    public void Forget(VossTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        foreach (VossTransaction part in transaction.SubTransactions)
            Forget(part);
        transaction.Detach();
        _transactions.TryRemove(transaction.Pkid, out _);
    }

    internal VossTransaction? FindTransaction(string pkid) => _transactions.GetValueOrDefault(pkid);

    internal VossFile? FindFile(string name) => _files.Find(name);

    internal Task<VossFile> AddFileAsync(string name, byte[] content) => _files.AddAsync(name, content);

    internal VossHierarchyNode? FindHierarchy(string name) => _hierarchies.Find(name);

    internal VossTransaction NewTransaction(
        string action,
        string userName,
        VossHierarchyNode? hierarchy,
        VossTransaction? parent = null,
        VossRow? row = null,
        string? fileName = null
    )
    {
        VossTransaction transaction = new(Guid.NewGuid().ToString(), action, userName, hierarchy, parent, Environment.Clock.GetUtcNow())
        {
            Row = row,
            FileName = fileName,
        };
        _transactions[transaction.Pkid] = transaction;
        return transaction;
    }

    internal void AddSchedule(VossSchedule schedule) => _schedules[schedule.Pkid] = schedule;

    internal bool RemoveSchedule(VossSchedule schedule) => _schedules.TryRemove(schedule.Pkid, out _);

    internal string NewPkid() => Environment.NextString(Hex, PkidLength);
}
