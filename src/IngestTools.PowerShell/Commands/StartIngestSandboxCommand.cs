using System.Management.Automation;
using IngestTools.Connections;
using IngestTools.Journal;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
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
    private const string AccessKeyId = "AKIASANDBOX";
    private const string SecretAccessKey = "sandbox";

    private readonly IngestSession _session = IngestSession.Current;

    /// <summary>Where it listens; without it, on any port that is free.</summary>
    [Parameter]
    [ValidateRange(0, 65535)]
    public int Port { get; set; }

    /// <summary>How it misbehaves on purpose: about_IngestTools lists the faults.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(FaultCompleter))]
    public string[] Fault { get; set; } = [];

    /// <summary>A folder for its state, which then outlives it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? DataPath { get; set; }

    /// <summary>What else it does differently, each as NAME=VALUE: Tab completes the names.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(SandboxOptionCompleter))]
    public string[] Option { get; set; } = [];

    /// <summary>A folder for sample files. A file of another content is never replaced.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? Sample { get; set; }

    /// <summary>Makes connections to it, named after the services.</summary>
    [Parameter]
    public SwitchParameter Connect { get; set; }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (
            !ShouldProcess(
                Port == 0 ? "ingest-sandbox at a free port of 127.0.0.1" : $"ingest-sandbox at http://127.0.0.1:{Port}/",
                "Start"
            )
        )
            return;
        SandboxOptions? options = null;
        IngestSandbox? sandbox = null;
        try
        {
            options = new SandboxOptions(Port, FullPath(DataPath), FullPath(Sample), Fault, Option);
            Run(async token => sandbox = await SandboxProgram.StartAsync(options, token).ConfigureAwait(false));
        }
        catch (IngestException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }

        if (DataPath is null)
            ForgetEarlier(sandbox!, options!);
        _session.Sandboxes.Add(sandbox!);
        if (Connect)
            ConnectTo(sandbox!, options!);
        WriteObject(sandbox);
    }

    /// <summary>
    /// A sandbox that begins empty can get the address of an earlier one. What the journal knows of that one is not true of it.
    /// </summary>
    private void ForgetEarlier(IngestSandbox sandbox, SandboxOptions options)
    {
        if (!File.Exists(IngestJournal.DefaultPath))
            return;
        try
        {
            using IIngestJournal journal = IngestJournal.Open();
            foreach (
                string server in SettingsOf(sandbox.Uri, options)
                    .Select(settings => $"{settings.Uri!.AbsoluteUri.TrimEnd('/')}/")
                    .Distinct(StringComparer.Ordinal)
            )
                journal.Clear(new ClearQuery { Server = server });
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.JournalUnavailable)
        {
            // The first cmdlet that needs the journal says what is wrong with it.
            WriteVerbose(e.Message);
        }
    }

    private string? FullPath(string? path) => PathResolver.ResolveOptional(this, path);

    private void ConnectTo(IngestSandbox sandbox, SandboxOptions options)
    {
        IngestConnection[] connections =
        [
            .. SettingsOf(sandbox.Uri, options).Select(settings => IngestConnection.Open(settings with { NoProxy = true }, Log)),
        ];
        Array.ForEach(connections, _session.Connections.Add);
        sandbox.Connections = connections;
    }

    /// <summary>How to connect to each of the sandbox's services, as the users and secrets that its options set.</summary>
    private static ConnectionSettings[] SettingsOf(Uri uri, SandboxOptions options) =>
        [
            new()
            {
                Service = IngestService.DspIngest,
                Uri = uri,
                SignIn = SignInKind.Password,
                AuthenticationUri = uri,
                UserName = options.ValueOf("user") ?? UserName,
                Secret = SecretOf(options, "password", Password),
            },
            new()
            {
                Service = IngestService.Ica,
                Uri = new Uri(uri, "ica/rest"),
                SignIn = SignInKind.ApiKey,
                Secret = SecretOf(options, "ica:apiKey", Password),
            },
            new()
            {
                Service = IngestService.LakeFs,
                Uri = uri,
                SignIn = SignInKind.Password,
                UserName = AccessKeyId,
                Secret = SecretOf(options, "lakefs:secretAccessKey", SecretAccessKey),
            },
            new()
            {
                Service = IngestService.Voss,
                Uri = uri,
                SignIn = SignInKind.Password,
                UserName = options.ValueOf("voss:user") ?? VossUserName,
                Secret = SecretOf(options, "voss:password", Password),
            },
        ];

    /// <summary>Reads the secret where the option says it is: env:NAME.</summary>
    private static SecretReader SecretOf(SandboxOptions options, string name, string usual) =>
        options.ValueOf(name) is { } place ? SecretReference.Parse(place).CreateReader(vault: null) : _ => ValueTask.FromResult(usual);
}
