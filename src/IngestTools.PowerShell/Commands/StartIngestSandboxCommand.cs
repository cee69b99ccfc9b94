using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Connections;
using IngestTools.PowerShell.Errors;
using IngestTools.PowerShell.Sandbox;

namespace IngestTools.PowerShell.Commands;

/// <summary>Start-IngestSandbox: imitates the services on this machine, to try things out.</summary>
[Cmdlet(VerbsLifecycle.Start, "IngestSandbox", SupportsShouldProcess = true)]
[OutputType(typeof(IngestSandbox))]
public sealed class StartIngestSandboxCommand : AsyncCmdlet
{
    // The user that every sandbox knows; there is nothing behind it to protect.
    private const string UserName = "root@example.com";
    private const string VossUserName = "hcsadmin@sys.hcs";
    private const string Password = "test";

    private readonly IngestSession _session = IngestSession.Current;

    /// <summary>Where it listens; without it, on any port that is free.</summary>
    [Parameter]
    [ValidateRange(0, 65535)]
    public int Port { get; set; }

    /// <summary>How it misbehaves on purpose: about_IngestTools lists the faults.</summary>
    [Parameter]
    public string[] Fault { get; set; } = [];

    /// <summary>A folder for its state, which then outlives it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DataPath { get; set; }

    /// <summary>Makes connections to it, named after the services.</summary>
    [Parameter]
    public SwitchParameter Connect { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (!ShouldProcess("ingest-sandbox", "Start"))
            return;
        SandboxOptions options = new(Port, DataPath is null ? null : GetUnresolvedProviderPathFromPSPath(DataPath), Fault);
        IngestSandbox? sandbox = null;
        try
        {
            Run(async token => sandbox = await SandboxProgram.StartAsync(options, token).ConfigureAwait(false));
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }

        _session.Sandboxes.Add(sandbox!);
        if (Connect)
            ConnectTo(sandbox!);
        WriteObject(sandbox);
    }

    private void ConnectTo(IngestSandbox sandbox)
    {
        IngestConnection[] connections = [.. SettingsOf(sandbox.Uri).Select(settings => IngestConnection.Open(settings with { NoProxy = true }, Log))];
        Array.ForEach(connections, _session.Connections.Add);
        sandbox.Connections = connections;
    }

    /// <summary>How to connect to each of the sandbox's services.</summary>
    private static ConnectionSettings[] SettingsOf(Uri uri) =>
    [
        new() { Service = IngestService.DspIngest, Uri = uri, SignIn = SignInKind.Password, UserName = UserName, Secret = ReadPassword, AuthenticationUri = uri },
        new() { Service = IngestService.Voss, Uri = uri, SignIn = SignInKind.Password, UserName = VossUserName, Secret = ReadPassword },
    ];

    private static ValueTask<string> ReadPassword(CancellationToken cancellationToken) => ValueTask.FromResult(Password);
}
