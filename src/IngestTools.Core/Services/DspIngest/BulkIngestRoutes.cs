using System.Net;
using System.Text.Json.Serialization.Metadata;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>DSP-INGEST's routes, one method each; what is made of them is decided elsewhere.</summary>
internal sealed class BulkIngestRoutes(IngestConnection connection, ILogger logger)
{
    /// <summary>
    /// From this size on the server is asked before a body is sent, since it may refuse, or hold its lock, without reading it.
    /// </summary>
    private const long AskBeforeSending = 1024 * 1024;

    private static readonly Uri Health = new("health", UriKind.Relative);

    private static readonly Uri Info = new("info", UriKind.Relative);

    public IngestConnection Connection => connection;

    public ILogger Logger => logger;

    public TimeProvider Time => connection.Time;

    /// <summary>The door for what the server answers.</summary>
    public ServerText Door => connection.Http.Text;

    /// <summary>
    /// DSP-INGEST, POST /projects/{shortcode}/bulk-ingest/ingest/{file}: the file's name is one segment, so its slashes are escaped.
    /// </summary>
    public Task<object> UploadAsync(
        Shortcode shortcode,
        UploadItem item,
        Func<StallTimeout?, HttpContent> content,
        IRequestSlot slot,
        CancellationToken cancellationToken
    )
    {
        HttpOperation operation = new()
        {
            Name = "upload",
            Kind = OperationKind.Repeatable,
            Method = HttpMethod.Post,
            Uri = new Uri($"{connection.Uri.AbsoluteUri}projects/{shortcode}/bulk-ingest/ingest/{Uri.EscapeDataString(item.RemoteName)}"),
            Accept = "application/json",
            Content = content,
            Refine = Refine,
            Target = item.Path,
            Slot = slot,
            IsUpload = true,
            ExpectContinue = item.Length >= AskBeforeSending,
        };
        AnswerReader read = JsonBody.Reader(connection.Http, operation, DspIngestJson.Default.UploadAnswer, CheckStored);
        return connection.Http.SendAsync(operation, read, logger, cancellationToken);
    }

    /// <summary>DSP-INGEST, POST /projects/{shortcode}/bulk-ingest</summary>
    public Task<ProjectAnswer> StartAsync(Shortcode shortcode, CancellationToken cancellationToken) =>
        PostAsync("start bulk ingest", shortcode, "bulk-ingest", cancellationToken);

    /// <summary>DSP-INGEST, POST /projects/{shortcode}/bulk-ingest/finalize</summary>
    public Task<ProjectAnswer> FinalizeAsync(Shortcode shortcode, CancellationToken cancellationToken) =>
        PostAsync("finalize", shortcode, "bulk-ingest/finalize", cancellationToken);

    /// <summary>
    /// DSP-INGEST, GET /projects/{shortcode}/bulk-ingest/mapping.csv. The caller disposes the answer, whose body is still to be read.
    /// </summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Locked"/>, <see cref="ErrorId.NotFound"/> among others.</exception>
    public Task<HttpResponseMessage> GetMappingAsync(Shortcode shortcode, CancellationToken cancellationToken) =>
        connection.Http.SendAsync<HttpResponseMessage>(
            MappingOperation(shortcode),
            static (response, _) => ValueTask.FromResult<object>(response),
            logger,
            cancellationToken
        );

    /// <summary>Asks for the mapping and looks at the status alone: whether the project is free, and the token good.</summary>
    public async Task<ProjectState> ProbeAsync(Shortcode shortcode, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await GetMappingAsync(shortcode, cancellationToken).ConfigureAwait(false);
            return ProjectState.HasMapping;
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.Locked)
        {
            return ProjectState.Locked;
        }
        catch (IngestException e) when (IsNoMapping(e))
        {
            return ProjectState.NoMapping;
        }
    }

    /// <summary>
    /// DSP-INGEST, GET /projects/{shortcode}/assets/{assetId}; null where the server does not know the asset, or has no such route.
    /// </summary>
    public async Task<AssetAnswer?> TryGetAssetAsync(Shortcode shortcode, string assetId, CancellationToken cancellationToken)
    {
        Uri uri = new(connection.Uri, $"projects/{shortcode}/assets/{Uri.EscapeDataString(assetId)}");
        HttpOperation operation = Get("get asset", uri, target: assetId);
        try
        {
            return await SendAsync(operation, DspIngestJson.Default.AssetAnswer, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return null;
        }
    }

    /// <summary>SHA-256 of a derivative's original, lower-case hexadecimal; null where the server does not know it.</summary>
    public async Task<string?> TryGetChecksumAsync(Shortcode shortcode, string derivative, CancellationToken cancellationToken) =>
        (
            await TryGetAssetAsync(shortcode, Path.GetFileNameWithoutExtension(derivative), cancellationToken).ConfigureAwait(false)
        )?.ChecksumOriginal;

    /// <summary>DSP-INGEST, GET /health: "UP" or "DOWN".</summary>
    public async Task<string> GetHealthAsync(CancellationToken cancellationToken)
    {
        HttpOperation operation = Get(
            "health",
            new Uri(connection.Uri, Health),
            signsIn: false,
            static status => status == HttpStatusCode.ServiceUnavailable
        );
        HealthAnswer answer = await SendAsync(operation, DspIngestJson.Default.HealthAnswer, cancellationToken).ConfigureAwait(false);
        return ServerText.Shorten(answer.Status) ?? "nothing";
    }

    /// <summary>DSP-INGEST, GET /info; null where the service does not tell.</summary>
    public async Task<string?> TryGetVersionAsync(CancellationToken cancellationToken)
    {
        HttpOperation operation = Get("info", new Uri(connection.Uri, Info), signsIn: false);
        try
        {
            return (await SendAsync(operation, DspIngestJson.Default.InfoAnswer, cancellationToken).ConfigureAwait(false)).Version;
        }
        catch (IngestException e)
        {
            logger.LogDebug("The version could not be read: {Reason}", e.Message);
            return null;
        }
    }

    /// <summary>Whether an error says that the project has no mapping, and not that the address is wrong.</summary>
    public static bool IsNoMapping(IngestException error) => error.ErrorId == ErrorId.NotFound && error.ServerMessage is not null;

    /// <summary>A 200 that does not say so is no proof that the file was stored: it may be a proxy's page.</summary>
    private static string? CheckStored(UploadAnswer answer) =>
        answer.Status == "ok" ? null : $"the status '{ServerText.Shorten(answer.Status)}' instead of 'ok'";

    private Task<ProjectAnswer> PostAsync(string name, Shortcode shortcode, string route, CancellationToken cancellationToken)
    {
        HttpOperation operation = new()
        {
            Name = name,
            Kind = OperationKind.Once,
            Method = HttpMethod.Post,
            Uri = new Uri(connection.Uri, $"projects/{shortcode}/{route}"),
            Accept = "application/json",
            Refine = Refine,
            Target = shortcode.Value,
        };
        return SendAsync(operation, DspIngestJson.Default.ProjectAnswer, cancellationToken);
    }

    private Task<T> SendAsync<T>(HttpOperation operation, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => connection.Http.SendJsonAsync(operation, type, null, logger, cancellationToken);

    private HttpOperation MappingOperation(Shortcode shortcode) =>
        new()
        {
            Name = "get mapping",
            Kind = OperationKind.Safe,
            Method = HttpMethod.Get,
            Uri = new Uri(connection.Uri, $"projects/{shortcode}/bulk-ingest/mapping.csv"),
            Accept = "text/csv, application/json",
            Refine = Refine,
            Target = shortcode.Value,
        };

    private static HttpOperation Get(
        string name,
        Uri uri,
        bool signsIn = true,
        Func<HttpStatusCode, bool>? expects = null,
        object? target = null
    ) =>
        new()
        {
            Name = name,
            Kind = OperationKind.Safe,
            Method = HttpMethod.Get,
            Uri = uri,
            Accept = "application/json",
            SignsIn = signsIn,
            Expects = expects,
            Refine = Refine,
            Target = target,
        };

    /// <summary>What DSP-INGEST's answers mean beyond their status.</summary>
    private static IngestException Refine(IngestException error) =>
        error.ErrorId switch
        {
            // A good token without the right is answered with 401, not with 403.
            ErrorId.NotSignedIn when error.ServerMessage is "No project access." or "Admin permissions required." => error.With(
                ErrorId.NotAllowed,
                advice: "The token is good, and has no right to this project. A right that was given after signing in needs a new sign-in."
            ),
            // One lock a project serves every call: it says that somebody is at it, not that an ingest runs.
            ErrorId.Conflict => error.With(
                ErrorId.Locked,
                advice: "Another call holds the project's lock: an upload, a bulk ingest or a finalize. Wait for it, then try again."
            ),
            ErrorId.NotFound when error.ServerMessage is null => error.With(
                advice: "The server does not know this address. Check that -Uri is DSP-INGEST's own, such as "
                    + "https://ingest.example.org, and not DSP-API's."
            ),
            _ => error,
        };
}

/// <summary>What the status of a mapping tells about its project.</summary>
internal enum ProjectState
{
    /// <summary>Some call holds the project's lock.</summary>
    Locked,

    /// <summary>The project is free, and has a mapping.</summary>
    HasMapping,

    /// <summary>The project is free, and has no mapping: nothing was ingested since it was finalized, or ever.</summary>
    NoMapping,
}
