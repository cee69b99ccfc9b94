using System.Buffers.Binary;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>What came of an item.</summary>
public enum IcaOutcome : byte
{
    /// <summary>Nothing yet.</summary>
    None,

    /// <summary>It was linked.</summary>
    Linked,

    /// <summary>It was linked before.</summary>
    AlreadyLinked,

    /// <summary>A folder of which a part was linked.</summary>
    PartlyLinked,

    /// <summary>There is no such data.</summary>
    Missing,

    /// <summary>Its project does not share data.</summary>
    NotShared,

    /// <summary>It could not be linked.</summary>
    Failed,
}

/// <summary>
/// A linking batch and its job. How far it has come depends on the clock alone: nothing runs in between, and a test that moves the clock
/// moves the batch.
/// </summary>
public sealed class IcaBatch
{
    /// <summary>So many items wait for resources behind the one that runs.</summary>
    private const int WaitingItems = 8;

    private readonly IcaProject _project;
    private readonly TimeProvider _clock;
    private readonly IcaOutcome[] _outcomes;
    private readonly TimeSpan _queueTime;
    private readonly TimeSpan _timePerItem;
    private int _done;
    private int _failed;
    private readonly int? _stopsAfter;
    private DateTimeOffset? _stopped;

    internal IcaBatch(IcaProject project, string[] dataIds, IcaOptions options, TimeProvider clock)
    {
        _project = project;
        _clock = clock;
        _outcomes = new IcaOutcome[dataIds.Length];
        _queueTime = options.QueueTime;
        _timePerItem = options.TimePerItem;
        _stopsAfter = options.StopsAfter;
        DataIds = dataIds;
        Created = clock.GetUtcNow();
    }

    /// <summary>The batch's id.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>The id of its job.</summary>
    public Guid JobId { get; } = Guid.NewGuid();

    /// <summary>The project that data is linked to.</summary>
    public string ProjectId => _project.Id;

    /// <summary>The ids in the order they came in.</summary>
    public IReadOnlyList<string> DataIds { get; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>When its first item began; null before.</summary>
    public DateTimeOffset? Started => _clock.GetUtcNow() is var now && now >= Created + _queueTime ? Created + _queueTime : null;

    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? Finished =>
        _stopped ?? (_done == DataIds.Count && Started is { } started ? started + (_timePerItem * DataIds.Count) : null);

    /// <summary>Its job's status, in the server's word.</summary>
    public string JobStatus =>
        (Started, Finished) switch
        {
            _ when _stopped is not null => "STOPPED",
            (null, _) => _clock.GetUtcNow() < Created + (_queueTime / 2) ? "INITIALIZED" : "WAITING_FOR_RESOURCES",
            (_, null) => "RUNNING",
            _ when _failed == 0 => "SUCCEEDED",
            _ when _failed == DataIds.Count => "FAILED",
            _ => "PARTIALLY_SUCCEEDED",
        };

    /// <summary>Stops the job where it is now. The items that were not done stay as they are.</summary>
    public void Stop()
    {
        _project.Advance();
        if (Finished is null)
            _stopped = _clock.GetUtcNow();
    }

    /// <summary>The id of an item: that of the batch, with the item's index in place of the last four bytes.</summary>
    internal Guid ItemId(int index)
    {
        Span<byte> bytes = stackalloc byte[16];
        Id.TryWriteBytes(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], index);
        return new Guid(bytes);
    }

    /// <summary>The index of an item; null where it is not one of this batch.</summary>
    internal int? IndexOf(Guid itemId)
    {
        Span<byte> bytes = stackalloc byte[16];
        itemId.TryWriteBytes(bytes);
        int index = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        return index >= 0 && index < DataIds.Count && ItemId(index) == itemId ? index : null;
    }

    internal IcaOutcome Outcome(int index) => _outcomes[index];

    /// <summary>An item's status in the server's word: not spelled as those of jobs are.</summary>
    internal string Status(int index) =>
        _outcomes[index] switch
        {
            IcaOutcome.Linked => "LINKED",
            IcaOutcome.AlreadyLinked => "ALREADY_LINKED",
            IcaOutcome.PartlyLinked => "PARTIALLY_LINKED",
            not IcaOutcome.None => "FAILED",
            _ when Started is null || index > _done + WaitingItems => "INITIALISED",
            _ => index == _done ? "RUNNING" : "WAITING_RESOURCES",
        };

    /// <summary>Works off the items whose time has come.</summary>
    internal void Advance(Func<string, IcaOutcome> link)
    {
        if (_stopped is not null || Started is not { } started)
            return;
        long due = _timePerItem > TimeSpan.Zero ? (_clock.GetUtcNow() - started).Ticks / _timePerItem.Ticks : long.MaxValue;
        int until = (int)Math.Min(due, Math.Min(_stopsAfter ?? int.MaxValue, DataIds.Count));
        for (; _done < until; _done++)
        {
            IcaOutcome outcome = _outcomes[_done] = link(DataIds[_done]);
            _failed += outcome is IcaOutcome.Linked or IcaOutcome.AlreadyLinked ? 0 : 1;
        }
        if (_done == _stopsAfter && _done < DataIds.Count)
            _stopped = started + (_timePerItem * _done);
    }
}
