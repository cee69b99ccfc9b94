using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Units.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class VossAccessTests
{
    private const string Nodes = "api/data/HierarchyNode/?format=json";

    [Fact]
    public async Task Basic_is_split_at_the_first_colon_and_a_wrong_password_is_401()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        Assert.Contains("Main Site - North", await sandbox.GetAsync(Nodes).BodyAsync(), StringComparison.Ordinal);

        sandbox.Client.DefaultRequestHeaders.Authorization = VossSandbox.Basic(VossSandbox.UserName, "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, await sandbox.GetAsync(Nodes).StatusAsync());
    }

    [Fact]
    public async Task Session_needs_its_cookies_and_to_write_also_the_token_of_its_answer()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        sandbox.Client.DefaultRequestHeaders.Authorization = null;
        using HttpResponseMessage signedIn = await sandbox.PostJsonAsync(
            "noninteractivelogin/",
            new { username = VossSandbox.UserName, password = VossSandbox.Password }
        );
        string cookies = string.Join("; ", signedIn.Headers.GetValues("Set-Cookie").Select(c => c.Split(';')[0]));
        sandbox.Client.DefaultRequestHeaders.Add("Cookie", cookies);

        Assert.Contains("sys.hcs", await sandbox.GetAsync(Nodes).BodyAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, await sandbox.LoadAsync(new { }).StatusAsync());
        sandbox.Client.DefaultRequestHeaders.Add("X-CSRFToken", signedIn.Headers.GetValues("X-CSRFToken"));
        Assert.Equal(HttpStatusCode.BadRequest, await sandbox.LoadAsync(new { }).StatusAsync());

        sandbox.Voss.Sessions.ExpireAll();
        Assert.Contains("Sign in", await sandbox.GetAsync(Nodes).BodyAsync(), StringComparison.Ordinal);
        sandbox.Options.MissingSession = VossMissingSession.Redirect;
        Assert.Equal(HttpStatusCode.Found, await sandbox.GetAsync(Nodes).StatusAsync());
        sandbox.Options.MissingSession = VossMissingSession.Unauthorized;
        Assert.Equal(HttpStatusCode.Unauthorized, await sandbox.GetAsync(Nodes).StatusAsync());
    }

    [Fact]
    public async Task More_requests_in_a_second_than_allowed_are_429_without_Retry_After()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o => o.RequestsPerSecond = 20, new FakeTimeProvider());
        for (int i = 0; i < 20; i++)
            Assert.Equal(HttpStatusCode.OK, await sandbox.GetAsync(Nodes).StatusAsync());

        using HttpResponseMessage refused = await sandbox.GetAsync(Nodes);

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Null(refused.Headers.RetryAfter);
        Assert.Equal(21, sandbox.Voss.Rate.Busiest);
    }

    [Theory]
    [InlineData(VossFaultShape.CodeAndMessage, "{\"http_code\":400,\"code\":4400,\"message\":\"The hierarchy nowhere does not exist.\"}")]
    [InlineData(VossFaultShape.ErrorObject, "{\"error\":{\"code\":4400,\"message\":\"The hierarchy nowhere does not exist.\"}}")]
    [InlineData(VossFaultShape.Errors, "{\"errors\":[{\"message\":\"The hierarchy nowhere does not exist.\"}]}")]
    [InlineData(VossFaultShape.Text, "The hierarchy nowhere does not exist.")]
    [InlineData(VossFaultShape.Empty, "")]
    public async Task Fault_has_the_form_that_is_set(VossFaultShape shape, string body)
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o => o.FaultShape = shape);
        await sandbox.LoadAsync(new { }, "nowhere").IsAsync(HttpStatusCode.BadRequest, body);
    }

    [Fact]
    public async Task Upload_is_202_with_the_name_that_counts_and_may_need_a_hierarchy_and_have_a_limit()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o =>
        {
            o.UploadNeedsHierarchy = true;
            o.MaxUploadBytes = 5;
            o.NameGiven = name => name.Replace(' ', '_');
        });

        using HttpResponseMessage answer = await sandbox.UploadAsync("my book.xlsx", "12345"u8.ToArray());
        JsonElement file = (await VossSandbox.JsonAsync(answer)).GetProperty("uploadedfiles")[0];

        Assert.Equal((HttpStatusCode.Accepted, "my_book.xlsx"), (answer.StatusCode, file.GetProperty("name").GetString()));
        Assert.Equal(HttpStatusCode.BadRequest, await sandbox.UploadAsync("a.xlsx", "12345"u8.ToArray(), "").StatusAsync());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await sandbox.UploadAsync("a.xlsx", "123456"u8.ToArray()).StatusAsync());
    }

    [Theory]
    [InlineData(VossPollIds.Comma, "transactions={0},{1}", 2)]
    [InlineData(VossPollIds.Repeated, "transactions={0}&transactions={1}", 2)]
    [InlineData(VossPollIds.OneElseEmpty, "transactions={0},{1}", 0)]
    [InlineData(VossPollIds.OneElseRefused, "transactions={0},{1}", null)]
    [InlineData(VossPollIds.OneElseRefused, "transactions={0}", 1)]
    public async Task Poll_answers_a_map_by_pkid(VossPollIds ids, string query, int? count)
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o => o.PollIds = ids);
        string one = await sandbox.StartLoadAsync(new TestWorkbook().AddUsers("Users", 1));
        string two = await sandbox.StartLoadAsync(new TestWorkbook().AddUsers("Users", 1), "other.xlsx");
        await sandbox.WaitUntilAsync(() => sandbox.Voss.Transactions.All(t => t.HasEnded));

        using HttpResponseMessage answer = await sandbox.GetAsync(
            "api/tool/Transaction/poll/?format=json&" + string.Format(null, query, one, two)
        );

        Assert.Equal(count, answer.IsSuccessStatusCode ? (await VossSandbox.JsonAsync(answer)).EnumerateObject().Count() : null);
        JsonElement alone = (
            await VossSandbox.JsonAsync(await sandbox.GetAsync($"api/tool/Transaction/{one}/poll/?format=json"))
        ).GetProperty(one);
        Assert.Equal("Success", alone.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Transaction_has_the_shape_and_the_words_that_are_set_and_pages_its_parts()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o =>
        {
            o.TransactionShape = VossTransactionShape.MetaAndData;
            o.TimesEndInZ = o.RolledBackIsBoolean = true;
            o.SubTransactionsAPage = 1;
            o.Word = _ => "Completed";
        });
        JsonElement load = (await sandbox.RunLoadAsync(new TestWorkbook().AddUsers("Users", 1))).GetProperty("data");

        Assert.Equal("Completed", load.GetProperty("status").GetString());
        Assert.EndsWith("Z", load.GetProperty("started_time").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.False, load.GetProperty("rolled_back").ValueKind);
        Assert.Equal(
            (1, 2),
            (load.GetProperty("sub_transactions").GetArrayLength(), load.GetProperty("pagination").GetProperty("total").GetInt32())
        );
    }

    [Fact]
    public async Task Options_can_be_set_from_outside_and_a_misspelt_one_is_told()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        using HttpResponseMessage set = await sandbox.PostJsonAsync(
            "sandbox/voss/options",
            new
            {
                rowsFail = new[] { "*bad*" },
                pollIds = "OneElseEmpty",
                requestsPerSecond = 0,
                words = new Dictionary<string, string> { ["Processing"] = "Busy" },
            }
        );
        using HttpResponseMessage refused = await sandbox.Client.PostAsJsonAsync(
            new Uri("sandbox/voss/options", UriKind.Relative),
            new { rowFail = 1 }
        );

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.BadRequest), (set.StatusCode, refused.StatusCode));
        Assert.Equal(
            (VossPollIds.OneElseEmpty, null, "Busy"),
            (sandbox.Options.PollIds, sandbox.Options.RequestsPerSecond, sandbox.Options.Word("Processing"))
        );
    }

    [Fact]
    public async Task What_is_not_asked_for_as_json_is_a_page_of_the_portal()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        using HttpResponseMessage answer = await sandbox.GetAsync("api/data/HierarchyNode/");
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
    }
}
