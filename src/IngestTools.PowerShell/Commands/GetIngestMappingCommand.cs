using System.Management.Automation;
using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.PowerShell.Abstractions;
using IngestTools.PowerShell.Completion;
using IngestTools.PowerShell.Errors;
using IngestTools.Services.DspIngest;

namespace IngestTools.PowerShell.Commands;

/// <summary>Get-IngestMapping: the rows of a project's mapping, or for each file that was uploaded whether it was ingested.</summary>
[Cmdlet(VerbsCommon.Get, "IngestMapping", DefaultParameterSetName = ProjectSet)]
[OutputType(typeof(IngestMapping))]
public sealed class GetIngestMappingCommand : IngestCmdlet
{
    private const string ProjectSet = "Project";
    private const string UploadedSet = "Uploaded";

    /// <summary>Rows with this name are shown with the column Verified: a table's columns do not depend on its rows.</summary>
    private const string VerifiedView = "IngestTools.IngestMapping#Verified";

    /// <summary>Enough to hide latency without flooding the server.</summary>
    private const int MostVerifiedAtOnce = 8;

    private readonly HashSet<(IngestConnection Connection, string Shortcode)> _seen = [];
    private OutputFile? _file;

    /// <summary>The projects. Together with uploads: the ones to look at, whatever else was uploaded.</summary>
    [Parameter(
        Mandatory = true,
        Position = 0,
        ValueFromPipeline = true,
        ValueFromPipelineByPropertyName = true,
        ParameterSetName = ProjectSet
    )]
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = UploadedSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ShortcodeCompleter))]
    [NameText]
    public string[]? Shortcode { get; set; }

    /// <summary>What was uploaded: each file is looked up in the mapping.</summary>
    [Parameter(Mandatory = true, ParameterSetName = UploadedSet)]
    [UploadResults]
    [AllowEmptyCollection]
    public UploadResult[] Uploaded { get; set; } = [];

    /// <summary>A file to write the mapping to, as it came. Without -Uploaded, nothing else is written.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [NameText]
    public string? OutFile { get; set; }

    /// <summary>Compares each file's SHA-256 with the server's.</summary>
    [Parameter]
    public SwitchParameter Verify { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (Verify && !MyInvocation.BoundParameters.ContainsKey(nameof(Uploaded)))
        {
            ThrowTerminatingError(
                IngestErrors
                    .Create(
                        ErrorId.Rejected,
                        "-Verify compares with the files that were uploaded, and none are given.",
                        "Give -Uploaded: the results of Send-IngestFile."
                    )
                    .ToErrorRecord()
            );
        }

        _file = OutputFile.Resolve(this, OutFile);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == ProjectSet)
            Array.ForEach(Shortcode!, WriteMapping);
        else
            CompareUploads();
    }

    private void WriteMapping(string shortcode)
    {
        if (ResolveConnection(IngestService.DspIngest, shortcode) is not { } connection || !IsNew(connection, shortcode))
            return;
        RunFor(
            shortcode,
            async token =>
            {
                DspIngestClient client = new(connection, Log);
                if (_file is not null)
                    await client.SaveMappingAsync(shortcode, _file.TakeFor(shortcode), token).ConfigureAwait(false);
                else
                    await PostRowsAsync(client, connection, shortcode, token).ConfigureAwait(false);
            }
        );
    }

    private void CompareUploads()
    {
        foreach (UploadResult stray in Uploaded.Where(u => u.Shortcode is null))
            WriteError(IngestErrors.NotOfProject(stray));
        foreach (
            var project in Uploaded.Where(IsAskedFor).GroupBy(u => (u.Connection, u.Server, Shortcode: u.Shortcode!.ToUpperInvariant()))
        )
            Compare(project.Key.Connection, project.Key.Server, project.Key.Shortcode, [.. project]);
    }

    private bool IsAskedFor(UploadResult upload) =>
        upload.Shortcode is not null && (Shortcode is null || Shortcode.Contains(upload.Shortcode, StringComparer.OrdinalIgnoreCase));

    private void Compare(string? connectionName, string? server, string shortcode, UploadResult[] uploads)
    {
        if (
            ResolveConnection(IngestService.DspIngest, shortcode, connectionName, server) is not { } connection
            || !IsNew(connection, shortcode)
        )
            return;
        RunFor(
            shortcode,
            async token =>
            {
                DspIngestClient client = new(connection, Log);
                if (_file is not null)
                    await client.SaveMappingAsync(shortcode, _file.TakeFor(shortcode), token).ConfigureAwait(false);
                IAsyncEnumerable<IngestMapping> rows = client.CompareAsync(shortcode, uploads, token);
                if (Verify)
                    await PostAllAsync(ViewVerifiedAsync(client, rows, uploads, token), token).ConfigureAwait(false);
                else
                    await PostAllAsync(rows, token).ConfigureAwait(false);
            }
        );
    }

    /// <summary>A project is looked at once, however many of its transactions come down the pipeline.</summary>
    private bool IsNew(IngestConnection connection, string shortcode)
    {
        Session.Shortcodes.Add(shortcode);
        return _seen.Add((connection, shortcode.ToUpperInvariant()));
    }

    private async Task PostRowsAsync(
        DspIngestClient client,
        IngestConnection connection,
        string shortcode,
        CancellationToken cancellationToken
    )
    {
        string project = shortcode.ToUpperInvariant();
        string name = connection.Name;
        string server = connection.Server;
        await foreach (IReadOnlyList<MappingRow> rows in client.ReadMappingPartsAsync(shortcode, cancellationToken).ConfigureAwait(false))
        {
            object[] outputs = new object[rows.Count];
            for (int i = 0; i < outputs.Length; i++)
                outputs[i] = new IngestMapping
                {
                    Shortcode = project,
                    Original = rows[i].Original,
                    Derivative = rows[i].Derivative,
                    Ingested = true,
                    Connection = name,
                    Server = server,
                };
            await PostManyAsync(outputs, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The rows under the name of their view, which has the column Verified.</summary>
    private async IAsyncEnumerable<PSObject> ViewVerifiedAsync(
        DspIngestClient client,
        IAsyncEnumerable<IngestMapping> rows,
        UploadResult[] uploads,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (IngestMapping row in VerifyAsync(client, rows, uploads, cancellationToken).ConfigureAwait(false))
        {
            PSObject shown = new(row);
            shown.TypeNames.Insert(0, VerifiedView);
            yield return shown;
        }
    }

    /// <summary>Asks for several rows at once, and gives them in their order.</summary>
    private async IAsyncEnumerable<IngestMapping> VerifyAsync(
        DspIngestClient client,
        IAsyncEnumerable<IngestMapping> rows,
        UploadResult[] uploads,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        Dictionary<string, string> digests = [];
        foreach (UploadResult upload in uploads)
        {
            if (upload.Sha256 is not null)
                digests[upload.Path] = upload.Sha256;
        }

        Queue<Task<IngestMapping>> asked = new();
        await foreach (IngestMapping row in rows.ConfigureAwait(false))
        {
            if (asked.Count == MostVerifiedAtOnce)
                yield return await asked.Dequeue().ConfigureAwait(false);
            asked.Enqueue(VerifyAsync(client, row, row.Path is null ? null : digests.GetValueOrDefault(row.Path), cancellationToken));
        }

        while (asked.TryDequeue(out Task<IngestMapping>? next))
            yield return await next.ConfigureAwait(false);
    }

    /// <summary>A row that cannot be verified is written as it is, and why not as an error.</summary>
    private async Task<IngestMapping> VerifyAsync(
        DspIngestClient client,
        IngestMapping row,
        string? localSha256,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await client.VerifyAsync(row, localSha256, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            await PostErrorAsync(e.ToErrorRecord(row.Original), cancellationToken).ConfigureAwait(false);
            return row;
        }
    }
}
