using System.Text;
using System.Text.Json;
using CsvHelper;
using IngestTools.Reports;
using IngestTools.Units.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Reports;

/// <summary>Reports of what was sent and started: totals, causes, and the formats for programs.</summary>
public sealed class ReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Failures_of_one_cause_are_counted_together_without_the_names_of_their_files()
    {
        ReportContent content = Count(ReportSamples.Mixed());

        ReportCause busy = content.Causes[0];
        Assert.Equal("Project is busy, … not taken.", busy.Text);
        Assert.Equal((25, ErrorId.Conflict, 409, "box/locked 0.tif"), (busy.Count, busy.ErrorId, busy.StatusCode, busy.Example));
        Assert.Equal(content.FailureCount, content.Causes.Where(cause => cause.Outcome != ReportOutcome.Skipped).Sum(cause => cause.Count));
        Assert.Equal(SkipReason.AlreadyIngested, Assert.Single(content.Causes, cause => cause.Outcome == ReportOutcome.Skipped).Reason);
    }

    [Fact]
    public void Name_of_a_file_is_taken_out_of_a_cause_only_where_it_stands_alone()
    {
        ReportContent content = Count([ReportRows.Of(ReportSamples.Failed("a", ErrorId.Rejected, "A name as 'a' has no extension: a."))]);

        Assert.Equal("A name as '…' has no extension: ….", content.Causes[0].Text);
    }

    [Fact]
    public void Totals_are_counted_for_each_kind()
    {
        ReportContent content = Count(ReportSamples.Mixed());

        ReportTotals uploads = Assert.Single(content.Totals, totals => totals.Kind == ReportRowKind.Upload);
        Assert.Equal((242, 27, 1), (uploads[ReportOutcome.Succeeded], uploads[ReportOutcome.Failed], uploads[ReportOutcome.Skipped]));
        ReportTotals transactions = Assert.Single(content.Totals, totals => totals.Kind == ReportRowKind.Transaction);
        Assert.Equal((6, 2), (transactions.Rows, transactions[ReportOutcome.PartlySucceeded]));
        // The sheet that failed with its row is not counted besides it.
        Assert.Equal(1, Assert.Single(content.Totals, totals => totals.Kind == ReportRowKind.TransactionItem).Rows);
    }

    [Fact]
    public void Throughput_has_all_bytes_and_few_intervals_whatever_the_order_of_times()
    {
        ThroughputMeter meter = new();
        for (int i = 0; i < 5000; i++)
        {
            DateTimeOffset began = ReportSamples.Start.AddMinutes(i * 7919 % 5000);
            meter.Add(began, began.AddMinutes(3), 1000);
        }

        Throughput throughput = meter.Complete()!;

        Assert.InRange(throughput.Bytes.Count, 2, ThroughputMeter.MaxIntervals);
        Assert.Equal(5_000_000, throughput.Bytes.Sum(), 1.0);
        Assert.Equal(TimeSpan.FromHours(1), throughput.Interval);
    }

    [Fact]
    public void Upload_is_spread_over_the_time_that_it_took()
    {
        ThroughputMeter meter = new();
        meter.Add(ReportSamples.Start, ReportSamples.Start.AddSeconds(10), 1000);

        Throughput throughput = meter.Complete()!;

        Assert.Equal(100, throughput.Average, 0.001);
        Assert.All(throughput.Bytes, bytes => Assert.Equal(bytes, throughput.Bytes[0], 0.001));
    }

    [Fact]
    public async Task Single_job_has_no_chart_and_several_have_one_that_says_what_it_shows()
    {
        string path = Path.Join(_folder.Path, "report.html");
        IngestJob job = new()
        {
            Id = "job:1",
            Server = "https://dsp.example.org/",
            StartedAt = ReportSamples.Start,
            Bytes = 1 << 20,
        };
        ReportRow[] rows =
        [
            ReportRows.Of(job with { Status = IngestJobStatus.Completed, CompletedAt = ReportSamples.Start.AddMinutes(1) }),
            ReportRows.Of(job with { Status = IngestJobStatus.Completed, CompletedAt = ReportSamples.Start.AddMinutes(2) }),
        ];

        await WriteAsync(path, rows[..1]);
        Assert.DoesNotContain("One bar is", File.ReadAllText(path), StringComparison.Ordinal);

        await WriteAsync(path, rows);
        Assert.Contains("One bar is 2 s. Only beginnings and ends of jobs are known", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("report.xlsx", "'.xlsx' is not a known format")]
    [InlineData("report", "the name has no extension")]
    [InlineData("report.html.bak", "'.bak' is not a known format")]
    public async Task Unknown_format_is_refused_with_those_that_work(string name, string says)
    {
        string path = Path.Join(_folder.Path, name);
        IngestException refused = await Assert.ThrowsAsync<IngestException>(() => WriteAsync(path, []));

        Assert.Equal(ErrorId.Rejected, refused.ErrorId);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.Equal("Give a name that ends in .html, .json, .jsonl or .csv.", refused.Advice);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("report.html")]
    [InlineData("report.json")]
    [InlineData("report.jsonl")]
    [InlineData("report.csv")]
    public async Task No_format_has_a_secret_or_half_a_file(string name)
    {
        string path = Path.Join(_folder.Path, name);
        ReportOutput written = await WriteAsync(path, ReportSamples.Mixed());

        string text = File.ReadAllText(path);
        Assert.Equal(path, written.Path);
        Assert.DoesNotContain("secret-word", text, StringComparison.Ordinal);
        Assert.DoesNotContain("abcdefghijkl", text, StringComparison.Ordinal);
        Assert.DoesNotContain("abcdefghij1234567890", text, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Canceled_report_leaves_the_earlier_one_and_nothing_else()
    {
        string path = Path.Join(_folder.Path, "report.csv");
        File.WriteAllText(path, "earlier");
        using CancellationTokenSource stop = new();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            IngestReport.WriteAsync(path, CancelAfterAsync(20_000, stop), cancellationToken: stop.Token)
        );

        Assert.Equal("earlier", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Earlier_report_is_set_aside()
    {
        string path = Path.Join(_folder.Path, "report.csv");
        File.WriteAllText(path, "earlier");

        ReportOutput written = await WriteAsync(path, ReportSamples.Mixed());

        Assert.Equal("earlier", File.ReadAllText(written.SetAside!));
    }

    [Fact]
    public async Task Json_has_all_rows_the_totals_and_the_causes_with_enums_as_text()
    {
        string path = Path.Join(_folder.Path, "report.json");
        FakeTimeProvider time = new(ReportSamples.Start);
        time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromMinutes(345), "test", "test"));
        await IngestReport.WriteAsync(path, ReportSamples.StreamAsync(ReportSamples.Mixed()), "A <b>title</b>", time);

        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement root = document.RootElement;
        Assert.Equal(["Title", "CreatedAt", "Rows", "Totals", "Causes"], root.EnumerateObject().Select(member => member.Name));
        Assert.Equal("A <b>title</b>", root.GetProperty("Title").GetString());
        Assert.Equal("2026-11-27T02:45:00.000+05:45", root.GetProperty("CreatedAt").GetString());
        Assert.Equal(ReportSamples.Mixed().Count(), root.GetProperty("Rows").GetArrayLength());
        JsonElement first = root.GetProperty("Rows")[0];
        Assert.Equal("Upload", first.GetProperty("Kind").GetString());
        Assert.Equal("Uploaded", first.GetProperty("Status").GetString());
        Assert.Equal("2026-11-26T22:00:00.000+01:00", first.GetProperty("CompletedAt").GetString());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("ErrorId").ValueKind);
        Assert.Equal(242, root.GetProperty("Totals")[0].GetProperty("Succeeded").GetInt32());
        Assert.Equal("Conflict", root.GetProperty("Causes")[0].GetProperty("ErrorId").GetString());
    }

    [Fact]
    public async Task Json_lines_are_one_object_each_with_the_columns_of_their_kind()
    {
        string path = Path.Join(_folder.Path, "report.jsonl");
        await WriteAsync(path, ReportSamples.Mixed());

        string[] lines = File.ReadAllLines(path);
        Assert.Equal(ReportSamples.Mixed().Count(), lines.Length);
        foreach (string line in lines)
        {
            using JsonDocument row = JsonDocument.Parse(line);
            ReportRowKind kind = Enum.Parse<ReportRowKind>(row.RootElement.GetProperty("Kind").GetString()!);
            Assert.Equal(
                ReportColumn.Of(kind).Select(column => column.Name),
                row.RootElement.EnumerateObject().Select(member => member.Name)
            );
        }

        Assert.Contains(lines, line => line.Contains("\"RemoteName\":\"box/\\u003Cscript\\u003E", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Csv_has_each_row_and_no_formula()
    {
        string path = Path.Join(_folder.Path, "report.csv");
        ReportRow[] rows = [.. ReportSamples.Mixed()];
        await WriteAsync(path, rows);

        Assert.Equal(Encoding.UTF8.GetPreamble(), File.ReadAllBytes(path)[..3]);
        await using FileStream file = File.OpenRead(path);
        await using CsvReader csv = CsvReader.Create(file, new CsvReaderOptions { HasHeader = false });
        Assert.True(await csv.ReadAsync());
        Assert.Equal(ReportColumn.All.Select(column => column.Name), Enumerable.Range(0, csv.FieldCount).Select(i => csv.GetString(i)));
        List<string> names = [];
        while (await csv.ReadAsync())
        {
            names.Add(csv.GetString(6));
            for (int i = 0; i < csv.FieldCount; i++)
                Assert.DoesNotMatch(@"^[=+\-@\t\r]", csv.GetString(i));
        }

        Assert.Equal(rows.Length, names.Count);
        Assert.Contains("'=HYPERLINK(\"http://example.org\").tif", names);
    }

    /// <summary>Scripts of users read these names: one that is gone or renamed breaks them.</summary>
    [Fact]
    public void Columns_keep_their_names_and_order()
    {
        Assert.Equal(
            "Kind Outcome Status Id Name Path RemoteName FileName Derivative Shortcode Hierarchy ProjectId BatchId DataId Repository "
                + "Branch Length Sha256 Verified Attempts Completed Total Unit Uploaded Failed Skipped DueAt StartedAt CompletedAt "
                + "DurationSeconds BytesPerSecond Reason ErrorId StatusCode Message ServerMessage RequestId Advice Connection Server",
            string.Join(' ', ReportColumn.All.Select(column => column.Name))
        );
    }

    [Fact]
    public async Task Page_shows_names_and_words_as_text_and_says_what_it_leaves_out()
    {
        string path = Path.Join(_folder.Path, "report.html");
        IEnumerable<ReportRow> many = Enumerable
            .Range(0, 3000)
            .Select(i => ReportRows.Of(ReportSamples.Failed($"f\u202Egpj {i}.tif", ErrorId.Rejected, $"Reason {i % 700}.")));
        await WriteAsync(path, ReportSamples.Mixed().Concat(many), "<script>alert(3)</script>");

        string page = File.ReadAllText(path);
        Assert.Equal(1, CountOf(page, "<script"));
        Assert.Equal(0, CountOf(page, "<img"));
        Assert.Contains("&lt;script&gt;alert(3)&lt;/script&gt;</title>", page, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202E', page);
        Assert.Contains("default-src &#39;none&#39;".Replace("&#39;", "'", StringComparison.Ordinal), page, StringComparison.Ordinal);
        Assert.DoesNotMatch("""(?i)\s(on[a-z]+|style)="|(?:src|href)="(?!#|data:,")""", page);
        Assert.Contains("The first 1,000 of 3,035 are listed; 2,035 more are not on this page.", page, StringComparison.Ordinal);
        Assert.Contains("The first 986 of 3,270 are listed;", page, StringComparison.Ordinal);
        Assert.Contains("The first 500 causes are kept apart.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_without_rows_says_so()
    {
        string path = Path.Join(_folder.Path, "report.html");

        Assert.Equal(0, (await WriteAsync(path, [])).Rows);

        Assert.Contains("There is nothing to report: no rows were given.", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("report.html", 1_000_000)]
    [InlineData("report.jsonl", 1_000_000)]
    [InlineData("report.json", 200_000)]
    [InlineData("report.csv", 200_000)]
    public async Task Million_rows_need_no_more_memory_than_some_thousands(string name, int count)
    {
        const int Warm = 20_000;
        const long Limit = 32 << 20;
        string path = Path.Join(_folder.Path, name);
        long before = 0;
        long most = 0;

        IEnumerable<ReportRow> MeasuredRows()
        {
            for (int i = 0; i < count; i++)
            {
                if (i >= Warm && i % 50_000 == 0)
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
                else if (i == Warm)
                    before = GC.GetTotalMemory(forceFullCollection: true);
                yield return i % 10 == 0
                    ? ReportRows.Of(ReportSamples.Failed($"f {i}.tif", ErrorId.Rejected, $"Reason {i} of its own."))
                    : ReportRows.Of(ReportSamples.Sent(i), ReportSamples.Start.AddSeconds(i));
            }
        }

        Assert.Equal(count, (await WriteAsync(path, MeasuredRows())).Rows);

        Assert.InRange(most, 1, before + Limit);
    }

    private static ReportContent Count(IEnumerable<ReportRow> rows)
    {
        ReportAggregator aggregator = new();
        foreach (ReportRow row in rows)
            aggregator.Add(row);
        return aggregator.Complete();
    }

    private static Task<ReportOutput> WriteAsync(string path, IEnumerable<ReportRow> rows, string? title = null) =>
        IngestReport.WriteAsync(path, ReportSamples.StreamAsync(rows), title);

    private static async IAsyncEnumerable<ReportRow> CancelAfterAsync(int count, CancellationTokenSource stop)
    {
        for (int i = 0; i < count; i++)
            yield return ReportRows.Of(ReportSamples.Sent(i));
        await stop.CancelAsync();
        yield return ReportRows.Of(ReportSamples.Sent(count));
    }

    private static int CountOf(string text, string part) => text.Split(part).Length - 1;
}
