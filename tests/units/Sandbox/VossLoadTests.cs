using System.Net;
using System.Text.Json;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Sandbox;

public sealed class VossLoadTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rows_of_all_blocks_and_sheets_are_loaded_each_as_a_transaction_two_levels_down(bool sharesTexts)
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        TestWorkbook workbook = new TestWorkbook { SharesTexts = sharesTexts }
            .Add(
                "People",
                ["entity: data/User; hierarchy: sys.hcs.Provider; parallel: False"],
                ["Username", "Email"],
                ["#jane", "left out"],
                ["jane", "jane@example.org"],
                [null],
                ["joe", "joe@example.org"],
                ["entity: data/Site"],
                ["Name"],
                ["North & <South>"]
            )
            .Add("#notes", ["never"], ["loaded"])
            .Add("Phones", ["Number"], ["100"], [null], ["Line"], ["200"]);

        JsonElement load = await sandbox.RunLoadAsync(workbook);
        List<JsonElement> rows = await sandbox.GetRowsAsync(load);

        Assert.Equal("[ 5/5 ] succeeded from [ 2 ] sheets in book.xlsx.", load.GetProperty("detail").GetString());
        Assert.Equal("Success", load.GetProperty("status").GetString());
        Assert.Equal(
            [
                "Sheet: People, Row: 4, Name:jane",
                "Sheet: People, Row: 6, Name:joe",
                "Sheet: People, Row: 9, Name:North & <South>",
                "Sheet: Phones, Row: 2, Name:100",
                "Sheet: Phones, Row: 5, Name:200",
            ],
            rows.Select(r => r.GetProperty("detail").GetString())
        );
        Assert.Equal(
            ["Create User", "Create User", "Create Site", "Create Phones", "Create Phones"],
            rows.Select(r => r.GetProperty("action").GetString())
        );
    }

    [Theory]
    [InlineData("False", "Success", "Success")]
    [InlineData("False", "Fail", "Fail")]
    [InlineData("True", "Success", "Success With Async Failures")]
    public async Task Rows_that_fail_leave_the_others_alone(string parallel, string partFailedStatus, string status)
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o =>
        {
            o.PartFailedStatus = partFailedStatus;
            o.RowFails = VossOptions.RowsLike("*bad* => The email is not valid.");
        });

        JsonElement load = await sandbox.RunLoadAsync(
            new TestWorkbook().Add(
                "Users",
                [$"entity: data/User; parallel: {parallel}"],
                ["Username", "Email"],
                ["a", "a@example.org"],
                ["b", "bad"],
                ["c", "c@example.org"]
            )
        );
        JsonElement failed = (await sandbox.GetRowsAsync(load)).Single(r => r.GetProperty("status").GetString() == "Fail");
        JsonElement row = await sandbox.GetTransactionAsync(failed.GetProperty("transaction").GetString()!.Split('/')[4]);

        Assert.Equal(
            (status, "[ 2/3 ] succeeded from [ 1 ] sheet in book.xlsx."),
            (load.GetProperty("status").GetString(), load.GetProperty("detail").GetString())
        );
        Assert.Equal("The email is not valid.", row.GetProperty("message").GetString());
        Assert.Equal("Yes", row.GetProperty("rolled_back").GetString());
    }

    [Fact]
    public async Task Rows_that_succeed_are_kept_up_to_a_number_and_those_that_fail_always()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o =>
        {
            o.SucceededRowsKept = 3;
            o.RowFails = VossOptions.RowsLike("*user9@* => The email is not valid.");
        });

        JsonElement load = await sandbox.RunLoadAsync(new TestWorkbook().AddUsers("Users", 10));
        List<JsonElement> rows = await sandbox.GetRowsAsync(load);

        Assert.Equal("[ 9/10 ] succeeded from [ 1 ] sheet in book.xlsx.", load.GetProperty("detail").GetString());
        Assert.Equal(["Success", "Success", "Success", "Fail"], rows.Select(r => r.GetProperty("status").GetString()));
        Assert.EndsWith("Name:user9", rows[^1].GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_of_300_characters_is_refused_and_nothing_is_kept()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        using HttpResponseMessage answer = await sandbox.UploadAsync(
            new string('n', 300) + ".xlsx",
            new TestWorkbook().AddUsers("Users", 1).ToBytes()
        );
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(sandbox.Voss.Files);
    }

    [Fact]
    public async Task What_is_no_workbook_fails_as_a_whole_and_loads_no_row()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        await sandbox.UploadAsync("book.xlsx", "not a zip"u8.ToArray());
        using HttpResponseMessage answer = await sandbox.LoadAsync(new { bulkload_file = "book.xlsx", execute_immediately = true });
        await sandbox.WaitUntilAsync(() => sandbox.Voss.Transactions is [{ HasEnded: true }]);

        VossTransaction load = sandbox.Voss.Transactions[0];
        Assert.Equal("Fail", load.Status);
        Assert.StartsWith("book.xlsx is not a valid workbook", load.Message, StringComparison.Ordinal);
        Assert.Empty(load.SubTransactions);
    }

    [Fact]
    public async Task Profile_without_the_right_fails_the_parent_and_a_node_beyond_the_user_is_403()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o =>
            o.Users = [new VossUser(VossSandbox.UserName, VossSandbox.Password) { MayBulkLoad = false, Hierarchy = VossSandbox.Provider }]
        );

        JsonElement load = await sandbox.RunLoadAsync(new TestWorkbook().AddUsers("Users", 1));

        Assert.Equal("Fail", load.GetProperty("status").GetString());
        Assert.Contains("does not allow", load.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            await sandbox.LoadAsync(new { bulkload_file = "book.xlsx", execute_immediately = true }, "sys").StatusAsync()
        );
    }

    [Theory]
    [InlineData("sys.hcs.Provider.Customer.Main Site - North", HttpStatusCode.OK)]
    [InlineData("1c055772c0deab00da000003", HttpStatusCode.OK)]
    [InlineData("sys.nowhere", HttpStatusCode.BadRequest)]
    public async Task Hierarchy_is_a_path_or_a_pkid(string hierarchy, HttpStatusCode status)
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        await sandbox.UploadAsync("book.xlsx", new TestWorkbook().AddUsers("Users", 1).ToBytes());
        Assert.Equal(
            status,
            await sandbox.LoadAsync(new { bulkload_file = "book.xlsx", execute_immediately = true }, hierarchy).StatusAsync()
        );
    }

    [Fact]
    public async Task Load_is_queued_until_a_worker_is_free()
    {
        TaskCompletionSource first = new();
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o =>
        {
            o.Workers = 1;
            o.BeforeRow = _ => first.Task;
        });
        string one = await sandbox.StartLoadAsync(new TestWorkbook().AddUsers("Users", 1));
        await sandbox.WaitUntilAsync(() => sandbox.Voss.Transactions.Any(t => t.Status == "Processing"));
        string two = await sandbox.StartLoadAsync(new TestWorkbook().AddUsers("Users", 1), "other.xlsx");

        Assert.Equal("Queued", (await sandbox.GetTransactionAsync(two)).GetProperty("status").GetString());
        first.SetResult();
        await sandbox.WaitUntilAsync(() => sandbox.Voss.Transactions.All(t => t.HasEnded));
        Assert.Equal([one, two], sandbox.Voss.Transactions.Select(t => t.Pkid));
    }

    [Fact]
    public async Task Without_nowait_the_answer_comes_at_the_end()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        await sandbox.UploadAsync("book.xlsx", new TestWorkbook().AddUsers("Users", 2).ToBytes());
        using HttpResponseMessage answer = await sandbox.LoadAsync(
            new { bulkload_file = "book.xlsx", execute_immediately = true },
            nowait: "false"
        );
        Assert.True(sandbox.Voss.Transactions[0].HasEnded);
        Assert.Equal("tool/BulkLoad", (await VossSandbox.JsonAsync(answer)).GetProperty("model_type").GetString());
    }

    [Fact]
    public async Task Schedule_is_listed_until_it_has_run_and_is_then_a_transaction_of_its_own()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        await sandbox.UploadAsync("book.xlsx", new TestWorkbook().AddUsers("Users", 2).ToBytes());
        using HttpResponseMessage answer = await sandbox.LoadAsync(
            new
            {
                bulkload_file = "book.xlsx",
                execute_immediately = false,
                execute_date = "2040-06-20",
                execute_time = "12:00:00",
                execute_timezone = "345",
            }
        );

        VossSchedule schedule = Assert.Single(sandbox.Voss.Schedules);
        Assert.Equal(new DateTimeOffset(2040, 6, 20, 6, 15, 0, TimeSpan.Zero), schedule.At);
        Assert.Contains(
            "Single Execution",
            await sandbox.GetAsync("api/data/Schedule/?hierarchy=sys&format=json").BodyAsync(),
            StringComparison.Ordinal
        );
        Assert.Equal("Success", sandbox.Voss.Transactions[0].Status);
        Assert.Equal(["Create Schedule", "Create Bulk Load"], sandbox.Voss.Transactions[0].SubTransactions.Select(t => t.Action));

        await sandbox.PostJsonAsync("sandbox/voss/schedules/run", new { });

        Assert.Empty(sandbox.Voss.Schedules);
        Assert.Equal(("Execute Schedule", "Success"), (sandbox.Voss.Transactions[1].Action, sandbox.Voss.Transactions[1].Status));
    }

    [Fact]
    public async Task Schedule_runs_when_its_time_has_come()
    {
        await using VossSandbox sandbox = await VossSandbox.StartAsync();
        await sandbox.UploadAsync("book.xlsx", new TestWorkbook().AddUsers("Users", 1).ToBytes());
        await sandbox.LoadAsync(
            new
            {
                bulkload_file = "book.xlsx",
                execute_immediately = false,
                execute_date = "2020-01-01",
                execute_time = "00:00:00",
                execute_timezone = "-60",
            }
        );
        await sandbox.WaitUntilAsync(() =>
            sandbox.Voss.Transactions.Count == 2 && sandbox.Voss.Transactions[1].HasEnded && sandbox.Voss.Schedules.Count == 0
        );
    }

    [Fact]
    public async Task Running_load_offers_its_cancel_and_ends_as_failed()
    {
        TaskCompletionSource row = new();
        await using VossSandbox sandbox = await VossSandbox.StartAsync(o => o.BeforeRow = _ => row.Task);
        string pkid = await sandbox.StartLoadAsync(new TestWorkbook().AddUsers("Users", 3));
        await sandbox.WaitUntilAsync(() => sandbox.Voss.Transactions[0].Status == "Processing");

        JsonElement cancel = (await sandbox.GetTransactionAsync(pkid)).GetProperty("meta").GetProperty("actions").GetProperty("cancel");
        Assert.Equal("POST", cancel.GetProperty("method").GetString());
        Assert.Equal(
            HttpStatusCode.OK,
            await sandbox.PostJsonAsync(cancel.GetProperty("href").GetString() + "?format=json", new { }).StatusAsync()
        );
        row.SetResult();
        await sandbox.WaitUntilAsync(() => sandbox.Voss.Transactions[0].HasEnded);

        JsonElement ended = await sandbox.GetTransactionAsync(pkid);
        Assert.Equal(("Fail", "Transaction canceled"), (ended.GetProperty("status").GetString(), ended.GetProperty("message").GetString()));
        Assert.Single(await sandbox.GetRowsAsync(ended));
        Assert.False(ended.TryGetProperty("meta", out _));
    }
}
