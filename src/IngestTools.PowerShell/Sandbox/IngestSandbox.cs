using System.Diagnostics;
using IngestTools.Connections;

namespace IngestTools;

/// <summary>A sandbox that runs: the services imitated on this machine.</summary>
public sealed class IngestSandbox
{
    private readonly Process _process;

    internal IngestSandbox(Uri uri, Process process)
    {
        Uri = uri;
        _process = process;
        ProcessId = process.Id;
    }

    /// <summary>Where it listens.</summary>
    public Uri Uri { get; }

    /// <summary>Its process.</summary>
    public int ProcessId { get; }

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>The connections that were made to it.</summary>
    public IngestConnection[] Connections { get; internal set; } = [];

    /// <inheritdoc/>
    public override string ToString() => Uri.ToString();

    /// <summary>Ends its process, if that still runs.</summary>
    internal void Stop()
    {
        if (!_process.HasExited)
            _process.Kill();
    }
}
