using System.Buffers;
using System.Security.Cryptography;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.DspIngest;

/// <summary>The routes of DSP-INGEST, and of DSP-API's login.</summary>
internal sealed class DspIngestService : ISandboxService
{
    /// <summary>The server takes a body in pieces of this size.</summary>
    private const int ChunkBytes = 64 * 1024;

    private static readonly byte[] Uploaded = "{\"status\":\"ok\"}"u8.ToArray();

    private readonly DspAuthorization _authorization;
    private readonly DspLogin _login;
    private readonly DspMonitoring _monitoring;
    private readonly DspControl _control;

    public DspIngestService(DspIngestState state)
    {
        State = state;
        _authorization = new DspAuthorization(state);
        _login = new DspLogin(state);
        _monitoring = new DspMonitoring(state);
        _control = new DspControl(state);
    }

    public DspIngestState State { get; }

    public string ControlName => "dsp";

    public Task? TryAnswer(HttpContext context, RequestTarget target) =>
        (context.Request.Method, target.Segments) switch
        {
            ("POST", ["projects", var code, "bulk-ingest", "ingest", var file]) => ForWriterAsync(
                context,
                code,
                p => UploadAsync(context, p, file)
            ),
            ("POST", ["projects", var code, "bulk-ingest"]) => ForWriterAsync(context, code, p => StartAsync(context, p)),
            ("POST", ["projects", var code, "bulk-ingest", "finalize"]) => ForWriterAsync(context, code, p => FinalizeAsync(context, p)),
            ("GET", ["projects", var code, "bulk-ingest", "mapping.csv"]) => ForWriterAsync(
                context,
                code,
                p => SendMappingAsync(context, p)
            ),
            ("GET", ["projects", var code, "assets", var id]) when State.Options.HasAssetsRoute => SendAssetAsync(context, code, id),
            (_, ["v2", "authentication"]) => _login.TryAnswer(context),
            ("GET", [var page]) => _monitoring.TryAnswer(context, page),
            _ => null,
        };

    public Task? TryControl(HttpContext context, RequestTarget target, string[] route) => _control.TryAnswer(context, target, route);

    public void Hold(RequestTarget target, TimeSpan time)
    {
        if (target.Segments is ["projects", var code, ..] && State.TryGetProject(code, out DspProject? project))
            _ = project.TryHoldAsync(time);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task ForWriterAsync(HttpContext context, string shortcode, Func<DspProject, Task> act)
    {
        if (await _authorization.AdmitAsync(context, shortcode, DspAccess.Write) is { } project)
            await act(project);
    }

    /// <summary>The name is looked at inside the lock: a bad one is 409 while an ingest runs.</summary>
    private async Task UploadAsync(HttpContext context, DspProject project, string file)
    {
        if (!await TryLockAsync(context, project))
            return;
        try
        {
            if (!UploadPath.TryParse(file, State.Options.Release, out string path, out string reason))
            {
                await BadPathVariable(context, "filename", file, reason);
                return;
            }
            // The server has no check of its own: its disk refuses, and that is a defect to it, whose answer says nothing.
            if (!UploadPath.FitsDisk(path))
            {
                await Answer.Empty(context, Status500InternalServerError);
                return;
            }

            await ReceiveAsync(context, project, path);
        }
        finally
        {
            project.Unlock();
        }
        await Answer.RawJson(context, Status200OK, Uploaded);
    }

    /// <summary>Whatever ends it, what had arrived by then stays in the import folder.</summary>
    private static async Task ReceiveAsync(HttpContext context, DspProject project, string path)
    {
        await using Stream file = project.OpenUpload(path);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        long length = 0;
        bool complete = false;
        try
        {
            int read;
            while ((read = await context.Request.Body.ReadAsync(chunk.AsMemory(0, ChunkBytes), context.RequestAborted)) > 0)
            {
                hash.AppendData(chunk, 0, read);
                await file.WriteAsync(chunk.AsMemory(0, read));
                length += read;
            }
            complete = true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
            project.EndUpload(new DspWaitingFile(path, length, new Sha256Digest(hash.GetCurrentHash()), complete));
        }
    }

    private static async Task StartAsync(HttpContext context, DspProject project)
    {
        if (!await HasImportFolder(context, project) || !await TryLockAsync(context, project))
            return;
        project.RunIngest();
        await Answer.Json(context, Status202Accepted, new { id = project.Shortcode });
    }

    private static async Task FinalizeAsync(HttpContext context, DspProject project)
    {
        if (!await HasImportFolder(context, project) || !await TryLockAsync(context, project))
            return;
        project.RunFinalize();
        await Answer.Json(context, Status200OK, new { id = project.Shortcode });
    }

    private static async Task SendMappingAsync(HttpContext context, DspProject project)
    {
        if (!await TryLockAsync(context, project))
            return;
        IReadOnlyList<DspAsset>? rows = project.Mapping;
        project.Unlock();

        if (rows is null)
        {
            await Answer.Json(context, Status404NotFound, new { id = project.Shortcode, type = "project" });
            return;
        }
        context.Response.ContentType = "text/csv";
        context.Response.Headers.ContentDisposition = "attachment; filename=mapping.csv";
        context.Response.ContentLength = MappingCsv.CountBytes(rows);
        await MappingCsv.WriteAsync(context.Response.BodyWriter, rows, context.RequestAborted);
    }

    private async Task SendAssetAsync(HttpContext context, string shortcode, string assetId)
    {
        if (await _authorization.AdmitAsync(context, shortcode, DspAccess.Read) is not { } project)
            return;
        if (project.FindAsset(assetId) is not { } asset)
        {
            await Answer.Json(context, Status404NotFound, new { id = assetId, type = "asset" });
            return;
        }
        await Answer.Json(context, Status200OK, DspAssetAnswer.From(asset, State.Options.CorruptsChecksum(asset.Original)));
    }

    /// <summary>Looked at before the lock: a project without uploads is 404 even while it is locked.</summary>
    private static async Task<bool> HasImportFolder(HttpContext context, DspProject project)
    {
        if (project.HasImportFolder)
            return true;
        await Answer.Json(context, Status404NotFound, new { id = project.Shortcode, type = "Import folder not found." });
        return false;
    }

    private static async Task<bool> TryLockAsync(HttpContext context, DspProject project)
    {
        if (await project.TryLockAsync(context.RequestAborted))
            return true;
        // The words are the same when another upload holds it.
        string reason = $"A bulk ingest is currently in progress for project {project.Shortcode}.";
        await Answer.Json(context, Status409Conflict, new { reason });
        return false;
    }

    /// <summary>The second quote after the variable's name is the server's own slip.</summary>
    private static Task BadPathVariable(HttpContext context, string variable, string value, string reason) =>
        Answer.Json(
            context,
            Status400BadRequest,
            new { errors = new[] { new { argument = $"Path variable: '{variable}''", reason = $"'{value}' is invalid: {reason}" } } }
        );
}
