using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using IngestTools.Sandbox.Http;
using Microsoft.AspNetCore.WebUtilities;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>The routes of VOSS Automate that a bulk load needs.</summary>
internal sealed class VossService : ISandboxService
{
    private const int MinutesOfADay = 24 * 60;

    private readonly VossState _state;
    private readonly VossFault _fault;
    private readonly VossSignIn _signIn;
    private readonly VossUpload _upload;
    private readonly VossLoads _loads;
    private readonly VossTransactionAnswer _answer;
    private readonly VossControl _control;

    public VossService(VossState state)
    {
        _state = state;
        _fault = new VossFault(state.Options);
        _signIn = new VossSignIn(state, _fault);
        _upload = new VossUpload(state, _fault);
        _loads = new VossLoads(state);
        _answer = new VossTransactionAnswer(state.Options);
        _control = new VossControl(state, _loads);
    }

    public string ControlName => "voss";

    private VossOptions Options => _state.Options;

    /// <summary>Addresses end with a slash; without it they are taken too.</summary>
    public Task? TryAnswer(HttpContext context, RequestTarget target)
    {
        string[] route = target.Segments is [.. var start, ""] ? start : target.Segments;
        return (context.Request.Method, route) switch
        {
            ("POST", ["noninteractivelogin"]) => _signIn.LogInAsync(context),
            (_, ["api", "uploadfiles" or "tool" or "data", ..]) => AnswerAsync(context, target, route),
            _ => null,
        };
    }

    public Task? TryControl(HttpContext context, RequestTarget target, string[] route) => _control.TryAnswer(context, target, route);

    public void Hold(RequestTarget target, TimeSpan time) { }

    public ValueTask DisposeAsync()
    {
        _loads.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AnswerAsync(HttpContext context, RequestTarget target, string[] route)
    {
        if (await _signIn.AdmitAsync(context) is not { } user)
            return;
        Query query = new(QueryHelpers.ParseQuery(target.Query));
        if (query["api_version"] is not null || context.Request.Headers.ContainsKey("X-Version"))
        {
            await _fault.SendAsync(context, Status400BadRequest, "The version of the API cannot be chosen.");
            return;
        }

        // Every call but the upload has to ask for JSON, and gets a page of the portal where it does not.
        bool isUpload = route is [_, "uploadfiles"];
        if (!isUpload && query["format"] != "json")
        {
            await Answer.Text(context, Status200OK, VossFault.Page("Automate"), "text/html; charset=utf-8");
            return;
        }

        await (Find(context, query, route, user) ?? _fault.SendAsync(context, Status404NotFound, "Not found."));
    }

    private Task? Find(HttpContext context, Query query, string[] route, VossUser user) =>
        (context.Request.Method, route) switch
        {
            ("POST", [_, "uploadfiles"]) => ForNodeAsync(
                context,
                query,
                user,
                Options.UploadNeedsHierarchy,
                _ => _upload.ReceiveAsync(context)
            ),
            ("POST", [_, "tool", "BulkLoad"]) => ForNodeAsync(
                context,
                query,
                user,
                isNeeded: true,
                node => LoadAsync(context, query, user, node!)
            ),
            ("GET", [_, "tool", "Transaction", "poll"]) when Options.PollForms.HasFlag(VossPollForms.Query) => ForNodeAsync(
                context,
                query,
                user,
                Options.PollNeedsHierarchy,
                _ => PollAsync(context, query)
            ),
            ("GET", [_, "tool", "Transaction", var pkid, "poll"]) when Options.PollForms.HasFlag(VossPollForms.Path) => ForTransactionAsync(
                context,
                pkid,
                t => SendPollAsync(context, [t])
            ),
            ("GET", [_, "tool", "Transaction"]) when Options.ListsTransactions => ForNodeAsync(
                context,
                query,
                user,
                isNeeded: true,
                _ => SendTransactionsAsync(context, query)
            ),
            ("GET", [_, "tool", "Transaction", var pkid]) => ForTransactionAsync(
                context,
                pkid,
                t => _answer.SendAsync(context, t, query.Number("skip") ?? 0, query.Number("limit"))
            ),
            (var method, [_, "tool", "Transaction", var pkid, "cancel"]) when Options.OffersCancel && method == Options.CancelMethod =>
                ForTransactionAsync(context, pkid, t => CancelAsync(context, t)),
            ("GET", [_, "data", "HierarchyNode"]) => ForNodeAsync(
                context,
                query,
                user,
                isNeeded: false,
                top => SendNodesAsync(context, query, user, top)
            ),
            ("GET", [_, "data", "Schedule"]) => ForNodeAsync(
                context,
                query,
                user,
                isNeeded: true,
                _ => SendListAsync(context, query, _state.Schedules, Describe)
            ),
            _ => null,
        };

    /// <summary>The node that the request names is there, and within the user's own.</summary>
    private async Task ForNodeAsync(HttpContext context, Query query, VossUser user, bool isNeeded, Func<VossHierarchyNode?, Task> act)
    {
        string? name = query["hierarchy"];
        VossHierarchyNode? node = name is null ? null : _state.FindHierarchy(name);
        if (name is null && isNeeded)
            await _fault.SendAsync(context, Status400BadRequest, "The hierarchy is missing.");
        else if (name is not null && node is null)
            await _fault.SendAsync(context, Status400BadRequest, $"The hierarchy {name} does not exist.");
        else if (node is not null && !node.IsWithin(user.Hierarchy))
            await _fault.SendAsync(context, Status403Forbidden, $"{user.Name} may not work at {node.Path}.");
        else
            await act(node);
    }

    private Task ForTransactionAsync(HttpContext context, string pkid, Func<VossTransaction, Task> act) =>
        _state.FindTransaction(pkid) is { } transaction
            ? act(transaction)
            : _fault.SendAsync(context, Status404NotFound, $"The transaction {pkid} does not exist.");

    private async Task LoadAsync(HttpContext context, Query query, VossUser user, VossHierarchyNode node)
    {
        LoadOrder? order = await ReadOrderAsync(context);
        if (query["method"] != "bulkload_spreadsheet" || order is not { BulkloadFile.Length: > 0, ExecuteImmediately: { } isImmediate })
        {
            await _fault.SendAsync(context, Status400BadRequest, "The bulk load is not complete.");
            return;
        }

        if (Options.RefusesUnknownFile && _state.FindFile(order.BulkloadFile) is null)
        {
            await _fault.SendAsync(context, Status400BadRequest, $"The file {order.BulkloadFile} does not exist.");
            return;
        }

        VossSchedule? schedule = isImmediate ? null : ScheduleOf(order, user, node);
        if (!isImmediate && schedule is null)
        {
            await _fault.SendAsync(context, Status400BadRequest, "The schedule needs execute_date, execute_time and execute_timezone.");
            return;
        }

        (VossTransaction transaction, Task end) = schedule is null
            ? _loads.Start(user, node, order.BulkloadFile)
            : _loads.Register(user, schedule);
        await SendStartedAsync(context, query, transaction, end);
    }

    /// <summary>Without nowait the answer comes when the transaction has ended.</summary>
    private static async Task SendStartedAsync(HttpContext context, Query query, VossTransaction transaction, Task end)
    {
        string href = VossTransactionAnswer.HrefOf(transaction).TrimEnd('/');
        if (query["nowait"] == "true")
        {
            await Answer.Json(
                context,
                Status200OK,
                new
                {
                    href,
                    success = true,
                    transaction_id = transaction.Pkid,
                }
            );
            return;
        }

        await end.WaitAsync(context.RequestAborted);
        await Answer.Json(
            context,
            Status200OK,
            new
            {
                pkid = transaction.Pkid,
                model_type = "tool/BulkLoad",
                meta = new { },
                success = transaction.Status != VossTransaction.Fail,
            }
        );
    }

    private VossSchedule? ScheduleOf(LoadOrder order, VossUser user, VossHierarchyNode node)
    {
        bool isComplete = DateTime.TryParseExact(
            $"{order.ExecuteDate} {order.ExecuteTime}",
            "yyyy-MM-dd HH:mm:ss",
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out DateTime wall
        );
        if (
            !isComplete
            || !int.TryParse(order.ExecuteTimezone, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int minutes)
            || Math.Abs(minutes) >= MinutesOfADay
        )
        {
            return null;
        }

        DateTimeOffset at = new(DateTime.SpecifyKind(wall.AddMinutes(-minutes), DateTimeKind.Utc));
        string made = _state.Environment.Clock.GetUtcNow().ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        return new VossSchedule(
            _state.NewPkid(),
            $"{order.BulkloadFile} -- {made} (UTC)",
            order.BulkloadFile!,
            node,
            user.Name,
            order.ExecuteDate!,
            order.ExecuteTime!,
            order.ExecuteTimezone!,
            at
        );
    }

    private static async Task<LoadOrder?> ReadOrderAsync(HttpContext context)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<LoadOrder>(context.Request.Body, Answer.JsonOptions, context.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Newest first, as the portal shows them; the filter on the detail is the one that is used.</summary>
    private Task SendTransactionsAsync(HttpContext context, Query query)
    {
        string? text = query["filter_field"] == "detail" && query["filter_condition"] == "contains" ? query["filter_text"] : null;
        return SendListAsync(
            context,
            query,
            _state.Transactions.Where(t => text is null || t.Detail.Contains(text, StringComparison.Ordinal)).Reverse().ToArray(),
            static t => new
            {
                data = new
                {
                    pkid = t.Pkid,
                    href = VossTransactionAnswer.HrefOf(t),
                    action = t.Action,
                    detail = t.Detail,
                    status = t.Status,
                    parent_pkid = t.Parent?.Pkid,
                },
            }
        );
    }

    private async Task PollAsync(HttpContext context, Query query)
    {
        string[] asked = query.All("transactions");
        string[] pkids = Options.PollIds == VossPollIds.Comma ? asked.SelectMany(static ids => ids.Split(',')).ToArray() : asked;
        bool isMore = pkids.Length > 1 || pkids.Any(static id => id.Contains(',', StringComparison.Ordinal));
        if (pkids.Length == 0 || (isMore && Options.PollIds == VossPollIds.OneElseRefused))
        {
            await _fault.SendAsync(context, Status400BadRequest, "The parameter transactions is one pkid.");
            return;
        }

        if (isMore && Options.PollIds is (VossPollIds.OneElseFailed or VossPollIds.OneElseForbidden))
        {
            bool isFailure = Options.PollIds == VossPollIds.OneElseFailed;
            await _fault.SendAsync(
                context,
                isFailure ? Status500InternalServerError : Status403Forbidden,
                "The transactions cannot be polled."
            );
            return;
        }

        if (pkids.Length > 1 && Options.PollIds == VossPollIds.OneElseEmpty)
            pkids = [];
        await SendPollAsync(context, pkids.Select(_state.FindTransaction).OfType<VossTransaction>());
    }

    /// <summary>A map by pkid; one that nobody knows is not in it.</summary>
    private Task SendPollAsync(HttpContext context, IEnumerable<VossTransaction> transactions) =>
        Answer.Json(context, Status200OK, transactions.DistinctBy(static t => t.Pkid).ToDictionary(static t => t.Pkid, _answer.Poll));

    private async Task CancelAsync(HttpContext context, VossTransaction transaction)
    {
        if (transaction.HasEnded || transaction.Parent is not null)
        {
            await _fault.SendAsync(context, Status409Conflict, "The transaction cannot be canceled.");
            return;
        }

        transaction.IsCancelRequested = true;
        _state.Environment.Changes.Pulse();
        await Answer.Json(context, Status200OK, new { success = true });
    }

    /// <summary>The nodes that the user sees, at and below one where it is named.</summary>
    private Task SendNodesAsync(HttpContext context, Query query, VossUser user, VossHierarchyNode? top) =>
        SendListAsync(
            context,
            query,
            _state.Hierarchies.Where(node => node.IsWithin(user.Hierarchy) && node.IsWithin(top?.Path ?? user.Hierarchy)).ToArray(),
            Describe
        );

    private object Describe(VossHierarchyNode node)
    {
        string href = $"/api/data/HierarchyNode/{node.Pkid}/";
        return Options.TransactionShape == VossTransactionShape.Flat
            ? new
            {
                node.Pkid,
                node.Name,
                hierarchy_path = node.Path,
                href,
            }
            : new
            {
                meta = new { href },
                data = new
                {
                    node.Pkid,
                    node.Name,
                    hierarchy_path = node.Path,
                },
            };
    }

    private static object Describe(VossSchedule schedule) =>
        new
        {
            schedule.Pkid,
            schedule.Name,
            active = true,
            schedule_type = "Single Execution",
            single_execute = new
            {
                single_date = schedule.ExecuteDate,
                single_time = schedule.ExecuteTime,
                timezone = schedule.ExecuteTimezone,
            },
            scheduled_resources = new[] { new { action = "execute", resource_type = "data/BulkLoad" } },
        };

    /// <summary>A page of a list; its total is 0 where nobody asked to count.</summary>
    private static Task SendListAsync<T>(HttpContext context, Query query, IReadOnlyCollection<T> all, Func<T, object> describe)
    {
        const int MostAPage = 2000;
        const int UsualPage = 50;
        int skip = query.Number("skip") ?? 0;
        int limit = Math.Min(query.Number("limit") ?? UsualPage, MostAPage);
        return Answer.Json(
            context,
            Status200OK,
            new
            {
                pagination = new
                {
                    skip,
                    limit,
                    total = query["count"] == "false" ? 0 : all.Count,
                },
                resources = all.Skip(skip).Take(limit).Select(describe),
            }
        );
    }

    /// <summary>The parameters of a request's address.</summary>
    private sealed class Query(Dictionary<string, Microsoft.Extensions.Primitives.StringValues> values)
    {
        public string? this[string name] => values.TryGetValue(name, out var value) ? value.ToString() : null;

        public string[] All(string name) => values.TryGetValue(name, out var value) ? value.OfType<string>().ToArray() : [];

        public int? Number(string name) =>
            int.TryParse(this[name], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
    }

    /// <summary>The body of a bulk load.</summary>
    private sealed record LoadOrder
    {
        [JsonPropertyName("bulkload_file")]
        public string? BulkloadFile { get; init; }

        [JsonPropertyName("execute_immediately")]
        public bool? ExecuteImmediately { get; init; }

        [JsonPropertyName("execute_date")]
        public string? ExecuteDate { get; init; }

        [JsonPropertyName("execute_time")]
        public string? ExecuteTime { get; init; }

        [JsonPropertyName("execute_timezone")]
        public string? ExecuteTimezone { get; init; }
    }
}
