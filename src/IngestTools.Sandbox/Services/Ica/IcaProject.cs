using System.Buffers;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>A project that data is linked to.</summary>
public sealed class IcaProject
{
    private readonly object _lock = new();
    private readonly HashSet<string> _linked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _failedOnce = new(StringComparer.Ordinal);
    private readonly List<IcaBatch> _batches = [];
    private readonly IcaOptions _options;
    private readonly TimeProvider _clock;

    internal IcaProject(string id, IcaOptions options, TimeProvider clock)
    {
        Id = id;
        _options = options;
        _clock = clock;
    }

    /// <summary>The project's id.</summary>
    public string Id { get; }

    /// <summary>The project's name.</summary>
    public string Name => $"project-{Id.Split('-')[0]}";

    /// <summary>Its batches, oldest first, as they are now.</summary>
    public IReadOnlyList<IcaBatch> Batches
    {
        get
        {
            Advance();
            lock (_lock)
                return _batches.ToArray();
        }
    }

    /// <summary>Whether data is linked to it now.</summary>
    public bool IsLinked(string dataId)
    {
        Advance();
        lock (_lock)
            return _linked.Contains(dataId);
    }

    internal IcaBatch Add(string[] dataIds)
    {
        IcaBatch batch = new(this, dataIds, _options, _clock);
        lock (_lock)
            _batches.Add(batch);
        return batch;
    }

    /// <summary>Brings all batches to where the clock says they are.</summary>
    internal void Advance()
    {
        lock (_lock)
        {
            foreach (IcaBatch batch in _batches)
                batch.Advance(Link);
        }
    }

    internal bool IsEligible(string dataId) =>
        DataShape.IsDataId(dataId)
        && !_options.IsMissing(dataId)
        && !_options.IsNotShared(dataId)
        && !_options.LinkFails(dataId)
        && !FailsNext(dataId)
        && !IsLinked(dataId);

    private bool FailsNext(string dataId)
    {
        lock (_lock)
            return _options.LinkFailsOnce(dataId) && !_failedOnce.Contains(dataId);
    }

    private IcaOutcome Link(string dataId)
    {
        if (!DataShape.IsDataId(dataId) || _options.IsMissing(dataId))
            return IcaOutcome.Missing;
        if (_options.IsNotShared(dataId))
            return IcaOutcome.NotShared;
        if (_options.LinkFails(dataId) || (_options.LinkFailsOnce(dataId) && _failedOnce.Add(dataId)))
            return IcaOutcome.Failed;
        if (DataShape.IsFolder(dataId) && _options.LinksPartly(dataId))
            return IcaOutcome.PartlyLinked;
        return _linked.Add(dataId) ? IcaOutcome.Linked : IcaOutcome.AlreadyLinked;
    }
}

/// <summary>
/// How ids of data look: <c>fil.</c> or <c>fol.</c> and 32 hex digits. The sandbox has all data of that form, unless it is configured
/// otherwise.
/// </summary>
internal static class DataShape
{
    private const int Length = 36;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    public static bool IsDataId(string id) =>
        id.Length == Length
        && (id.StartsWith("fil.", StringComparison.Ordinal) || IsFolder(id))
        && id.AsSpan(4).IndexOfAnyExcept(HexDigits) < 0;

    public static bool IsFolder(string id) => id.StartsWith("fol.", StringComparison.Ordinal);
}
