using System.Net;
using System.Runtime.CompilerServices;
using IngestTools.Connections;
using IngestTools.Sandbox.Services.Ica;
using IngestTools.Services.Ica;
using IngestTools.Transactions;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>How linking batches are made.</summary>
public sealed class LinkingBatchTests
{
    private const string BatchRoute = "/dataLinkingBatch";

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Sixty_thousand_ids_are_three_batches_with_each_id_once_and_in_order()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();

        List<LinkingResult> results = await ica.LinkAsync(IcaHarness.Ids(60_000).Concat(IcaHarness.Ids(10)));

        Assert.Equal([25_000L, 25_000L, 10_000L], results.Select(result => result.Transaction?.Total));
        Assert.Equal(IcaHarness.Ids(60_000), ica.Batches.SelectMany(batch => batch.DataIds));
        Assert.Equal(results.Select(result => result.Transaction!.BatchId), ica.Batches.Select(batch => batch.Id.ToString()));
        Transaction first = results[0].Transaction!;
        Assert.Equal($"ica:{IcaHarness.ProjectId}/{first.BatchId}", first.Id);
        Assert.Equal((TransactionKind.LinkingBatch, "items", "Ica"), (first.Kind, first.Unit, first.Connection));
        Assert.NotNull(first.JobId);
    }

    [Fact]
    public async Task Batch_leaves_as_soon_as_it_is_full_while_ids_still_come()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        using CancellationTokenSource soon = new(TimeLimit);
        TaskCompletionSource started = new();
        int read = 0;
        List<Transaction> batches = [];
        await foreach (
            LinkingResult result in ica.Client.LinkAsync(
                IcaHarness.ProjectId,
                ReadAsync(soon.Token),
                new LinkingOptions { BatchSize = 100 },
                soon.Token
            )
        )
        {
            batches.Add(result.Transaction!);
            started.TrySetResult();
        }

        Assert.Equal([100L, 50L], batches.Select(batch => batch.Total));

        async IAsyncEnumerable<string> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (string id in IcaHarness.Ids(150))
            {
                // The second hundred comes only after the first has left.
                if (++read == 101)
                    await started.Task.WaitAsync(cancellationToken);
                yield return id;
            }
        }
    }

    [Fact]
    public async Task Projects_are_listed_with_their_names()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        await ica.StartAsync(IcaHarness.Id(1));

        KeyValuePair<string, string> project = Assert.Single(await ica.Client.ListProjectsAsync(ica.Soon));

        Assert.Equal((IcaHarness.ProjectId, "project-8e7d9d4c"), (project.Key, project.Value));
    }

    [Fact]
    public async Task Nothing_to_send_sends_nothing()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        Assert.Empty(await ica.LinkAsync([]));
        Assert.Equal(0, ica.Server.Requests.Ended);
    }

    [Fact]
    public async Task Blanks_around_an_id_are_left_out_and_an_id_that_cannot_be_one_is_an_error_of_its_own()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();

        List<LinkingResult> results = await ica.LinkAsync([
            $" {IcaHarness.Id(1)}\t",
            "",
            "  ",
            "fil.a b",
            new string('x', 256),
            IcaHarness.Id(1),
            IcaHarness.Id(2),
        ]);

        Assert.Equal([IcaHarness.Id(1), IcaHarness.Id(2)], Assert.Single(ica.Batches).DataIds);
        IngestException[] errors = results.Select(result => result.Error).OfType<IngestException>().ToArray();
        Assert.All(errors, error => Assert.Equal(ErrorId.Rejected, error.ErrorId));
        Assert.Equal(["Id number 2 is blank.", "Id number 3 is blank."], errors[..2].Select(error => error.Message));
        // A target is what is sent again.
        Assert.Null(errors[0].Target);
        Assert.Contains("'fil.a b' (id number 4) has blanks in it", errors[2].Message, StringComparison.Ordinal);
        Assert.Contains("256 characters", errors[3].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Id_of_an_unusual_form_is_warned_about_and_sent()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();

        await ica.LinkAsync(Enumerable.Range(0, 30).Select(number => $"odd\"{number}").Append(IcaHarness.Id(1)));

        Assert.Equal(31, Assert.Single(ica.Batches).DataIds.Count);
        Assert.Equal("odd\"29", ica.Batches[0].DataIds[29]);
        IReadOnlyList<string> warnings = ica.Log.At(LogLevel.Warning);
        Assert.Equal(11, warnings.Count);
        Assert.StartsWith("odd\"0 does not look like an id of data", warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("30 ids in all", warnings[10], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ids_that_differ_in_case_are_two()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        await ica.StartAsync("fil.abcdefabcdefabcdefabcdefabcdefab", "fil.ABCDEFABCDEFABCDEFABCDEFABCDEFAB");
        Assert.Equal(2, ica.Batches[0].DataIds.Count);
    }

    [Fact]
    public async Task Lost_answer_is_not_followed_by_a_second_start_but_found_among_the_jobs()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        await ica.StartAsync(IcaHarness.Id(1), IcaHarness.Id(2));
        await ica.StartAsync(IcaHarness.Id(100));
        ica.SetFaults($"lost=1,POST /**{BatchRoute}");

        Transaction found = await ica.StartAsync([.. IcaHarness.Ids(300)]);

        Assert.Equal(3, ica.Count("POST", BatchRoute));
        Assert.Equal(ica.Batches[2].Id.ToString(), found.BatchId);
        Assert.Equal((300L, ica.Batches[2].JobId.ToString()), (found.Total, found.JobId));
        Assert.Contains("answer to the start was lost", found.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(150, 300)]
    [InlineData(3, 3)]
    public async Task Batch_that_was_started_before_is_not_taken_for_a_lost_one(int before, int lost)
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        using IngestConnection quick = ica.Connect(new QuickTime(50));
        IcaClient client = new(quick, ica.Log);
        await IcaHarness.LinkAsync(client, IcaHarness.Ids(before));
        ica.SetFaults($"500=1,POST /**{BatchRoute}");

        IngestException? error = Assert.Single(await IcaHarness.LinkAsync(client, IcaHarness.Ids(lost))).Error;

        Assert.Equal(ErrorId.OutcomeUnknown, error?.ErrorId);
        Assert.Contains("no job shows that it began", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_that_another_session_started_and_that_begins_alike_is_not_taken_for_a_lost_one()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        using IngestConnection quick = ica.Connect(new QuickTime(50));
        await ica.StartAsync([.. IcaHarness.Ids(150)]);
        ica.SetFaults($"500=1,POST /**{BatchRoute}");
        IngestException? error = Assert.Single(await IcaHarness.LinkAsync(new IcaClient(quick, ica.Log), IcaHarness.Ids(300))).Error;
        Assert.Equal(ErrorId.OutcomeUnknown, error?.ErrorId);
    }

    [Theory]
    [InlineData("400")]
    [InlineData("stall")]
    public async Task Lost_answer_of_a_server_whose_jobs_cannot_be_looked_at_is_told_as_that(string fault)
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        using IngestConnection quick = ica.Connect(new QuickTime(50));
        ica.SetFaults($"500=1,POST /**{BatchRoute}", $"{fault}=GET /**/jobs");
        IngestException? error = Assert.Single(await IcaHarness.LinkAsync(new IcaClient(quick, ica.Log), [IcaHarness.Id(1)])).Error;
        Assert.Equal(ErrorId.OutcomeUnknown, error?.ErrorId);
        Assert.Contains("the jobs could not be looked at", error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("no job shows", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fil.%", "half of a character")]
    [InlineData("%fil.", "half of a character")]
    [InlineData("ICA:p/7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60", "is the id of a transaction")]
    public async Task Text_that_cannot_be_an_id_of_data_is_an_error_of_its_own(string text, string words)
    {
        // An attribute cannot hold half of a character.
        string id = text.Replace('%', '\ud83d');
        await using IcaHarness ica = await IcaHarness.StartAsync();

        List<LinkingResult> results = await ica.LinkAsync([IcaHarness.Id(1), id, "fil.\ud83d\ude00"]);

        Assert.Equal([IcaHarness.Id(1), "fil.\ud83d\ude00"], Assert.Single(ica.Batches).DataIds);
        IngestException error = Assert.Single(results, result => result.Error is not null).Error!;
        Assert.Equal((ErrorId.Rejected, id), (error.ErrorId, error.Target));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_whose_pages_go_round_in_a_circle_leaves_its_batch_unsent()
    {
        await using RawIca ica = new(_ => """{"items":[],"nextPageToken":"again"}""");
        LinkingResult result = Assert.Single(
            await IcaHarness.LinkAsync(ica.Client, [IcaHarness.Id(1)], new LinkingOptions { ChecksEligible = true })
        );
        Assert.Equal(ErrorId.InvalidAnswer, result.Error?.ErrorId);
        Assert.Contains("go round in a circle", result.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_reads_all_pages_where_an_id_comes_twice()
    {
        await using RawIca ica = new(path =>
            path.Contains("pageToken", StringComparison.Ordinal) ? $$"""{"items":[{"id":"{{IcaHarness.Id(2)}}"}]}"""
            : path.Contains("eligibleForLinking", StringComparison.Ordinal)
                ? $$"""{"items":[{"id":"{{IcaHarness.Id(1)}}"},{"id":"{{IcaHarness.Id(1)}}"}],"nextPageToken":"2"}"""
            : """{"id":"7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60"}"""
        );
        LinkingResult result = Assert.Single(
            await IcaHarness.LinkAsync(ica.Client, [IcaHarness.Id(1), IcaHarness.Id(2)], new LinkingOptions { ChecksEligible = true })
        );
        Assert.Equal(2, result.Transaction?.Total);
    }

    [Fact]
    public async Task Answer_that_cannot_be_read_is_told_by_its_place_and_not_with_the_owner_s_address()
    {
        await using RawIca ica = new(_ =>
            """{"id":"7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60","job":{"owner":{"email":"robin@example.com"},"status":{}}}"""
        );
        IcaRoutes routes = new(ica.Connection, BatchOperation.Linking, new RecordingLogger());
        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            routes.GetAsync("p", Guid.NewGuid().ToString(), CancellationToken.None)
        );
        Assert.Contains("$.job.status", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("robin", error + error.ServerMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reset-body")]
    [InlineData("502")]
    [InlineData("html")]
    [InlineData("empty")]
    public async Task Batch_of_which_nothing_is_heard_ends_as_unknown_with_its_ids_and_is_sent_once(string fault)
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        using IngestConnection quick = ica.Connect(new QuickTime(50));
        // Of other ids, and as old as the start: it must not be taken for the lost one.
        await ica.StartAsync(IcaHarness.Id(1), IcaHarness.Id(99));
        ica.SetFaults($"{fault}=1,POST /**{BatchRoute}");

        List<LinkingResult> results = await IcaHarness.LinkAsync(new IcaClient(quick, ica.Log), [IcaHarness.Id(1), IcaHarness.Id(2)]);

        IngestException error = Assert.Single(results).Error!;
        Assert.Equal(ErrorId.OutcomeUnknown, error.ErrorId);
        Assert.Equal([IcaHarness.Id(1), IcaHarness.Id(2)], Assert.IsAssignableFrom<IEnumerable<string>>(error.Target));
        Assert.Contains("ALREADY_LINKED", error.Advice, StringComparison.Ordinal);
        Assert.Equal(2, ica.Count("POST", BatchRoute));
    }

    [Fact]
    public async Task Batch_that_was_refused_does_not_hide_those_that_were_started()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        List<LinkingResult> results = [];
        await foreach (LinkingResult result in ica.Client.LinkAsync(IcaHarness.ProjectId, Stream(), new LinkingOptions { BatchSize = 2 }))
            results.Add(result);

        Assert.Equal([true, false, true], results.Select(result => result.Transaction is not null));
        Assert.Equal(ErrorId.Rejected, results[1].Error!.ErrorId);
        Assert.Equal([IcaHarness.Id(2), IcaHarness.Id(3)], Assert.IsAssignableFrom<IEnumerable<string>>(results[1].Error!.Target));
        Assert.Contains("2 ids", results[1].Error!.Message, StringComparison.Ordinal);

        async IAsyncEnumerable<string> Stream()
        {
            foreach (int number in Enumerable.Range(0, 6))
            {
                if (number == 3)
                    ica.SetFaults($"400=1,POST /**{BatchRoute}");
                yield return IcaHarness.Id(number);
            }

            await Task.CompletedTask;
        }
    }

    [Fact]
    public async Task Busy_server_that_says_it_did_not_act_is_asked_again()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        ica.SetFaults($"429=1,POST /**{BatchRoute}", $"503=1,1s,POST /**{BatchRoute}");
        Assert.NotNull((await ica.StartAsync(IcaHarness.Id(1))).BatchId);
        Assert.Single(ica.Batches);
    }

    [Fact]
    public async Task Body_that_is_refused_is_told_with_what_is_wrong_in_it()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        IcaRoutes routes = new(ica.Connection, BatchOperation.Linking, ica.Log);

        IngestException error = await Assert.ThrowsAsync<IngestException>(() =>
            routes.CreateAsync(IcaHarness.ProjectId, """{"items":[{"dataId":""}]}"""u8.ToArray(), CancellationToken.None)
        );

        Assert.Equal((ErrorId.Rejected, HttpStatusCode.BadRequest, "ICA_API_002"), (error.ErrorId, error.StatusCode, error.Code));
        Assert.Contains(
            "Request validation failed (items[0].dataId: size must be between 1 and 255)",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData(" ")]
    [InlineData("..")]
    [InlineData("a b")]
    public void Text_that_is_no_project_is_refused(string? project)
    {
        IngestException error = Assert.Throws<IngestException>(() => new LinkingBatchCollector(project!));
        Assert.Equal(ErrorId.Rejected, error.ErrorId);
    }

    [Fact]
    public async Task Project_without_the_right_is_told_as_such()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.Forbids = _ => true);
        IngestException error = Assert.Single(await ica.LinkAsync([IcaHarness.Id(1)])).Error!;
        Assert.Equal((ErrorId.NotAllowed, HttpStatusCode.Forbidden), (error.ErrorId, error.StatusCode));
        Assert.Contains(IcaHarness.ProjectId, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checked_ids_that_are_not_eligible_are_errors_and_are_not_sent()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.IsNotShared = IcaOptions.IdsLike("*7"));

        List<LinkingResult> results = await ica.LinkAsync(IcaHarness.Ids(250), new LinkingOptions { ChecksEligible = true });

        string[] refused = [.. IcaHarness.Ids(250).Where(id => id.EndsWith('7'))];
        Assert.Equal(refused, results.Select(result => result.Error?.Target).OfType<string>());
        Assert.Equal(IcaHarness.Ids(250).Except(refused), Assert.Single(ica.Batches).DataIds);
        Assert.Equal(3, ica.Count("GET", "/eligibleForLinking"));
    }

    [Fact]
    public async Task Checked_ids_of_which_none_is_eligible_start_nothing()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync(options => options.IsMissing = _ => true);
        LinkingResult result = Assert.Single(await ica.LinkAsync([IcaHarness.Id(1)], new LinkingOptions { ChecksEligible = true }));
        Assert.Equal(ErrorId.Rejected, result.Error?.ErrorId);
        Assert.Empty(ica.Batches);
    }

    [Fact]
    public async Task Check_that_fails_leaves_its_batch_unsent()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        ica.SetFaults("404=GET /**/eligibleForLinking");
        LinkingResult result = Assert.Single(await ica.LinkAsync([IcaHarness.Id(1)], new LinkingOptions { ChecksEligible = true }));
        Assert.Equal(ErrorId.NotFound, result.Error?.ErrorId);
        Assert.Equal([IcaHarness.Id(1)], Assert.IsAssignableFrom<IEnumerable<string>>(result.Error!.Target));
        Assert.Empty(ica.Batches);
    }

    [Fact]
    public async Task Another_kind_of_batch_needs_no_more_than_a_row()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        BatchOperation moving = BatchOperation.Linking with
        {
            Name = "move batch",
            Segment = "dataMoveBatch",
            CreateMedia = BatchOperation.CommonMedia,
            ItemsMedia = BatchOperation.CommonMedia,
            SearchesItems = true,
            Done = ["MOVED"],
            Failing = ["FAILED", "PARTIALLY_MOVED"],
            Going = ["QUEUED", "MOVING"],
        };
        IcaRoutes routes = new(ica.Connection, moving, ica.Log);
        BatchPath batch = new("p", Guid.NewGuid().ToString());

        await Assert.ThrowsAsync<IngestException>(() => routes.CreateAsync("p", "{}"u8.ToArray(), CancellationToken.None));
        await Assert.ThrowsAsync<IngestException>(() => routes.ListItemsAsync(batch, moving.Failing, 10, null, CancellationToken.None));

        var requests = ica
            .Server.Requests.Settled()
            .Where(request => request.Target.Contains("dataMoveBatch", StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(
            ["/ica/rest/api/projects/p/dataMoveBatch", $"/ica/rest/api/projects/p/dataMoveBatch/{batch.BatchId}/items:search?pageSize=10"],
            requests.Select(request => request.Target)
        );
        Assert.All(requests, request => Assert.Equal(("POST", BatchOperation.CommonMedia), (request.Method, request.ContentType)));
        Assert.Equal(
            [ItemState.Done, ItemState.Going, ItemState.Failed, ItemState.Unknown],
            new[] { "MOVED", "MOVING", "PARTIALLY_MOVED", "SHELVED" }.Select(moving.StateOf)
        );
    }

    [Theory]
    [InlineData("ica:p/7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60", true)]
    [InlineData("ICA:p%2Fq/7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60", true)]
    [InlineData("ica:p", false)]
    [InlineData("ica:p/notauuid", false)]
    [InlineData("ica:/7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60", false)]
    public void Transaction_id_names_project_and_batch(string id, bool isOne)
    {
        if (!isOne)
        {
            Assert.Equal(ErrorId.Rejected, Assert.Throws<IngestException>(() => TransactionSources.Parse(id)).ErrorId);
            return;
        }

        (IngestService service, Transaction transaction) = TransactionSources.Parse(id);
        Assert.Equal(IngestService.Ica, service);
        Assert.Equal("7c0f6a5e-4f0e-4c5e-8a4e-1b2c3d4e5f60", transaction.BatchId);
        Assert.StartsWith("p", transaction.ProjectId, StringComparison.Ordinal);
        Assert.Equal(id[4..], transaction.Id[4..]);
    }
}
