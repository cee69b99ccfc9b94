using IngestTools.Sandbox.Services.Ica;
using IngestTools.Services.Ica;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>How linking batches are looked at, waited for, and read.</summary>
public sealed class LinkingWaitTests
{
    [Fact]
    public async Task Each_item_that_failed_is_one_error_with_its_id_and_the_servers_reason()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options =>
        {
            options.IsNotShared = IcaOptions.IdsLike(IcaHarness.Id(3));
            options.LinksPartly = IcaOptions.IdsLike("fol.*");
        });
        string folder = IcaHarness.Id(8, "fol");

        List<WaitEvent> events = await ica.WaitAsync(await ica.StartAsync([.. IcaHarness.Ids(5), folder]));

        IngestException[] errors = events.OfType<WaitEvent.Failed>().Select(failed => failed.Error).ToArray();
        Assert.Equal([IcaHarness.Id(3), folder], errors.Select(error => error.Target));
        Assert.All(errors, error => Assert.Equal(ErrorId.ItemFailed, error.ErrorId));
        Assert.Contains("Data sharing is not enabled", errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("PARTIALLY_LINKED: Some of the contents", errors[1].Message, StringComparison.Ordinal);
        Transaction ended = Assert.IsType<WaitEvent.Ended>(events[^1]).Transaction;
        Assert.Equal(
            (TransactionStatus.PartlySucceeded, "PARTIALLY_SUCCEEDED", 4L, 6L),
            (ended.Status, ended.ServerStatus, ended.Completed, ended.Total)
        );
        Assert.Equal("2 of 6 items were not linked.", ended.Message);
    }

    [Theory]
    [InlineData("INITIALIZED", TransactionStatus.Queued)]
    [InlineData("WAITING_FOR_RESOURCES", TransactionStatus.Queued)]
    [InlineData("RUNNING", TransactionStatus.Running)]
    [InlineData("STOPPED", TransactionStatus.Canceled)]
    [InlineData("SUCCEEDED", TransactionStatus.Succeeded)]
    [InlineData("PARTIALLY_SUCCEEDED", TransactionStatus.PartlySucceeded)]
    [InlineData("FAILED", TransactionStatus.Failed)]
    [InlineData("INITIALISED", TransactionStatus.Running)]
    [InlineData("Succeeded?", TransactionStatus.Running)]
    public async Task State_of_a_job_means_what_it_says_and_an_unknown_one_goes_on(string word, TransactionStatus status)
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        ica.Options.SaysOfJobs = word;

        Transaction seen = await ica.LookAsync(batch);
        await ica.LookAsync(seen);

        Assert.Equal((status, word), (seen.Status, seen.ServerStatus));
        bool isKnown = word is not ("INITIALISED" or "Succeeded?");
        Assert.Equal(isKnown ? 0 : 1, ica.Log.At(LogLevel.Warning).Count);
    }

    [Fact]
    public async Task Unknown_state_does_not_end_a_wait()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.SaysOfJobs = "PAUSED");
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));

        Task<List<WaitEvent>> wait = ica.WaitAsync(batch);
        await ica.WaitUntilAsync(() => ica.Count("GET", batch.BatchId!) >= 3);
        Assert.False(wait.IsCompleted);
        ica.Options.SaysOfJobs = null;

        Assert.IsType<WaitEvent.Ended>((await wait)[^1]);
        Assert.Single(ica.Log.At(LogLevel.Warning));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Batch_whose_job_is_null_ends_with_its_items(bool isJobKnown)
    {
        FakeTimeProvider time = new();
        await using IcaHarness ica = await IcaHarness.StartAsync(
            options =>
            {
                options.TimePerItem = TimeSpan.FromSeconds(1);
                options.LinkFails = IcaOptions.IdsLike(IcaHarness.Id(1));
                options.HidesJob = true;
            },
            time
        );
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(3)]);
        Assert.Null(batch.JobId);
        batch = isJobKnown ? batch with { JobId = ica.Batches[0].JobId.ToString() } : batch;

        Transaction going = await ica.LookAsync(batch);
        time.Advance(TimeSpan.FromSeconds(10));
        Transaction ended = await ica.LookAsync(going);

        Assert.Equal(TransactionStatus.Running, going.Status);
        Assert.Equal((TransactionStatus.PartlySucceeded, 2L, 3L), (ended.Status, ended.Completed, ended.Total));
        Assert.Equal(isJobKnown ? "PARTIALLY_SUCCEEDED" : null, ended.ServerStatus);
        Assert.Equal(IcaHarness.Id(1), Assert.Single((await ica.WaitAsync(ended)).OfType<WaitEvent.Failed>()).Error.Target);
    }

    [Fact]
    public async Task What_a_stopped_job_left_running_is_one_error_each()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.StopsAfter = 2);

        List<WaitEvent> events = await ica.WaitAsync(await ica.StartAsync([.. IcaHarness.Ids(4)]));

        Assert.Equal([IcaHarness.Id(2), IcaHarness.Id(3)], events.OfType<WaitEvent.Failed>().Select(failed => failed.Error.Target));
        Assert.Contains(
            "the job ended and left it RUNNING",
            events.OfType<WaitEvent.Failed>().First().Error.Message,
            StringComparison.Ordinal
        );
        Transaction ended = events[^1].Transaction;
        Assert.Equal((TransactionStatus.Canceled, "STOPPED", 2L), (ended.Status, ended.ServerStatus, ended.Completed));
    }

    [Fact]
    public async Task Item_in_a_state_that_nobody_knows_is_told_where_the_job_failed()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.SaysOfLinked = "SHELVED");
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        ica.Options.SaysOfJobs = "FAILED";

        IngestException error = Assert.Single((await ica.WaitAsync(batch)).OfType<WaitEvent.Failed>()).Error;

        Assert.Equal(IcaHarness.Id(1), error.Target);
        Assert.Contains("the server says SHELVED", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Job_that_succeeded_with_a_folder_linked_in_part_succeeded_partly()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.LinksPartly = _ => true);
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1), IcaHarness.Id(2, "fol"));
        ica.Options.SaysOfJobs = "SUCCEEDED";

        List<WaitEvent> events = await ica.WaitAsync(batch);

        Assert.Equal(TransactionStatus.PartlySucceeded, events[^1].Transaction.Status);
        Assert.Equal(IcaHarness.Id(2, "fol"), Assert.Single(events.OfType<WaitEvent.Failed>()).Error.Target);
    }

    [Fact]
    public async Task Job_that_succeeded_is_not_believed_where_its_items_cannot_be_counted()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.LinksPartly = _ => true);
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1), IcaHarness.Id(2, "fol"));
        ica.Options.SaysOfJobs = "SUCCEEDED";

        ica.SetFaults("400=1,GET /**/items");
        Transaction seen = await ica.LookAsync(batch);
        ica.SetFaults("400=GET /**/items");
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => ica.LookAsync(batch));

        Assert.Equal((TransactionStatus.PartlySucceeded, null), (seen.Status, seen.Completed));
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
    }

    [Fact]
    public async Task What_a_failed_job_left_running_is_told_with_what_failed_and_each_once()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options =>
        {
            options.StopsAfter = 2;
            options.LinkFails = IcaOptions.IdsLike(IcaHarness.Id(0));
        });
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(4)]);
        ica.Options.SaysOfJobs = "FAILED";

        List<WaitEvent> events = await ica.WaitAsync(batch);

        Assert.Equal(
            [IcaHarness.Id(0), IcaHarness.Id(2), IcaHarness.Id(3)],
            events.OfType<WaitEvent.Failed>().Select(failed => failed.Error.Target)
        );
    }

    [Theory]
    [InlineData("/items")]
    [InlineData("/jobs")]
    public async Task Null_in_a_page_is_a_clear_error(string route)
    {
        await using RawIca ica = new(_ => """{"items":[null]}""");
        IcaRoutes routes = new(ica.Connection, BatchOperation.Linking, new RecordingLogger());
        IngestException error = await Assert.ThrowsAsync<IngestException>(async () =>
        {
            if (route == "/jobs")
                await routes.ListJobsAsync(0, 10, CancellationToken.None);
            else
                await new BatchItems(routes)
                    .ReadAsync(new BatchPath("p", "b"), [], 10, CancellationToken.None)
                    .GetAsyncEnumerator()
                    .MoveNextAsync();
        });
        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains("an item that is null", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_counts_items_that_ended()
    {
        FakeTimeProvider time = new();
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.TimePerItem = TimeSpan.FromSeconds(1), time);
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(10)]);
        time.Advance(TimeSpan.FromSeconds(4));

        Transaction known = await ica.LookAsync(batch);
        Transaction ofIdAlone = await ica.LookAsync(TransactionSources.Parse(batch.Id).Transaction);

        Assert.Equal((TransactionStatus.Running, 4L, 10L), (known.Status, known.Completed, known.Total));
        Assert.Equal((TransactionStatus.Running, 4L, 10L), (ofIdAlone.Status, ofIdAlone.Completed, ofIdAlone.Total));
        time.Advance(TimeSpan.FromSeconds(60));
        Transaction ended = await ica.LookAsync(ofIdAlone);
        Assert.Equal((TransactionStatus.Succeeded, 10L, TimeSpan.FromSeconds(10)), (ended.Status, ended.Completed, ended.Elapsed));
    }

    [Fact]
    public async Task Batch_cannot_be_stopped_and_goes_on()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1));
        long sent = ica.Server.Requests.Ended;
        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            TransactionSources.For(ica.Connection, ica.Log).StopAsync(batch, CancellationToken.None)
        );
        Assert.Equal((ErrorId.CannotCancel, batch.Id), (error.ErrorId, error.Target));
        Assert.Equal(sent, ica.Server.Requests.Ended);
    }

    [Fact]
    public async Task Batch_that_the_server_does_not_know_is_not_found()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        Transaction none = TransactionSources.Parse($"ica:{IcaHarness.ProjectId}/{Guid.NewGuid()}").Transaction;
        IngestException error = await Assert.ThrowsAsync<IngestException>(() => ica.LookAsync(none));
        Assert.Equal(ErrorId.NotFound, error.ErrorId);
    }

    [Theory]
    [InlineData(IcaCursorEnd.Null)]
    [InlineData(IcaCursorEnd.Absent)]
    [InlineData(IcaCursorEnd.Empty)]
    public async Task Items_are_read_to_the_end_however_the_cursor_says_it(IcaCursorEnd end)
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.CursorEnd = end);
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(250)]);

        List<LinkingBatchItem> items = await ica.ItemsAsync(batch, pageSize: 100);

        Assert.Equal(IcaHarness.Ids(250), items.Select(item => item.DataId));
        Assert.All(items, item => Assert.Equal("LINKED", item.Status));
        Assert.Equal(3, ica.Count("GET", "/items"));
        LinkingBatchItem one = await ica.Client.GetItemAsync(batch.ProjectId!, batch.BatchId!, items[7].ItemId!);
        Assert.Equal(items[7], one);
    }

    [Fact]
    public async Task Items_are_read_by_several_statuses()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options =>
        {
            options.LinkFails = IcaOptions.IdsLike(IcaHarness.Id(2));
            options.LinksPartly = _ => true;
        });
        Transaction batch = await ica.StartAsync(IcaHarness.Id(1), IcaHarness.Id(2), IcaHarness.Id(3, "fol"));
        List<LinkingBatchItem> items = await ica.ItemsAsync(batch, ["FAILED", "PARTIALLY_LINKED"]);
        Assert.Equal(
            [("FAILED", "The data is not available"), ("PARTIALLY_LINKED", "Some of the contents of the folder could not be linked")],
            items.Select(item => (item.Status!, item.Reason!))
        );
    }

    [Fact]
    public async Task Repeated_page_is_an_error_and_not_a_loop()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.RepeatsToken = true);
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(5)]);
        List<LinkingBatchItem> came = [];

        IngestException error = await Assert.ThrowsAsync<IngestException>(async () =>
        {
            await foreach (LinkingBatchItem item in ica.Client.ReadItemsAsync(batch.ProjectId!, batch.BatchId!, pageSize: 2))
                came.Add(item);
        });

        Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
        Assert.Contains("go round in a circle", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(came);
    }

    [Theory]
    [InlineData("400")]
    [InlineData("html")]
    [InlineData("truncated")]
    public async Task Page_that_fails_in_the_middle_keeps_what_came_and_says_where(string fault)
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(connect: settings => settings with { MaxAttempts = 2 });
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(250)]);
        List<LinkingBatchItem> came = [];

        IngestException error = await Assert.ThrowsAsync<IngestException>(async () =>
        {
            await foreach (LinkingBatchItem item in ica.Client.ReadItemsAsync(batch.ProjectId!, batch.BatchId!, pageSize: 100))
            {
                came.Add(item);
                if (came.Count == 150)
                    ica.SetFaults(fault);
            }
        });

        Assert.Equal(200, came.Count);
        Assert.Contains($"batch {batch.BatchId} broke off after 200 items", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_that_fails_once_is_read_again()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        Transaction batch = await ica.StartAsync([.. IcaHarness.Ids(25)]);
        ica.SetFaults("truncated=1", "502=1", "429=1");
        Assert.Equal(IcaHarness.Ids(25), (await ica.ItemsAsync(batch, pageSize: 10)).Select(item => item.DataId));
    }
}
