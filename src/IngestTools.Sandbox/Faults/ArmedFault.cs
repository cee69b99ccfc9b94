namespace IngestTools.Sandbox.Faults;

/// <summary>A fault with its count and its own seeded chance, so that the others do not change which requests it hits.</summary>
internal sealed class ArmedFault
{
    private readonly Random _random;
    private readonly Glob? _path;
    private int _left;

    public ArmedFault(Fault fault, int seed)
    {
        Fault = fault;
        _random = new Random(seed);
        _path = fault.Path is null ? null : Glob.ForPath(fault.Path);
        _left = fault.First ?? int.MaxValue;
    }

    public Fault Fault { get; }

    public bool Hits(string method, string path, bool hasBody)
    {
        if (Fault.Method is not null && Fault.Method != method)
            return false;
        if (!hasBody && Fault.Kind is (FaultKind.SlowBody or FaultKind.ResetInBody))
            return false;
        if (_path?.IsMatch(path) == false)
            return false;
        lock (_random)
        {
            if (_left == 0 || _random.NextDouble() >= Fault.Share)
                return false;
            _left--;
            return true;
        }
    }
}
