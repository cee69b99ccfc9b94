using System.Net;
using System.Net.Sockets;
using System.Text;
using IngestTools.Connections;
using IngestTools.Scheduling;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Forms of answers that the documentation leaves room for, each from a server that knows only these.</summary>
public sealed class VossFormsTests
{
    private const string Load = "/api/tool/Transaction/load/";
    private const string Step = "/api/tool/Transaction/step/";

    [Fact]
    public async Task Row_that_begins_like_a_step_is_a_row_and_a_failed_step_without_rows_is_told()
    {
        using ScriptedServer server = new();
        server.Answers[Load] = Parts(Part("step", "Execute Resource", "Fail"), Part("other", "Execute Schedule", "Fail"));
        server.Answers[Step] = Parts(Part("r2", "Execute QuickAddSubscriber", "Success"), Part("r1", "Execute QuickAddSubscriber", "Fail"));
        server.Answers["/api/tool/Transaction/other/"] = """{"message": "The node is locked."}""";
        server.Answers["/api/tool/Transaction/r1/"] = """{"message": "The phone is not valid."}""";

        Transaction seen = await server.LookAsync();
        List<FailedItem> failed = await server.ReadFailedAsync();

        Assert.Equal(["The node is locked", "The phone is not valid"], failed.Select(f => f.Reason));
        Assert.Equal((1L, 3), (seen.Completed, seen.SubTransactions!.Count));
        Assert.DoesNotContain("/api/tool/Transaction/r2/", server.Asked);
    }

    [Fact]
    public async Task Row_whose_reason_cannot_be_read_hides_no_other()
    {
        using ScriptedServer server = new();
        server.Answers[Load] = Parts(Part("step", "Execute Resource", "Fail"));
        server.Answers[Step] = Parts(Part("r2", "Create User", "Fail"), Part("r1", "Create User", "Fail"));
        server.Statuses["/api/tool/Transaction/r1/"] = 403;
        server.Answers["/api/tool/Transaction/r2/"] = """{"message": "The email is not valid."}""";

        List<FailedItem> failed = await server.ReadFailedAsync();

        Assert.StartsWith("its reason could not be read: ", failed[0].Reason, StringComparison.Ordinal);
        Assert.Equal("The email is not valid", failed[1].Reason);
    }

    [Theory]
    [InlineData("""{"a": null, "b": null, "stranger": {"status": "Success"}}""")]
    [InlineData("""{"a": {"status": "Processing", "description": {"text": "x"}}, "b": {"status": "Processing", "description": 7}}""")]
    public async Task Poll_of_several_in_an_unknown_form_ends_in_polls_of_one(string several)
    {
        using ScriptedServer server = new();
        server.Answers["/api/tool/Transaction/poll/"] = several;
        server.Answers["/api/tool/Transaction/a/poll/"] = """{"a": {"status": "Processing", "description": ["x"]}}""";
        server.Answers["/api/tool/Transaction/b/poll/"] = """{"b": {"status": "Processing"}}""";

        IReadOnlyList<Look> looks = await server.Source.LookAsync(
            [BulkLoadTransactions.Describe("a"), BulkLoadTransactions.Describe("b")],
            CancellationToken.None
        );

        Assert.All(looks, look => Assert.Equal((null, TransactionStatus.Running), (look.Error?.Message, look.Transaction.Status)));
    }

    [Theory]
    [InlineData("""{"success": "true", "transaction_id": "p1"}""", "p1")]
    [InlineData("""{"success": true, "transaction_id": 17, "href": {}}""", "17")]
    public async Task Started_load_is_found_in_any_form(string answer, string pkid)
    {
        using ScriptedServer server = new();
        server.Answers["/api/tool/BulkLoad/"] = answer;
        Assert.Equal(pkid, (await server.StartLoadAsync()).TransactionId);
    }

    [Theory]
    [InlineData("""{"success": false, "message": "No such file."}""", ErrorId.Rejected)]
    [InlineData("""{"success": "False", "message": "No such file."}""", ErrorId.Rejected)]
    [InlineData("""{"success": false, "message": "No such file.", "transaction_id": "p1"}""", ErrorId.OutcomeUnknown)]
    public async Task Success_that_says_it_is_none_is_an_error_in_the_servers_words(string answer, ErrorId errorId)
    {
        using ScriptedServer server = new();
        server.Answers["/api/tool/BulkLoad/"] = answer;
        IngestException error = await VossHarness.ErrorOfAsync(server.StartLoadAsync);
        Assert.Equal(errorId, error.ErrorId);
        Assert.Contains("No such file", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Asked);
    }

    [Fact]
    public async Task Cancel_that_was_refused_in_an_answer_of_success_is_an_error()
    {
        using ScriptedServer server = new();
        server.Answers[Load] = """{"status": "Processing", "meta": {"actions": {"cancel": {"href": "/cancel/", "method": "POST"}}}}""";
        server.Answers["/cancel/"] = """{"success": false, "message": "It is too late."}""";
        IngestException error = await VossHarness.ErrorOfAsync(() =>
            server.Source.StopAsync(BulkLoadTransactions.Describe("load"), CancellationToken.None)
        );
        Assert.Contains("It is too late", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_of_the_server_moves_no_terminal()
    {
        using ScriptedServer server = new();
        server.Answers[Load] = """
            {"status": "Odd\u001b[2J", "detail": "a\u001b[31mb", "message": "c\nd",
            "log": [{"message": "e\u0007", "severity": "info"}]}
            """;
        Transaction seen = await server.LookAsync();
        Assert.Equal(@"c d. a\u001b[31mb", seen.Message);
        Assert.Equal((@"Odd\u001b[2J", @"e\u0007"), (seen.ServerStatus, seen.Log![0].Message));
    }

    [Fact]
    public async Task Pages_are_read_on_where_the_server_does_not_count_and_end_where_it_does_not_skip()
    {
        using ScriptedServer server = new();
        server.Answers[Load] = Page(2, Part("r1", "Create User", "Fail"), Part("r2", "Create User", "Fail"));
        server.Answers[Load + "?skip=2"] = Page(2, Part("r3", "Create User", "Fail"));
        server.Answers["/api/tool/Transaction/same/"] = Page(1, Part("r1", "Create User", "Fail"));

        Assert.Equal(3, (await server.LookAsync()).SubTransactions!.Count);
        Assert.Single((await server.LookAsync("same")).SubTransactions!);

        static string Page(int limit, params string[] parts) =>
            $$"""{"status": "Fail", "pagination": {"limit": {{limit}}, "total": 0}, "sub_transactions": [{{string.Join(',', parts)}}]}""";
    }

    [Fact]
    public async Task Schedule_of_which_only_the_id_is_known_is_none_of_a_load()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        ScheduleTime time = ScheduleTime.Resolve("2040-12-01 02:30", "UTC", DateTimeOffset.UtcNow, force: false);
        Transaction making = await voss.Client.ScheduleAsync(sent.FileName!, VossHarness.Hierarchy, time, voss.Soon);
        Transaction byId = TransactionSources.Parse(making.Id).Transaction;

        Transaction looked = await voss.Transactions.LookAsync(byId, voss.Soon);
        (Transaction waited, _) = await voss.FollowAsync(byId);

        Assert.Equal((TransactionKind.Schedule, null), (looked.Kind, looked.Unit));
        Assert.Equal((TransactionKind.Schedule, null), (waited.Kind, waited.Unit));
    }

    [Theory]
    [InlineData("voss:..")]
    [InlineData("voss:poll")]
    [InlineData("voss:a%2Fb")]
    [InlineData("voss:a/b")]
    public void What_is_no_pkid_is_no_id(string id) => Assert.Throws<IngestException>(() => TransactionSources.Parse(id));

    [Fact]
    public async Task Load_whose_sign_in_took_too_long_was_not_sent_and_its_outcome_is_known()
    {
        using ScriptedServer server = new(s =>
            s with
            {
                Timeout = TimeSpan.FromSeconds(1),
                MaxAttempts = 1,
                Secret = async end =>
                {
                    await Task.Delay(Timeout.Infinite, end);
                    return "";
                },
            }
        );
        IngestException error = await VossHarness.ErrorOfAsync(server.StartLoadAsync);
        Assert.Equal(ErrorId.TimedOut, error.ErrorId);
        Assert.Empty(server.Asked);
    }

    [Fact]
    public async Task Wrong_password_is_sent_once_by_each_of_many_requests()
    {
        using ScriptedServer server = new();
        server.Statuses["/api/data/HierarchyNode/"] = 401;
        await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => VossHarness.ErrorOfAsync(() => server.Client.ListHierarchiesAsync(CancellationToken.None)))
        );
        Assert.Equal(6, server.Asked.Count);
    }

    [Fact]
    public async Task Login_answered_by_a_web_page_gets_the_password_once()
    {
        using ScriptedServer server = new(s => s with { AuthenticationUri = s.Uri });
        server.Answers["/noninteractivelogin/"] = "<html><title>Welcome</title></html>";
        IngestException error = await VossHarness.ErrorOfAsync(() => server.Client.ListHierarchiesAsync(CancellationToken.None));
        Assert.Equal(ErrorId.NotSignedIn, error.ErrorId);
        Assert.Single(server.Asked);
    }

    private static string Part(string pkid, string action, string status) =>
        $$"""{"transaction": "/api/tool/Transaction/{{pkid}}/", "action": "{{action}}", "status": "{{status}}"}""";

    private static string Parts(params string[] parts) => $$"""{"status": "Fail", "sub_transactions": [{{string.Join(',', parts)}}]}""";

    /// <summary>Answers by path; what it has no answer for is 404. A path with "?skip=" is one page.</summary>
    private sealed class ScriptedServer : IDisposable
    {
        private readonly HttpListener _listener;
        private readonly IngestConnection _connection;

        public ScriptedServer(Func<ConnectionSettings, ConnectionSettings>? connect = null)
        {
            _listener = Listen();
            _ = AnswerAllAsync();
            ConnectionSettings settings = new()
            {
                Service = IngestService.Voss,
                Uri = new Uri(_listener.Prefixes.Single()),
                SignIn = SignInKind.Password,
                UserName = "a@sys",
                Secret = _ => ValueTask.FromResult("canary"),
                NoProxy = true,
            };
            _connection = IngestConnection.Open(connect?.Invoke(settings) ?? settings, NullLogger.Instance);
        }

        public Dictionary<string, string> Answers { get; } = [];

        public Dictionary<string, int> Statuses { get; } = [];

        public List<string> Asked { get; } = [];

        public VossClient Client => new(_connection);

        public ITransactionSource Source => TransactionSources.For(_connection, NullLogger.Instance);

        public Task<Transaction> StartLoadAsync() => Client.StartAsync("users.xlsx", VossHarness.Hierarchy, CancellationToken.None);

        public Task<Transaction> LookAsync(string pkid = "load") =>
            Source.LookAsync(BulkLoadTransactions.Describe(pkid), CancellationToken.None);

        public async Task<List<FailedItem>> ReadFailedAsync()
        {
            List<FailedItem> items = [];
            await foreach (FailedItem item in Source.ReadFailedItemsAsync(BulkLoadTransactions.Describe("load"), CancellationToken.None))
                items.Add(item);
            return items;
        }

        public void Dispose()
        {
            _connection.Dispose();
            _listener.Close();
        }

        private static HttpListener Listen()
        {
            using TcpListener free = new(IPAddress.Loopback, 0);
            free.Start();
            HttpListener listener = new();
            listener.Prefixes.Add($"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/");
            free.Stop();
            listener.Start();
            return listener;
        }

        private async Task AnswerAllAsync()
        {
            try
            {
                while (true)
                    Answer(await _listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private void Answer(HttpListenerContext context)
        {
            string path = context.Request.Url!.AbsolutePath;
            Asked.Add(path);
            string page = $"{path}?skip={context.Request.QueryString["skip"]}";
            string? answer = Answers.GetValueOrDefault(Answers.ContainsKey(page) ? page : path);
            context.Response.StatusCode =
                Statuses.TryGetValue(path, out int status) ? status
                : answer is null ? 404
                : 200;
            context.Response.ContentType = answer?.StartsWith('<') == true ? "text/html" : "application/json";
            context.Response.Close(Encoding.UTF8.GetBytes(answer ?? "{}"), willBlock: true);
        }
    }
}
