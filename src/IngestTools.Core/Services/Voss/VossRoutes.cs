using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.Voss;

/// <summary>VOSS Automate's routes, one method each; what is made of them is decided elsewhere.</summary>
internal sealed partial class VossRoutes(IngestConnection connection, ILogger logger)
{
    private const string Json = "application/json";

    /// <summary>The answer to an upload comes when the server has the file; from this size on it is asked before a body is sent.</summary>
    private const long AskBeforeSending = 1024 * 1024;

    /// <summary>A list is read in pages of this size.</summary>
    private const int PageSize = 500;

    /// <summary>A page to sign in on is known by what is in its beginning.</summary>
    private const int MaxPageStart = 32 * 1024;

    public IngestConnection Connection => connection;

    public ILogger Logger => logger;

    public TimeProvider Time => connection.Time;

    /// <summary>The door for what the server answers.</summary>
    public ServerText Door => connection.Http.Text;

    /// <summary>VOSS Automate, POST /api/uploadfiles/. Returns an <see cref="UploadAnswer"/> with the name of the file.</summary>
    public Task<object> UploadAsync(
        Hierarchy hierarchy,
        UploadItem item,
        Func<StallTimeout?, HttpContent> content,
        IRequestSlot slot,
        CancellationToken cancellationToken
    )
    {
        HttpOperation operation = new()
        {
            Name = "upload",
            // A file of the same name takes the place of the one before.
            Kind = OperationKind.Repeatable,
            Method = HttpMethod.Post,
            Uri = UriOf($"api/uploadfiles/?hierarchy={hierarchy.Escaped}"),
            Accept = Json,
            Content = stallTimeout => FormOf(item.RemoteName, content(stallTimeout)),
            Refine = error => Refine(error, hierarchy),
            Target = item.Path,
            Slot = slot,
            IsUpload = true,
            ExpectContinue = item.Length >= AskBeforeSending,
        };
        return connection.Http.SendAsync(
            operation,
            JsonReader(operation, VossJson.Default.UploadAnswer, WhatIsMissing),
            logger,
            cancellationToken
        );

        static string? WhatIsMissing(UploadAnswer answer) =>
            answer.Uploadedfiles is [{ Name.Length: > 0 }, ..] ? null : "no name of the uploaded file";
    }

    /// <summary>The name by which a load finds an uploaded file. The server may have changed it.</summary>
    public static string NameOf(UploadAnswer answer) => answer.Uploadedfiles![0].Name!;

    /// <summary>VOSS Automate, POST /api/tool/BulkLoad/: the pkid of the transaction.</summary>
    public async Task<string> StartAsync(Hierarchy hierarchy, LoadRequest request, CancellationToken cancellationToken)
    {
        HttpOperation operation = new()
        {
            Name = request.ExecuteImmediately ? "start bulk load" : "schedule bulk load",
            Kind = OperationKind.Once,
            Method = HttpMethod.Post,
            Uri = UriOf($"api/tool/BulkLoad/?hierarchy={hierarchy.Escaped}&method=bulkload_spreadsheet&nowait=true&format=json"),
            Accept = Json,
            Content = _ => JsonBody.Of(request, VossJson.Default.LoadRequest),
            Refine = error => Refine(error, hierarchy),
            Target = request.BulkloadFile,
        };
        StartedAnswer answer = await SendAsync(operation, VossJson.Default.StartedAnswer, WhatIsMissing, cancellationToken)
            .ConfigureAwait(false);
        return answer.Pkid!;

        string? WhatIsMissing(StartedAnswer answer) =>
            answer switch
            {
                { IsRefusal: true } => throw Refused(operation, answer),
                { Pkid: null } => "no transaction",
                _ => null,
            };
    }

    /// <summary>VOSS Automate, GET /api/tool/Transaction/[pkid]/, all pages of its parts.</summary>
    public async Task<TransactionAnswer> ReadTransactionAsync(string pkid, TransactionContent content, CancellationToken cancellationToken)
    {
        TransactionAnswer answer = await ReadPageAsync(pkid, 0, content, cancellationToken).ConfigureAwait(false);
        TransactionAnswer page = answer;
        for (long read = page.PartsRead; HasMore(page, read); read += page.PartsRead)
        {
            TransactionAnswer next = await ReadPageAsync(pkid, read, content, cancellationToken).ConfigureAwait(false);
            if (next.PartsRead > 0 && next.FirstPart is not null && next.FirstPart == page.FirstPart)
            {
                // The server does not skip, and would return the same page again and again.
                content.ForgetPage();
                break;
            }

            page = next;
        }

        return answer;
    }

    /// <summary>A server that did not count says that there are none in all: then a page that is full is followed by another.</summary>
    private static bool HasMore(TransactionAnswer page, long read) =>
        page.PartsRead > 0 && (page.PartsTotal is > 0 ? read < page.PartsTotal : page.PartsRead >= page.PartsLimit);

    /// <summary>The same, without its parts and its log.</summary>
    public Task<TransactionAnswer> ReadTransactionAsync(string pkid, CancellationToken cancellationToken) =>
        ReadPageAsync(pkid, 0, TransactionContent.Nothing, cancellationToken);

    /// <summary>
    /// VOSS Automate, GET /api/tool/Transaction/poll/?transactions=: a map by pkid. What separates several is not documented, so the caller
    /// gives the text.
    /// </summary>
    /// <param name="transactions">The query.</param>
    /// <param name="target">What it is about, for the error.</param>
    /// <param name="isTrial">Whether the server may not take this form, so that an answer which makes no sense is not asked for
    /// again.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public Task<Dictionary<string, PollEntry>> PollAsync(
        string transactions,
        object? target,
        bool isTrial,
        CancellationToken cancellationToken
    ) => PollAtAsync($"api/tool/Transaction/poll/?{transactions}&format=json", target, isTrial, cancellationToken);

    /// <summary>VOSS Automate, GET /api/tool/Transaction/[pkid]/poll/: the same map, for one.</summary>
    public Task<Dictionary<string, PollEntry>> PollOneAsync(string pkid, CancellationToken cancellationToken) =>
        PollAtAsync($"api/tool/Transaction/{Uri.EscapeDataString(pkid)}/poll/?format=json", pkid, isTrial: false, cancellationToken);

    /// <summary>
    /// VOSS Automate, GET /api/tool/Transaction/, as its lists are: the pkids of loads at the top whose detail has a text, newest first.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindLoadsAsync(Hierarchy hierarchy, string detail, CancellationToken cancellationToken)
    {
        string filter = $"filter_field=detail&filter_condition=contains&filter_text={Uri.EscapeDataString(detail)}";
        HttpOperation operation = Get(
            "list transactions",
            UriOf(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"api/tool/Transaction/?hierarchy={hierarchy.Escaped}&skip=0&limit={PageSize}&{filter}&format=json"
                )
            ),
            error => Refine(error, hierarchy),
            detail
        );
        ListAnswer page = await SendAsync(operation, VossJson.Default.ListAnswer, null, cancellationToken).ConfigureAwait(false);
        // A server that does not know the filter answers with all, so each is looked at here too.
        return (page.Resources ?? [])
            .Select(BodyOf)
            .Where(IsLoad)
            .Select(load => Text(load, "pkid") ?? Pkids.OfHref(Text(load, "href")))
            .OfType<string>()
            .ToArray();

        bool IsLoad(JsonElement transaction) =>
            Text(transaction, "detail")?.Contains(detail, StringComparison.Ordinal) == true
            && Text(transaction, "action")?.Contains("Bulk Load", StringComparison.OrdinalIgnoreCase) == true
            && string.IsNullOrEmpty(Text(transaction, "parent_pkid"));
    }

    /// <summary>Does what a transaction offers.</summary>
    /// <exception cref="IngestException">
    /// <see cref="ErrorId.CannotCancel"/>: it is not to be asked for over HTTP, or on another server, which is not to see the credentials.
    /// </exception>
    public async Task ActAsync(string pkid, string name, TransactionAction action, CancellationToken cancellationToken)
    {
        string method = action.Method.ToUpperInvariant();
        bool isOurs =
            Uri.TryCreate(connection.Uri, action.Href, out Uri? uri)
            && uri.Authority == connection.Uri.Authority
            && uri.Scheme == connection.Uri.Scheme;
        if (!isOurs || method is not ("GET" or "POST" or "PUT" or "PATCH" or "DELETE"))
        {
            string offer = Redaction.EscapeControls($"{action.Method} {action.Href}");
            throw new IngestException(
                ErrorId.CannotCancel,
                $"VOSS offers to {name} {pkid} by '{offer}', which is not a request to this server."
            )
            {
                Service = IngestService.Voss,
                Operation = name,
                Advice = "Do it in VOSS's portal.",
                Target = pkid,
            };
        }

        HttpOperation operation = new()
        {
            Name = name,
            Kind = OperationKind.Repeatable,
            Method = new HttpMethod(method),
            Uri = uri!.Query.Contains("format=", StringComparison.Ordinal)
                ? uri
                : new Uri($"{uri.AbsoluteUri}{(uri.Query.Length == 0 ? '?' : '&')}format=json"),
            Accept = Json,
            Refine = error => RefineTransaction(error, pkid),
            Target = pkid,
        };
        await connection.Http.SendAsync(operation, ReadAsync, logger, cancellationToken).ConfigureAwait(false);

        async ValueTask<object> ReadAsync(HttpResponseMessage response, CancellationToken token)
        {
            await RefusePageAsync(operation, response, token).ConfigureAwait(false);
            ReadOnlyMemory<byte> body = await AnswerBody.ReadAsync(response, token).ConfigureAwait(false);
            return AnswerOf(operation, body, AnswerBody.CharsetOf(response)) is { IsRefusal: true } refusal
                ? throw Refused(operation, refusal)
                : Missing.Value;
        }
    }

    /// <summary>What an answer says that may be empty, or anything; null where it says nothing that is known.</summary>
    private StartedAnswer? AnswerOf(HttpOperation operation, ReadOnlyMemory<byte> body, string? charset)
    {
        try
        {
            return JsonSerializer.Deserialize(
                JsonText.Rewrite(body, charset, operation.CleanerOf(Door)).Span,
                VossJson.Default.StartedAnswer
            );
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// A status of success with an answer that reports a failure. Where it names a transaction, something was started.
    /// </summary>
    private IngestException Refused(HttpOperation operation, StartedAnswer answer)
    {
        string? said = Door.Words(answer.Message) ?? Door.Words(answer.Error);
        string named = answer.Pkid is { } pkid ? $" It names transaction {Door.Word(pkid)}." : "";
        return new IngestException(
            ErrorId.Rejected,
            $"VOSS answered '{operation.Name}' with success false: {said?.TrimEnd('.') ?? "it gives no reason"}.{named}"
        )
        {
            Service = IngestService.Voss,
            Operation = operation.Name,
            ServerMessage = said,
            Advice = "Look at the server's reason, and at its transaction log.",
            Target = operation.Target,
            MayHaveActed = answer.Pkid is not null,
        };
    }

    /// <summary>
    /// VOSS Automate, GET /api/data/HierarchyNode/: the first page, and what it says of all. It looks at the sign-in, and at the right to
    /// the node.
    /// </summary>
    public async Task ProbeAsync(Hierarchy? hierarchy, CancellationToken cancellationToken) =>
        await ListAsync("HierarchyNode", hierarchy, skip: 0, limit: 1, cancellationToken).ConfigureAwait(false);

    /// <summary>VOSS Automate, GET /api/data/HierarchyNode/: the paths of all nodes that the user sees.</summary>
    public async Task<IReadOnlyList<string>> ListHierarchiesAsync(CancellationToken cancellationToken)
    {
        List<string> paths = [];
        for (int skip = 0; ; skip += PageSize)
        {
            ListAnswer page = await ListAsync("HierarchyNode", null, skip, PageSize, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<JsonElement> nodes = page.Resources ?? [];
            paths.AddRange(nodes.Select(PathOf).OfType<string>());
            // A server that was not asked to count says 0, so a page that is not full is what ends the list.
            if (nodes.Count < PageSize)
                return paths;
        }
    }

    /// <summary>Whether an answer is a page for a person, in place of JSON.</summary>
    private static bool IsWebPage(HttpResponseMessage response) =>
        response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml";

    /// <summary>An entry of a list is flat, or lies in its "data".</summary>
    private static JsonElement BodyOf(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("data", out JsonElement data) ? data : entry;

    private static string? PathOf(JsonElement node) =>
        Text(node, "hierarchy_path")
        ?? (
            node.ValueKind == JsonValueKind.Object && node.TryGetProperty("data", out JsonElement data)
                ? Text(data, "hierarchy_path")
                : null
        );

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private Task<ListAnswer> ListAsync(string model, Hierarchy? hierarchy, int skip, int limit, CancellationToken cancellationToken)
    {
        string at = hierarchy is { } node ? $"hierarchy={node.Escaped}&" : "";
        HttpOperation operation = Get(
            $"list {model}",
            UriOf(string.Create(CultureInfo.InvariantCulture, $"api/data/{model}/?{at}skip={skip}&limit={limit}&format=json")),
            error => Refine(error, hierarchy),
            hierarchy?.Value
        );
        return SendAsync(operation, VossJson.Default.ListAnswer, null, cancellationToken);
    }

    private Task<Dictionary<string, PollEntry>> PollAtAsync(string path, object? target, bool isTrial, CancellationToken cancellationToken)
    {
        HttpOperation operation = Get(
            "poll transactions",
            UriOf(path),
            static error => error,
            target,
            isTrial ? static error => error is ErrorId.ServerError or ErrorId.InvalidAnswer : null
        );
        return SendAsync(operation, VossJson.Default.DictionaryStringPollEntry, null, cancellationToken);
    }

    private Task<TransactionAnswer> ReadPageAsync(string pkid, long skip, TransactionContent content, CancellationToken cancellationToken)
    {
        content.BeginPage();
        string page = skip == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"&skip={skip}");
        HttpOperation operation = Get(
            "get transaction",
            UriOf($"api/tool/Transaction/{Uri.EscapeDataString(pkid)}/?format=json{page}"),
            error => RefineTransaction(error, pkid),
            pkid
        );
        return connection.Http.SendAsync<TransactionAnswer>(operation, ReadAsync, logger, cancellationToken);

        async ValueTask<object> ReadAsync(HttpResponseMessage response, CancellationToken token)
        {
            await RefusePageAsync(operation, response, token).ConfigureAwait(false);
            Stream body = await response.Content.ReadAsStreamAsync(token).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                try
                {
                    content.BeginAttempt();
                    return await new TransactionReader(content, Door).ReadAsync(body, token).ConfigureAwait(false);
                }
                catch (JsonException e)
                {
                    throw connection.Http.Unreadable(operation, "something that is not its JSON", response.StatusCode, cause: e);
                }
            }
        }
    }

    private Task<T> SendAsync<T>(
        HttpOperation operation,
        JsonTypeInfo<T> type,
        Func<T, string?>? whatIsWrong,
        CancellationToken cancellationToken
    )
        where T : class => connection.Http.SendAsync<T>(operation, JsonReader(operation, type, whatIsWrong), logger, cancellationToken);

    private AnswerReader JsonReader<T>(HttpOperation operation, JsonTypeInfo<T> type, Func<T, string?>? whatIsWrong)
        where T : class
    {
        AnswerReader read = JsonBody.Reader(connection.Http, operation, type, whatIsWrong);
        return async (response, cancellationToken) =>
        {
            await RefusePageAsync(operation, response, cancellationToken).ConfigureAwait(false);
            return await read(response, cancellationToken).ConfigureAwait(false);
        };
    }

    /// <summary>The page to sign in on comes in place of what was asked for, and says that nothing was done.</summary>
    private async ValueTask RefusePageAsync(HttpOperation operation, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!IsWebPage(response))
            return;
        byte[] start = new byte[MaxPageStart];
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            string page = Encoding.UTF8.GetString(
                start,
                0,
                await body.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)
            );
            if (!SignInPage().IsMatch(page))
                throw connection.Http.Unreadable(operation, "a web page", response.StatusCode, page);
            throw new IngestException(ErrorId.NotSignedIn, $"VOSS answered '{operation.Name}' with its page to sign in on.")
            {
                Service = IngestService.Voss,
                Operation = operation.Name,
                StatusCode = response.StatusCode,
                Advice = "Check the credentials. If the server takes no HTTP Basic, connect with -AuthenticationUri for a session.",
                Target = operation.Target,
            };
        }
    }

    /// <summary>A form with the one part that the server looks for. Its length is known, and the file goes through as it is read.</summary>
    /// <remarks>The file's name goes as browsers send it: in UTF-8, with what would end it percent-escaped.</remarks>
    private static MultipartContent FormOf(string fileName, HttpContent file)
    {
        string escaped = fileName
            .Replace("\"", "%22", StringComparison.Ordinal)
            .Replace("\r", "%0D", StringComparison.Ordinal)
            .Replace("\n", "%0A", StringComparison.Ordinal);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        file.Headers.ContentLength = null;
        file.Headers.TryAddWithoutValidation("Content-Disposition", $"form-data; name=\"uploadedfile\"; filename=\"{escaped}\"");
        MultipartContent form = new("form-data") { HeaderEncodingSelector = static (_, _) => Encoding.UTF8 };
        form.Add(file);
        return form;
    }

    private static HttpOperation Get(
        string name,
        Uri uri,
        Func<IngestException, IngestException> refine,
        object? target,
        Func<ErrorId, bool>? isFinal = null
    ) =>
        new()
        {
            Name = name,
            Kind = OperationKind.Safe,
            Method = HttpMethod.Get,
            Uri = uri,
            Accept = Json,
            Refine = refine,
            IsFinal = isFinal,
            Target = target,
        };

    private Uri UriOf(string path) => new(connection.Uri.AbsoluteUri + path);

    private static IngestException Refine(IngestException error, Hierarchy? hierarchy) =>
        error.ErrorId switch
        {
            ErrorId.NotAllowed => error.With(
                advice: $"The credentials are good, and not enough{(hierarchy is { } node ? $" at {node}" : "")}. Ask for the right "
                    + $"in the access profile, or work at your own hierarchy."
            ),
            ErrorId.Rejected or ErrorId.NotFound => error.With(
                advice: "Check the hierarchy and the file's name: Test-IngestService -Hierarchy looks at the first; a file has to be "
                    + "sent with Send-IngestFile before it is loaded."
            ),
            _ => error,
        };

    private static IngestException RefineTransaction(IngestException error, string pkid) =>
        error.ErrorId switch
        {
            ErrorId.NotFound => error.With(
                message: $"VOSS knows no transaction {pkid}: {error.ServerMessage ?? "404"}",
                advice: "Check the id. The server's log is tidied up from time to time, and an old transaction is then gone."
            ),
            ErrorId.Rejected => error,
            _ => error,
        };

    [GeneratedRegex(
        @"type=[""']?password|<title>[^<]*\b(sign|log)[ -]?in\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex SignInPage();

    /// <summary>The answer to what has none that matters.</summary>
    private sealed class Missing
    {
        public static readonly Missing Value = new();
    }
}
