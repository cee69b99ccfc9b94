namespace IngestTools.PowerShell.Connections;

/// <summary>The names that were seen last, each once. May be added to from any thread.</summary>
internal sealed class RecentNames
{
    /// <summary>More than fit on a screen of completions.</summary>
    private const int Limit = 64;

    private readonly LinkedList<string> _names = new();

    internal void Add(string? name)
    {
        if (string.IsNullOrEmpty(name))
            return;
        lock (_names)
        {
            if (string.Equals(_names.Last?.Value, name, StringComparison.OrdinalIgnoreCase))
                return;
            for (LinkedListNode<string>? node = _names.First; node is not null; node = node.Next)
            {
                if (!string.Equals(node.Value, name, StringComparison.OrdinalIgnoreCase))
                    continue;
                _names.Remove(node);
                break;
            }

            _names.AddLast(name);
            if (_names.Count > Limit)
                _names.RemoveFirst();
        }
    }

    /// <summary>The names, newest first.</summary>
    internal string[] ToArray()
    {
        lock (_names)
            return _names.Reverse().ToArray();
    }
}
