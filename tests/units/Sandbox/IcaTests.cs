using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using IngestTools.Sandbox.Services.Ica;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class IcaTests
{
    private const string V3 = IcaSandbox.V3;
    private const string V4 = IcaSandbox.V4;

    [Theory]
    [InlineData(V4, V4, HttpStatusCode.Created)]
    [InlineData(V3, V3, HttpStatusCode.Created)]
    [InlineData("application/json", V4, HttpStatusCode.Created)]
    [InlineData(V4, V3, HttpStatusCode.BadRequest)]
    [InlineData(V3, V4, HttpStatusCode.BadRequest)]
    [InlineData(V4 + "; charset=utf-8", V4, HttpStatusCode.BadRequest)]
    [InlineData(V4, "application/json", HttpStatusCode.BadRequest)]
    [InlineData(V4, "*/*", HttpStatusCode.BadRequest)]
    [InlineData(V4, V4 + ", application/problem+json", HttpStatusCode.BadRequest)]
    [InlineData("text/plain", V4, HttpStatusCode.BadRequest)]
    public async Task Batch_is_made_only_with_matching_media_types(string contentType, string accept, HttpStatusCode status)
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        using HttpResponseMessage answer = await ica.PostBatchAsync([IcaSandbox.Id(1)], accept, contentType);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.Created ? accept : "application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(status == HttpStatusCode.Created ? 1 : 0, ica.Server.Ica.Batches.Count);
    }

    [Theory]
    [InlineData("", V3, V4)]
    [InlineData("/items", V4, "application/json")]
    [InlineData("/items", V3, null)]
    public async Task Each_operation_has_media_types_of_its_own(string route, string right, string? wrong)
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        string batch = await ica.CreateAsync(IcaSandbox.Id(1));
        Assert.Equal(HttpStatusCode.OK, await ica.GetAsync(batch + route, right).StatusAsync());

        using HttpResponseMessage refused = await ica.GetAsync(batch + route, wrong);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        JsonElement problem = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("ICA_API_004", problem.GetProperty("title").GetString());
        Assert.Equal("Invalid Accept Header", problem.GetProperty("detail").GetString());
        Assert.Equal("GET", problem.GetProperty("method").GetString());
    }

    [Fact]
    public async Task Job_and_items_advance_by_the_clock_and_spell_their_states_differently()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        string batch = await ica.CreateAsync(Enumerable.Range(0, 12).Select(static i => IcaSandbox.Id(i)).ToArray());

        Assert.Equal("INITIALIZED", await ica.JobStatusAsync(batch));
        ica.Move(1);
        Assert.Equal("WAITING_FOR_RESOURCES", await ica.JobStatusAsync(batch));
        Assert.All(await ica.ItemStatusesAsync(batch), static s => Assert.Equal("INITIALISED", s));
        ica.Move(3);
        Assert.Equal("RUNNING", await ica.JobStatusAsync(batch));
        Assert.Equal(["LINKED", "LINKED", "RUNNING", "WAITING_RESOURCES"], (await ica.ItemStatusesAsync(batch))[..4]);
        Assert.Equal("INITIALISED", (await ica.ItemStatusesAsync(batch))[^1]);
        ica.Move(10);
        Assert.Equal("SUCCEEDED", await ica.JobStatusAsync(batch));
        Assert.All(await ica.ItemStatusesAsync(batch), static s => Assert.Equal("LINKED", s));
    }

    [Fact]
    public async Task What_cannot_be_linked_fails_with_its_reason_and_the_job_ends_in_part()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(static o =>
        {
            o.IsMissing = IcaOptions.IdsLike(IcaSandbox.Id(1));
            o.IsNotShared = IcaOptions.IdsLike(IcaSandbox.Id(2));
            o.LinksPartly = IcaOptions.IdsLike("fol.*");
        });
        string batch = await ica.CreateAsync(
            IcaSandbox.Id(0),
            IcaSandbox.Id(1),
            IcaSandbox.Id(2),
            IcaSandbox.Id(3, "fol"),
            "nonsense",
            IcaSandbox.Id(0)
        );
        ica.Move(60);

        Assert.Equal(["LINKED", "FAILED", "FAILED", "PARTIALLY_LINKED", "FAILED", "ALREADY_LINKED"], await ica.ItemStatusesAsync(batch));
        Assert.Equal(["LINKED", "FAILED", "FAILED", "FAILED", "FAILED", "ALREADY_LINKED"], await ica.ItemStatusesAsync(batch, V3));
        Assert.Equal("PARTIALLY_SUCCEEDED", await ica.JobStatusAsync(batch));
        JsonElement item = (await ica.ReadAsync($"{batch}/items?status=FAILED&status=PARTIALLY_LINKED", V4)).GetProperty("items")[1];
        Assert.Equal(IcaSandbox.Id(2), item.GetProperty("request").GetProperty("dataId").GetString());
        Assert.Contains(
            "Data sharing",
            item.GetProperty("processing").GetProperty("additionalStatusInformation").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal("FAILED", await FailedJobAsync(ica));
    }

    [Fact]
    public async Task Stopped_job_leaves_items_as_they_were()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(static o => o.StopsAfter = 2);
        string batch = await ica.CreateAsync(IcaSandbox.Id(0), IcaSandbox.Id(1), IcaSandbox.Id(2), IcaSandbox.Id(3));
        ica.Move(60);

        Assert.Equal("STOPPED", await ica.JobStatusAsync(batch));
        Assert.Equal(["LINKED", "LINKED", "RUNNING", "WAITING_RESOURCES"], await ica.ItemStatusesAsync(batch));
    }

    [Fact]
    public async Task Job_can_be_stopped_hidden_or_in_a_state_that_nobody_knows()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        string batch = await ica.CreateAsync(IcaSandbox.Id(0));
        ica.Options.SaysOfJobs = "PAUSED";
        Assert.Equal("PAUSED", await ica.JobStatusAsync(batch));
        ica.Options.SaysOfJobs = null;

        string id = batch.Split('/')[^1];
        using HttpResponseMessage stopped = await ica.Client.PostAsync(new Uri(ica.Server.Uri, $"sandbox/ica/batches/{id}/stop"), null);
        Assert.Equal(HttpStatusCode.NoContent, stopped.StatusCode);
        Assert.Equal("STOPPED", await ica.JobStatusAsync(batch));

        ica.Options.HidesJob = true;
        Assert.Equal(JsonValueKind.Null, (await ica.ReadAsync(batch)).GetProperty("job").ValueKind);
    }

    [Theory]
    [InlineData(IcaCursorEnd.Null, JsonValueKind.Null)]
    [InlineData(IcaCursorEnd.Absent, JsonValueKind.Undefined)]
    [InlineData(IcaCursorEnd.Empty, JsonValueKind.String)]
    public async Task Cursor_gives_each_item_once_and_ends_as_it_is_told(IcaCursorEnd end, JsonValueKind kind)
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(o => o.CursorEnd = end);
        string batch = await ica.CreateAsync(Enumerable.Range(0, 5).Select(static i => IcaSandbox.Id(i)).ToArray());
        List<string?> ids = [];
        string token = "";
        JsonElement next;
        do
        {
            JsonElement page = await ica.ReadAsync($"{batch}/items?pageSize=2&pageToken={Uri.EscapeDataString(token)}", V4);
            ids.AddRange(
                page.GetProperty("items").EnumerateArray().Select(static i => i.GetProperty("request").GetProperty("dataId").GetString())
            );
            page.TryGetProperty("nextPageToken", out next);
            token = next.ValueKind == JsonValueKind.String ? next.GetString()! : "";
        } while (token.Length > 0);

        Assert.Equal(Enumerable.Range(0, 5).Select(static i => IcaSandbox.Id(i)), ids);
        Assert.Equal(kind, next.ValueKind);
    }

    [Fact]
    public async Task Cursor_that_is_not_escaped_or_of_another_list_is_refused()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        string batch = await ica.CreateAsync(IcaSandbox.Id(0), IcaSandbox.Id(1));
        string other = await ica.CreateAsync(IcaSandbox.Id(2), IcaSandbox.Id(3));
        string token = (await ica.ReadAsync($"{batch}/items?pageSize=1", V4)).GetProperty("nextPageToken").GetString()!;

        Assert.Equal(HttpStatusCode.BadRequest, await ica.GetAsync($"{batch}/items?pageToken={token}", V4).StatusAsync());
        Assert.Equal(
            HttpStatusCode.BadRequest,
            await ica.GetAsync($"{other}/items?pageToken={Uri.EscapeDataString(token)}", V4).StatusAsync()
        );
        Assert.Equal(HttpStatusCode.OK, await ica.GetAsync($"{batch}/items?pageToken={Uri.EscapeDataString(token)}", V4).StatusAsync());
    }

    [Fact]
    public async Task Token_can_be_made_to_repeat()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(static o => o.RepeatsToken = true);
        string batch = await ica.CreateAsync(IcaSandbox.Id(0), IcaSandbox.Id(1));
        string token = (await ica.ReadAsync($"{batch}/items?pageSize=1", V4)).GetProperty("nextPageToken").GetString()!;
        JsonElement again = await ica.ReadAsync($"{batch}/items?pageSize=1&pageToken={Uri.EscapeDataString(token)}", V4);
        Assert.Equal(token, again.GetProperty("nextPageToken").GetString());
    }

    [Fact]
    public async Task Item_is_found_by_its_id()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        string batch = await ica.CreateAsync(IcaSandbox.Id(0), IcaSandbox.Id(1));
        string? id = (await ica.ReadAsync($"{batch}/items", V4)).GetProperty("items")[1].GetProperty("id").GetString();

        JsonElement item = await ica.ReadAsync($"{batch}/items/{id}", V4);

        Assert.Equal(IcaSandbox.Id(1), item.GetProperty("request").GetProperty("dataId").GetString());
        Assert.Equal(HttpStatusCode.NotFound, await ica.GetAsync($"{batch}/items/{Guid.NewGuid()}", V4).StatusAsync());
        Assert.Equal(
            HttpStatusCode.NotFound,
            await ica.GetAsync($"projects/{IcaSandbox.Project}/dataLinkingBatch/{Guid.NewGuid()}").StatusAsync()
        );
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_with_their_subject()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        await ica.CreateAsync(IcaSandbox.Id(0));
        ica.Move(1);
        string newest = await ica.CreateAsync(IcaSandbox.Id(1));

        JsonElement page = await ica.ReadAsync("jobs?sort=timeCreated%20desc&pageOffset=0&pageSize=1");

        JsonElement job = Assert.Single(page.GetProperty("items").EnumerateArray().ToArray());
        Assert.Equal(newest.Split('/')[^1], job.GetProperty("subjectId").GetString());
        Assert.Equal("", page.GetProperty("nextPageToken").GetString());
        Assert.Equal(2, page.GetProperty("totalItemCount").GetInt32());
        Assert.Equal(
            "WAITING_FOR_RESOURCES",
            (await ica.ReadAsync("jobs?status=WAITING_FOR_RESOURCES")).GetProperty("items")[0].GetProperty("status").GetString()
        );
        Assert.Equal(HttpStatusCode.OK, await ica.GetAsync($"jobs/{job.GetProperty("id").GetString()}").StatusAsync());
    }

    [Fact]
    public async Task Eligible_data_is_what_there_is_and_may_be_shared()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(static o => o.IsNotShared = IcaOptions.IdsLike(IcaSandbox.Id(2)));
        await ica.CreateAsync(IcaSandbox.Id(3));
        ica.Move(60);

        JsonElement page = await ica.ReadAsync(
            $"projects/{IcaSandbox.Project}/data/eligibleForLinking?id={IcaSandbox.Id(1)}&id={IcaSandbox.Id(2)}&id={IcaSandbox.Id(3)}"
        );

        Assert.Equal([IcaSandbox.Id(1)], page.GetProperty("items").EnumerateArray().Select(static d => d.GetProperty("id").GetString()));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("no json")]
    [InlineData("""{"items":[{"dataId":""}]}""")]
    public async Task Bad_body_is_refused_with_what_is_wrong(string body)
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        using HttpResponseMessage answer = await ica.SendAsync(
            HttpMethod.Post,
            $"projects/{IcaSandbox.Project}/dataLinkingBatch",
            V4,
            body
        );
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("parameters").EnumerateObject().ToArray());
    }

    [Fact]
    public async Task Projects_can_be_forbidden_or_missing()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(static o =>
        {
            o.Forbids = static id => id == "secret";
            o.HasNoProject = static id => id == "gone";
        });
        Assert.Equal(HttpStatusCode.Forbidden, await ica.PostBatchAsync([IcaSandbox.Id(1)], project: "secret").StatusAsync());
        Assert.Equal(HttpStatusCode.NotFound, await ica.PostBatchAsync([IcaSandbox.Id(1)], project: "gone").StatusAsync());
        Assert.Equal(HttpStatusCode.NotFound, await ica.GetAsync("nowhere").StatusAsync());
    }

    [Fact]
    public async Task Token_comes_from_a_key_or_a_password_and_ends()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync(static o => o.TokenLifetime = TimeSpan.FromMinutes(5));
        ica.Client.DefaultRequestHeaders.Authorization = null;
        Assert.Equal(HttpStatusCode.Unauthorized, await ica.SendAsync(HttpMethod.Post, "tokens").StatusAsync());

        ica.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes("root@example.com:test"))
        );
        string ofPassword = await TokenAsync(ica, "tokens");
        Assert.Equal(HttpStatusCode.Unauthorized, await ica.GetAsync("jobs").StatusAsync());
        ica.Client.DefaultRequestHeaders.Authorization = null;
        ica.Client.DefaultRequestHeaders.Add("X-API-Key", "test");
        string ofKey = await TokenAsync(ica, "tokens");
        Assert.Equal(HttpStatusCode.OK, await ica.GetAsync("jobs").StatusAsync());
        ica.Client.DefaultRequestHeaders.Remove("X-API-Key");

        ica.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ofKey);
        Assert.Equal(HttpStatusCode.OK, await ica.GetAsync("jobs").StatusAsync());
        Assert.Equal(HttpStatusCode.BadRequest, await ica.SendAsync(HttpMethod.Post, "tokens:refresh").StatusAsync());
        ica.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ofPassword);
        Assert.NotEqual(ofPassword, await TokenAsync(ica, "tokens:refresh"));
        ica.Move(301);
        Assert.Equal(HttpStatusCode.Unauthorized, await ica.GetAsync("jobs").StatusAsync());
        Assert.Equal(3, ica.Server.Ica.Tokens.Issued);
    }

    [Fact]
    public async Task Control_routes_set_options_end_tokens_and_tell_of_batches()
    {
        await using IcaSandbox ica = await IcaSandbox.StartAsync();
        await ica.CreateAsync(IcaSandbox.Id(7));
        Uri options = new(ica.Server.Uri, "sandbox/ica/options");
        using HttpResponseMessage set = await ica.Client.PostAsJsonAsync(
            options,
            new
            {
                linkUs = 3,
                linkFails = new[] { "fil.dead*" },
                cursorEnd = "Absent",
                stopsAfter = 4,
            }
        );
        Assert.Equal(HttpStatusCode.NoContent, set.StatusCode);
        Assert.True(ica.Options.LinkFails("fil.deadbeef"));
        Assert.Equal(
            (IcaCursorEnd.Absent, 4, TimeSpan.FromMicroseconds(3)),
            (ica.Options.CursorEnd, ica.Options.StopsAfter, ica.Options.TimePerItem)
        );
        using HttpResponseMessage refused = await ica.Client.PostAsJsonAsync(options, new { linkFail = "x" });
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);

        string batches = await ica.Client.GetStringAsync(new Uri(ica.Server.Uri, "sandbox/ica/batches"));
        Assert.Equal(IcaSandbox.Id(7), JsonDocument.Parse(batches).RootElement[0].GetProperty("first").GetString());
        using HttpResponseMessage expired = await ica.Client.PostAsync(new Uri(ica.Server.Uri, "sandbox/ica/tokens/expire"), null);
        Assert.Equal(HttpStatusCode.Unauthorized, await ica.GetAsync("jobs").StatusAsync());
    }

    private static async Task<string?> FailedJobAsync(IcaSandbox ica)
    {
        string batch = await ica.CreateAsync("nonsense");
        ica.Move(60);
        return await ica.JobStatusAsync(batch);
    }

    private static async Task<string> TokenAsync(IcaSandbox ica, string route)
    {
        using HttpResponseMessage answer = await ica.SendAsync(HttpMethod.Post, route);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
    }
}
