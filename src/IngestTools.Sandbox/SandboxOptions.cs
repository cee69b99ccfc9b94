using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.DspIngest;
using IngestTools.Sandbox.Services.Voss;

namespace IngestTools.Sandbox;

/// <summary>How a <see cref="SandboxServer"/> is started. What can change while it runs is on the server itself.</summary>
public sealed record SandboxOptions
{
    /// <summary>The TCP port on loopback; 0 takes any that is free.</summary>
    public int Port { get; init; }

    /// <summary>
    /// The folder that keeps the services' files and survives a restart; null keeps their hashes and lengths in memory, not their contents.
    /// </summary>
    public string? DataFolder { get; init; }

    /// <summary>
    /// The seed of everything random (faults, order of an ingest, names of derivatives), so that a run can be repeated;
    /// null for a new one each time.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>What goes wrong on purpose from the start.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>How many of the newest requests the log keeps.</summary>
    public int RequestLogLength { get; init; } = 10_000;

    /// <summary>DSP-INGEST and DSP-API's login. The same object stays in use, so a test can change it while the sandbox runs.</summary>
    public DspIngestOptions DspIngest { get; init; } = new();

    /// <summary>VOSS Automate. The same object stays in use, so a test can change it while the sandbox runs.</summary>
    public VossOptions Voss { get; init; } = new();

    /// <summary>The clock of tokens and delays.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Where Kestrel and the sandbox log; null for nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }
}
