using System.Globalization;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class VossLoadTests
{
    private static readonly Action<VossOptions> BadFails = o => o.RowFails = VossOptions.RowsLike("bad* => The email is not valid.");

    [Fact]
    public async Task Load_is_answered_at_once_and_followed_to_its_end()
    {
        TaskCompletionSource queue = new();
        await using VossHarness voss = await VossHarness.StartAsync(o => o.BeforeLoad = _ => queue.Task);

        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org", "b@example.org"));
        Assert.Equal(
            (TransactionKind.BulkLoad, TransactionStatus.Queued, $"voss:{voss.Voss.Transactions[0].Pkid}"),
            (load.Kind, load.Status, load.Id)
        );
        Assert.Contains(
            "POST /api/tool/BulkLoad/?hierarchy=sys.hcs.Provider&method=bulkload_spreadsheet&nowait=true&format=json",
            voss.RequestsTo("BulkLoad")
        );
        queue.SetResult();
        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(load);

        Assert.Equal(
            (TransactionStatus.Succeeded, "Success", 2L, 2L, "rows"),
            (ended.Status, ended.ServerStatus, ended.Completed, ended.Total, ended.Unit)
        );
        Assert.Equal(("users.xlsx", VossHarness.Hierarchy), (ended.FileName, ended.Hierarchy));
        Assert.Equal(TimeSpan.Zero, ended.CompletedAt?.Offset);
        Assert.Empty(errors);
    }

    public static TheoryData<string, Action<VossOptions>> EveryForm =>
        new()
        {
            { "flat", _ => { } },
            { "meta and data", o => o.TransactionShape = VossTransactionShape.MetaAndData },
            { "paged", o => o.SubTransactionsAPage = 1 },
            { "ends as Fail", o => o.PartFailedStatus = "Fail" },
            { "ends as Completed", o => o.Word = status => status == "Success" ? "Completed" : status },
            { "row in its message", o => o.RowPlace = VossRowPlace.Message },
            { "times with Z, real booleans", o => o.TimesEndInZ = o.RolledBackIsBoolean = true },
            { "poll by path", o => o.PollForms = VossPollForms.Path },
            { "words in capitals", o => o.Word = status => status.ToUpperInvariant() },
        };

    [Theory]
    [MemberData(nameof(EveryForm))]
    public async Task Rows_that_failed_are_named_by_sheet_row_and_reason_in_every_form(string form, Action<VossOptions> set)
    {
        await using VossHarness voss = await VossHarness.StartAsync(BadFails + set);

        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(
            await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org", "bad1", "c@example.org", "bad2"))
        );

        Assert.True(ended.Status == TransactionStatus.PartlySucceeded, form);
        Assert.Equal((2L, 4L), (ended.Completed, ended.Total));
        Assert.Equal(["Sheet Users, row 4", "Sheet Users, row 6"], errors.Select(e => e.Target));
        Assert.All(errors, e => Assert.Equal(ErrorId.ItemFailed, e.ErrorId));
        Assert.Contains($"Sheet Users, row 4 failed in {ended.Id}", errors[0].Message, StringComparison.Ordinal);
        Assert.EndsWith("The email is not valid.", errors[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Row_whose_place_is_told_nowhere_is_named_by_what_the_server_says()
    {
        await using VossHarness voss = await VossHarness.StartAsync(BadFails + (o => o.RowPlace = VossRowPlace.Nowhere));
        (_, List<IngestException> errors) = await voss.FollowAsync(
            await voss.StartLoadAsync(voss.Write("users.xlsx", "bad", "b@example.org"))
        );
        Assert.Equal("Create User (Name:user1)", Assert.Single(errors).Target);
    }

    [Fact]
    public async Task Parallel_rows_that_failed_are_part_of_a_success()
    {
        await using VossHarness voss = await VossHarness.StartAsync(BadFails);
        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(
            await voss.StartLoadAsync(voss.WriteParallel("users.xlsx", true, "a@example.org", "bad", "c@example.org"))
        );
        Assert.Equal((TransactionStatus.PartlySucceeded, "Success With Async Failures"), (ended.Status, ended.ServerStatus));
        Assert.Single(errors);
    }

    [Fact]
    public async Task Load_whose_rows_all_failed_has_failed_whatever_the_word()
    {
        await using VossHarness voss = await VossHarness.StartAsync(
            BadFails + (o => o.Word = status => status == "Fail" ? "Success" : status)
        );
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "bad1", "bad2"));
        List<WaitEvent> events = await voss.WaitAsync([load]);
        Assert.Equal(TransactionStatus.Failed, events.OfType<WaitEvent.Ended>().Single().Transaction.Status);
    }

    [Fact]
    public async Task Corrupt_workbook_fails_the_load_with_the_servers_reason()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        string path = Path.Join(voss.Folder.Path, "users.xlsx");
        using (System.IO.Compression.ZipArchive zip = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Create))
        {
            zip.CreateEntry("[Content_Types].xml").Open().Dispose();
            using StreamWriter workbook = new(zip.CreateEntry("xl/workbook.xml").Open());
            workbook.Write("<workbook><sheets><sheet/></sheets></workbook>");
        }

        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(await voss.StartLoadAsync(path));

        Assert.Equal(TransactionStatus.Failed, ended.Status);
        IngestException error = Assert.Single(errors);
        Assert.Equal(ErrorId.TransactionFailed, error.ErrorId);
        Assert.Contains("users.xlsx is not a valid workbook", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_rights_are_told_by_the_call_or_by_the_load()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o =>
            o.Users = [new VossUser(VossHarness.UserName, VossHarness.Password) { Hierarchy = VossHarness.Hierarchy, MayBulkLoad = false }]
        );
        string path = voss.Write("users.xlsx", "a@example.org");

        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(await voss.StartLoadAsync(path));
        IngestException refused = await VossHarness.ErrorOfAsync(() => voss.Client.StartAsync("users.xlsx", "sys", voss.Soon));

        Assert.Equal(TransactionStatus.Failed, ended.Status);
        Assert.Contains("does not allow tool/BulkLoad", Assert.Single(errors).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorId.NotAllowed, refused.ErrorId);
        Assert.Contains("at sys.", refused.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unknown_file_name_is_told_by_the_call_or_by_the_load(bool atOnce)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.RefusesUnknownFile = atOnce);
        string message = atOnce
            ? (await VossHarness.ErrorOfAsync(() => voss.Client.StartAsync("no.xlsx", VossHarness.Hierarchy, voss.Soon))).Message
            : (await voss.FollowAsync(await voss.Client.StartAsync("no.xlsx", VossHarness.Hierarchy, voss.Soon))).Errors.Single().Message;
        Assert.Contains("The file no.xlsx does not exist", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lost=POST /api/tool/BulkLoad/")]
    [InlineData("truncated=POST /api/tool/BulkLoad/")]
    [InlineData("500=POST /api/tool/BulkLoad/")]
    [InlineData("empty=POST /api/tool/BulkLoad/")]
    public async Task Lost_answer_is_not_followed_by_a_second_load_and_names_the_file(string fault)
    {
        await using VossHarness voss = await VossHarness.StartAsync(faults: fault);
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));

        IngestException error = await VossHarness.ErrorOfAsync(() =>
            voss.Client.StartAsync(sent.FileName!, VossHarness.Hierarchy, voss.Soon)
        );

        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Contains("'users.xlsx'", error.Message, StringComparison.Ordinal);
        Assert.Contains("transaction log", error.Advice, StringComparison.Ordinal);
        await voss.WaitUntilAsync(() => voss.Server.Requests.InFlight == 0);
        Assert.Single(voss.RequestsTo("POST /api/tool/BulkLoad/"));
    }

    [Fact]
    public async Task Too_many_requests_without_Retry_After_are_sent_again_later()
    {
        await using VossHarness voss = await VossHarness.StartAsync(faults: "429=2,POST /api/tool/BulkLoad/", time: new QuickTime(20));
        UploadResult sent = await voss.SendAsync(voss.Write("users.xlsx", "a@example.org"));
        await voss.Client.StartAsync(sent.FileName!, VossHarness.Hierarchy, voss.Soon);
        Assert.Equal(3, voss.RequestsTo("POST /api/tool/BulkLoad/").Count());
        Assert.Single(voss.Voss.Transactions);
    }

    [Theory]
    [InlineData(VossFaultShape.CodeAndMessage, "4400")]
    [InlineData(VossFaultShape.ErrorText, null)]
    [InlineData(VossFaultShape.ErrorObject, null)]
    [InlineData(VossFaultShape.Detail, null)]
    [InlineData(VossFaultShape.Errors, null)]
    [InlineData(VossFaultShape.Text, null)]
    [InlineData(VossFaultShape.Html, null)]
    public async Task Fault_of_any_form_says_what_the_server_said(VossFaultShape shape, string? code)
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.FaultShape = shape);
        IngestException error = await VossHarness.ErrorOfAsync(() => voss.Client.StartAsync("users.xlsx", "sys.nowhere", voss.Soon));
        Assert.Equal(
            (ErrorId.Rejected, "The hierarchy sys.nowhere does not exist.", code),
            (error.ErrorId, error.ServerMessage, error.Code)
        );
    }

    [Fact]
    public async Task Fault_without_a_body_still_tells_what_was_tried()
    {
        await using VossHarness voss = await VossHarness.StartAsync(o => o.FaultShape = VossFaultShape.Empty);
        IngestException error = await VossHarness.ErrorOfAsync(() => voss.Client.StartAsync("users.xlsx", "sys.nowhere", voss.Soon));
        Assert.Contains("400", error.Message, StringComparison.Ordinal);
        Assert.Contains("start bulk load", error.Message, StringComparison.Ordinal);
        Assert.Contains("hierarchy", error.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_word_is_shown_warned_about_once_and_never_ends_a_wait()
    {
        TaskCompletionSource row = new();
        await using VossHarness voss = await VossHarness.StartAsync(o =>
        {
            o.Word = status => status == "Processing" ? "Pondering" : status;
            o.BeforeRow = _ => row.Task;
        });
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org"));
        await voss.WaitUntilAsync(() => voss.Voss.Transactions[0].Status == "Processing");

        Task<List<WaitEvent>> waiting = voss.WaitAsync([load]);
        await voss.WaitUntilAsync(() => voss.RequestsTo("/poll/").Count() > 3);
        row.SetResult();
        List<WaitEvent> events = await waiting;

        Assert.Contains(
            events.OfType<WaitEvent.Seen>(),
            seen => seen.Transaction is { ServerStatus: "Pondering", Status: TransactionStatus.Running }
        );
        Assert.Single(
            voss.Log.At(Microsoft.Extensions.Logging.LogLevel.Warning),
            warning => warning.Contains("Pondering", StringComparison.Ordinal)
        );
        Assert.Equal(TransactionStatus.Succeeded, events.OfType<WaitEvent.Ended>().Single().Transaction.Status);
    }

    [Fact]
    public async Task Look_at_one_follows_its_parts_down_to_the_rows_that_failed_and_reads_the_log()
    {
        await using VossHarness voss = await VossHarness.StartAsync(BadFails);
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org", "bad"));
        await voss.FollowAsync(load);

        Transaction seen = await voss.Transactions.LookAsync(TransactionSources.Parse(load.Id).Transaction, voss.Soon);

        Assert.Equal(["Execute Resource", "Create Bulk Load", "Create User"], seen.SubTransactions!.Select(t => t.Action));
        SubTransaction row = seen.SubTransactions![2];
        Assert.Equal(("Users", 4, "The email is not valid.", TransactionStatus.Failed), (row.Sheet, row.Row, row.Message, row.Status));
        Assert.Contains(seen.Log!, entry => entry.Message == "users.xlsx is a valid workbook" && entry.Time?.Offset == TimeSpan.Zero);
        Assert.Equal("1c055772c0deab00da000003", seen.Hierarchy);
        Assert.True(DateTimeOffset.UtcNow - seen.SubmittedAt < TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Rows_done_so_far_are_counted_while_a_load_runs()
    {
        TaskCompletionSource third = new();
        await using VossHarness voss = await VossHarness.StartAsync(o =>
            o.BeforeRow = row => row.Number == 5 ? third.Task : Task.CompletedTask
        );
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org", "b@example.org", "c@example.org"));
        await voss.WaitUntilAsync(() => voss.Voss.Transactions[0].SubTransactions is [{ SubTransactions.Count: 3 }, ..]);

        Transaction seen = await voss.Transactions.LookAsync(load, voss.Soon);

        Assert.Equal((TransactionStatus.Running, 2L, null), (seen.Status, seen.Completed, seen.Total));
        third.SetResult();
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("reset-answer")]
    public async Task Answer_that_breaks_off_is_read_again_and_no_row_is_taken_twice(string fault)
    {
        await using VossHarness voss = await VossHarness.StartAsync(BadFails + (o => o.RequestsPerSecond = null), time: new QuickTime(20));
        Transaction load = await voss.StartLoadAsync(
            voss.Write("users.xlsx", [.. Enumerable.Repeat("bad", 20), .. Enumerable.Repeat("a@example.org", 80)])
        );
        await voss.FollowAsync(load);
        string step = voss.Voss.Transactions[0].SubTransactions[0].Pkid;
        voss.SetFaults($"{fault}=2,GET /api/tool/Transaction/{step}/");

        Transaction seen = await voss.Transactions.LookAsync(load, voss.Soon);

        Assert.Equal(20, seen.SubTransactions!.Count(t => t.Status == TransactionStatus.Failed));
        Assert.Equal((80L, 100L), (seen.Completed, seen.Total));
        Assert.Equal(2, voss.Server.Requests.Settled().Count(r => r.Fault == fault));
    }

    [Theory]
    [InlineData("voss:0b340a6f-b658-48bb-ac8c-7562adc5572d")]
    [InlineData("voss:no-such-id")]
    public async Task Transaction_that_does_not_exist_is_not_found(string id)
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        Transaction unknown = TransactionSources.Parse(id).Transaction;

        IngestException looked = await VossHarness.ErrorOfAsync(() => voss.Transactions.LookAsync(unknown, voss.Soon));
        List<WaitEvent> waited = await voss.WaitAsync([unknown]);

        Assert.Equal(ErrorId.NotFound, looked.ErrorId);
        Assert.Equal(ErrorId.NotFound, waited.OfType<WaitEvent.Failed>().Single().Error.ErrorId);
        Assert.Contains("tidied up", looked.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_that_vanishes_during_a_wait_ends_that_wait_alone()
    {
        TaskCompletionSource row = new();
        await using VossHarness voss = await VossHarness.StartAsync(o => o.BeforeRow = _ => row.Task);
        Transaction gone = await voss.StartLoadAsync(voss.Write("gone.xlsx", "a@example.org"));
        Transaction stays = await voss.StartLoadAsync(voss.Write("stays.xlsx", "a@example.org"));
        Task<List<WaitEvent>> waiting = voss.WaitAsync([gone, stays]);
        await voss.WaitUntilAsync(() => voss.RequestsTo("/poll/").Any());

        voss.Voss.Forget(voss.Voss.Transactions.Single(t => t.FileName == "gone.xlsx"));
        await voss.WaitUntilAsync(() => voss.RequestsTo($"{gone.TransactionId}/poll/").Any());
        row.SetResult();
        List<WaitEvent> events = await waiting;

        Assert.Equal(
            (gone.Id, ErrorId.NotFound),
            events.OfType<WaitEvent.Failed>().Select(e => (e.Transaction.Id, e.Error.ErrorId)).Single()
        );
        Assert.Equal(stays.Id, events.OfType<WaitEvent.Ended>().Single().Transaction.Id);
    }

    [Theory]
    [InlineData("POST", VossTransactionShape.Flat)]
    [InlineData("GET", VossTransactionShape.MetaAndData)]
    public async Task Running_load_is_stopped_by_the_action_that_it_offers(string method, VossTransactionShape shape)
    {
        TaskCompletionSource row = new();
        await using VossHarness voss = await VossHarness.StartAsync(o =>
        {
            o.CancelMethod = method;
            o.TransactionShape = shape;
            o.BeforeRow = _ => row.Task;
        });
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org", "b@example.org"));
        await voss.WaitUntilAsync(() => voss.Voss.Transactions[0].Status == "Processing");

        Transaction stopping = await voss.Transactions.StopAsync(load, voss.Soon);
        row.SetResult();
        List<WaitEvent> events = await voss.WaitAsync([stopping]);

        Assert.Equal(TransactionStatus.Canceled, events.OfType<WaitEvent.Ended>().Single().Transaction.Status);
        Assert.Contains("Transaction canceled", events.OfType<WaitEvent.Failed>().Single().Error.Message, StringComparison.Ordinal);
        Assert.Empty(voss.RequestsTo("replay"));
    }

    [Fact]
    public async Task Stop_says_so_where_there_is_nothing_to_stop_or_no_way_to()
    {
        TaskCompletionSource row = new();
        await using VossHarness voss = await VossHarness.StartAsync(o =>
        {
            o.OffersCancel = false;
            o.BeforeRow = _ => row.Task;
        });
        Transaction load = await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org"));

        IngestException noWay = await VossHarness.ErrorOfAsync(() => voss.Transactions.StopAsync(load, voss.Soon));
        row.SetResult();
        await voss.FollowAsync(load);
        IngestException ended = await VossHarness.ErrorOfAsync(() => voss.Transactions.StopAsync(load, voss.Soon));

        Assert.All([noWay, ended], e => Assert.Equal(ErrorId.CannotCancel, e.ErrorId));
        Assert.Contains("portal", noWay.Advice, StringComparison.Ordinal);
        Assert.Contains("Succeeded", ended.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_failed_rows_are_asked_for_their_reasons_a_hundred_times_and_no_more()
    {
        await using VossHarness voss = await VossHarness.StartAsync(BadFails + (o => o.RequestsPerSecond = null), time: new QuickTime(20));
        Transaction load = await voss.StartLoadAsync(
            voss.Write(
                "users.xlsx",
                [.. Enumerable.Range(1, 150).Select(i => string.Create(CultureInfo.InvariantCulture, $"bad{i}")), "good"]
            )
        );

        (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(load);

        Assert.Equal((1L, 151L), (ended.Completed, ended.Total));
        Assert.Equal(101, errors.Count);
        Assert.Equal("Sheet Users, row 3", errors[0].Target);
        Assert.Contains("150 items failed", errors[100].Message, StringComparison.Ordinal);
        Assert.Contains($"(Get-Transaction {ended.Id}).SubTransactions", errors[100].Advice, StringComparison.Ordinal);
        int gets = voss.RequestsTo("GET /api/tool/Transaction/").Count(r => !r.Contains("/poll/", StringComparison.Ordinal));
        Assert.InRange(gets, 103, 105);
    }

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    [InlineData("th-TH")]
    public async Task Culture_and_calendar_make_no_difference(string culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            await using VossHarness voss = await VossHarness.StartAsync(BadFails + (o => o.Word = s => s.ToUpperInvariant()));
            (Transaction ended, List<IngestException> errors) = await voss.FollowAsync(
                await voss.StartLoadAsync(voss.Write("users.xlsx", "a@example.org", "bad"))
            );
            UploadResult unique = await voss.SendAsync(voss.Write("i.xlsx", "a@example.org"), uniqueNames: true);

            Assert.Equal((TransactionStatus.PartlySucceeded, 1L, 2L), (ended.Status, ended.Completed, ended.Total));
            Assert.Equal("Sheet Users, row 4", Assert.Single(errors).Target);
            Assert.True((DateTimeOffset.UtcNow - ended.SubmittedAt)?.Duration() < TimeSpan.FromMinutes(5));
            Assert.Contains($"-{DateTime.UtcNow.Year.ToString(CultureInfo.InvariantCulture)}", unique.FileName, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
