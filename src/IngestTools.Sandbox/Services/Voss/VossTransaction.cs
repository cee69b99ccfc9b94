namespace IngestTools.Sandbox.Services.Voss;

/// <summary>A line of a transaction's log.</summary>
/// <param name="Severity">"info" or "error".</param>
/// <param name="Time">When it was written.</param>
/// <param name="Message">What it says.</param>
public sealed record VossLogEntry(string Severity, DateTimeOffset Time, string Message);

/// <summary>A transaction: a load, one of its steps, or one of its rows.</summary>
public sealed class VossTransaction
{
    internal const string Queued = "Queued";
    internal const string Processing = "Processing";
    internal const string Success = "Success";
    internal const string Fail = "Fail";
    internal const string SuccessWithAsyncFailures = "Success With Async Failures";

    private readonly object _gate = new();
    private readonly List<VossTransaction> _children = [];
    private readonly List<VossLogEntry> _log = [];
    private volatile string _status = Queued;

    internal VossTransaction(
        string pkid,
        string action,
        string userName,
        VossHierarchyNode? hierarchy,
        VossTransaction? parent,
        DateTimeOffset submitted
    )
    {
        Pkid = pkid;
        Action = action;
        UserName = userName;
        Hierarchy = hierarchy;
        Parent = parent;
        SubmittedTime = submitted;
        if (parent is not null)
        {
            lock (parent._gate)
                parent._children.Add(this);
        }
    }

    /// <summary>A UUID.</summary>
    public string Pkid { get; }

    /// <summary>What is done: "Execute Bulk Load", "Execute Schedule", "Execute Resource", "Create User".</summary>
    public string Action { get; }

    /// <summary>Who asked for it.</summary>
    public string UserName { get; }

    /// <summary>Where.</summary>
    public VossHierarchyNode? Hierarchy { get; }

    /// <summary>The one it is a part of; null at the top.</summary>
    public VossTransaction? Parent { get; }

    /// <summary>On what.</summary>
    public string Detail { get; internal set; } = "";

    /// <summary>What there is to say about its end.</summary>
    public string Message { get; internal set; } = "";

    /// <summary>The row it loads; null for others.</summary>
    public VossRow? Row { get; internal init; }

    /// <summary>The file it loads, of a load at the top; null for others.</summary>
    public string? FileName { get; internal init; }

    /// <summary>Whether what it did was undone.</summary>
    public bool IsRolledBack { get; internal set; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset SubmittedTime { get; }

    /// <summary>When it began.</summary>
    public DateTimeOffset? StartedTime { get; private set; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? CompletedTime { get; private set; }

    /// <summary>The server's word for where it stands.</summary>
    public string Status => _status;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _status is not (Queued or Processing);

    /// <summary>Whether somebody asked for its end.</summary>
    public bool IsCancelRequested { get; internal set; }

    /// <summary>A copy of its parts, newest first, as the server lists them.</summary>
    public IReadOnlyList<VossTransaction> SubTransactions
    {
        get
        {
            lock (_gate)
            {
                VossTransaction[] newestFirst = [.. _children];
                Array.Reverse(newestFirst);
                return newestFirst;
            }
        }
    }

    /// <summary>A copy of its log.</summary>
    public IReadOnlyList<VossLogEntry> Log
    {
        get
        {
            lock (_gate)
                return _log.ToArray();
        }
    }

    /// <summary>Leaves the list of its parent's parts.</summary>
    internal void Detach()
    {
        if (Parent is null)
            return;
        lock (Parent._gate)
        {
            // One of the newest.
            int place = Parent._children.LastIndexOf(this);
            if (place >= 0)
                Parent._children.RemoveAt(place);
        }
    }

    internal void AddLog(string severity, DateTimeOffset time, string message)
    {
        lock (_gate)
            _log.Add(new VossLogEntry(severity, time, message));
    }

    internal void Begin(DateTimeOffset now)
    {
        StartedTime = now;
        _status = Processing;
    }

    internal void End(string status, DateTimeOffset now)
    {
        StartedTime ??= now;
        CompletedTime = now;
        _status = status;
    }
}
