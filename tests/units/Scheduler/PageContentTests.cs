using System.Net;
using System.Text.Json;
using IngestTools.Scheduler.Page;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>What the scheduler's page shows.</summary>
public sealed class PageContentTests
{
    [Fact]
    public async Task History_comes_in_parts_newest_first_each_run_once()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        for (int i = 1; i <= 120; i++)
            await page.AddRunAsync(PageHarness.Run("nightly", i));
        List<string> ids = [];
        List<int> parts = [];
        string? next = null;
        do
        {
            JsonElement part = await page.JsonAsync($"/api/runs?before={next}");
            ids.AddRange(part.GetProperty("items").EnumerateArray().Select(run => run.GetProperty("id").GetString()!));
            parts.Add(part.GetProperty("items").GetArrayLength());
            next = part.TryGetProperty("next", out JsonElement more) ? more.GetString() : null;
        } while (next is not null);

        Assert.Equal(Enumerable.Range(1, 120).Reverse().Select(i => $"run:{i}"), ids);
        Assert.Equal([50, 50, 20], parts);
    }

    [Theory]
    [InlineData("status=Failed", "b")]
    [InlineData("status=Failed&status=Missed", "b c")]
    [InlineData("schedule=A", "a")]
    [InlineData("kind=Import", "d")]
    [InlineData("kind=BulkIngest&status=Missed", "c")]
    [InlineData("text=50%25", "b")]
    [InlineData("text=_", "c")]
    [InlineData("text=DISK", "b")]
    [InlineData("text=%C3%9Cberlauf", "d")]
    [InlineData("ended=false", "e")]
    [InlineData("text=nothing", "")]
    public async Task History_is_filtered(string query, string names)
    {
        await using PageHarness page = await PageHarness.StartAsync();
        await page.AddRunAsync(PageHarness.Run("a", 1));
        await page.AddRunAsync(PageHarness.Run("b", 2, RunStatus.Failed, "The disk is 50% full."));
        await page.AddRunAsync(PageHarness.Run("c", 3, RunStatus.Missed, "before_it"));
        await page.AddRunAsync(
            PageHarness.Run("d", 4, RunStatus.Canceled, "\u00dcberlauf") with
            {
                Load = new LoadDefinition { Kind = LoadKind.Import, Connection = "lake" },
            }
        );
        await page.AddRunAsync(PageHarness.Run("e", 5, RunStatus.Uploading));

        JsonElement part = await page.JsonAsync($"/api/runs?{query}");

        Assert.Equal(
            names,
            string.Join(' ', part.GetProperty("items").EnumerateArray().Select(run => run.GetProperty("name").GetString()).Order())
        );
    }

    [Theory]
    [InlineData("/api/runs?status=Nice")]
    [InlineData("/api/runs?status=77")]
    [InlineData("/api/runs?before=x")]
    [InlineData("/api/runs?before=-1")]
    [InlineData("/api/runs?before=99999999999999999999")]
    [InlineData("/api/agenda?day=tomorrow")]
    [InlineData("/api/agenda?day=2020-01-01")]
    [InlineData("/api/agenda?after=nowhere")]
    [InlineData("/api/agenda?after=999999999999999999/x")]
    [InlineData("/api/schedules?status=Nice")]
    public async Task What_cannot_be_read_is_refused_with_the_reason(string path)
    {
        await using PageHarness page = await PageHarness.StartAsync();
        using HttpResponseMessage response = await page.Http.SendAsync(page.Request(path));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.StartsWith(
            "The request cannot be read: ",
            JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("message").GetString()
        );
    }

    [Fact]
    public async Task A_text_that_is_too_long_and_a_run_that_is_not_there_are_refused()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        Assert.Equal(HttpStatusCode.BadRequest, await page.StatusAsync(page.Request($"/api/runs?text={new string('x', 201)}")));
        Assert.Equal(HttpStatusCode.NotFound, await page.StatusAsync(page.Request("/api/runs/7")));
    }

    [Fact]
    public async Task Log_of_a_run_is_shown_without_secrets_and_the_last_lines_of_a_long_one()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        long number = await page.AddRunAsync(
            PageHarness.Run("nightly", 1, RunStatus.Failed, "Refused: Authorization: Bearer abcdef0123456789abcdef0123")
        );
        for (int i = 1; i <= PageReader.MaxLines + 1; i++)
            await page.Store.WriteLogAsync(number, PageHarness.Now, "Info", $"line {i}", CancellationToken.None);

        JsonElement run = await page.JsonAsync($"/api/runs/{number}");

        Assert.DoesNotContain("abcdef", run.GetRawText());
        JsonElement log = run.GetProperty("log");
        Assert.Equal(PageReader.MaxLines, log.GetArrayLength());
        Assert.Equal("line 2", log[0].GetProperty("message").GetString());
    }

    [Fact]
    public async Task What_others_wrote_is_data_and_has_no_sign_of_HTML_and_no_secret()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        LoadDefinition load = new()
        {
            Kind = LoadKind.Import,
            Connection = "lake",
            Server = "https://user:hidden-word@lake.example.org/?sig=hidden-word",
            Source = "https://account.example.org/container?sig=hidden-word",
            Repository = "r",
            Branch = "main",
        };
        await page.AddAsync(PageHarness.Nightly(PageHarness.HostileName, "0 3 * * *", load: load));
        await page.AddRunAsync(PageHarness.Run(PageHarness.HostileName, 1, RunStatus.Failed, PageHarness.HostileName) with { Load = load });

        foreach (string path in (string[])["/api/runs", "/api/runs/1", "/api/schedules", "/api/agenda"])
        {
            string text = await page.TextAsync(path);
            Assert.DoesNotContain('<', text);
            Assert.DoesNotContain('>', text);
            Assert.DoesNotContain('\u202e', text);
            Assert.DoesNotContain("hidden-word", text);
            Assert.Contains("onerror", text);
        }
    }

    [Fact]
    public async Task Schedules_come_in_parts_by_name_with_reasons_and_filters()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        for (int i = 0; i < 60; i++)
            await page.AddAsync(PageHarness.Nightly($"Folder {i:00}", "15 2 * * *"));
        await page.AddAsync(PageHarness.Nightly("paused", "15 2 * * *"), ScheduleStatus.Suspended, "The disk is full.");
        await page.AddRunAsync(PageHarness.Run("Folder 00", 1, RunStatus.Missed));

        JsonElement first = await page.JsonAsync("/api/schedules");
        JsonElement rest = await page.JsonAsync($"/api/schedules?after={Uri.EscapeDataString(first.GetProperty("next").GetString()!)}");
        JsonElement paused = await page.JsonAsync("/api/schedules?status=Suspended");
        JsonElement found = await page.JsonAsync("/api/schedules?text=FOLDER%2007");

        string[] names = [.. first.GetProperty("items").EnumerateArray().Concat(rest.GetProperty("items").EnumerateArray()).Select(NameOf)];
        Assert.Equal([.. Enumerable.Range(0, 60).Select(i => $"Folder {i:00}"), "paused"], names);
        Assert.False(rest.TryGetProperty("next", out _));
        JsonElement one = first.GetProperty("items")[0];
        Assert.Equal("2026-10-25T02:15:00+02:00", one.GetProperty("nextRuns")[0].GetString());
        Assert.Equal("2026-10-26T02:15:00+01:00", one.GetProperty("nextRuns")[1].GetString());
        Assert.Equal("Missed", one.GetProperty("lastRun").GetProperty("status").GetString());
        Assert.Equal("The disk is full.", Assert.Single(paused.GetProperty("items").EnumerateArray()).GetProperty("reason").GetString());
        Assert.Equal("Folder 07", NameOf(Assert.Single(found.GetProperty("items").EnumerateArray())));
    }

    [Fact]
    public async Task Agenda_lists_a_week_by_the_viewers_days_with_each_schedules_zone()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        await page.AddAsync(PageHarness.Nightly("zurich", "30 2 * * *"));
        await page.AddAsync(PageHarness.Nightly("new york", "0 22 * * *", "America/New_York"));
        await page.AddAsync(PageHarness.Nightly("once a year", "0 3 1 1 *"));

        JsonElement agenda = await page.JsonAsync("/api/agenda?zone=Europe/Zurich");

        JsonElement[] items = [.. agenda.GetProperty("items").EnumerateArray()];
        Assert.Equal(
            [
                "2026-10-25 zurich 2026-10-25T02:30:00+02:00",
                "2026-10-25 new york 2026-10-24T22:00:00-04:00",
                "2026-10-26 zurich 2026-10-26T02:30:00+01:00",
                "2026-10-26 new york 2026-10-25T22:00:00-04:00",
            ],
            items.Take(4).Select(item => $"{item.GetProperty("date").GetString()} {NameOf(item)} {item.GetProperty("at").GetString()}")
        );
        Assert.Equal(12, items.Length);
        Assert.Equal(7, agenda.GetProperty("days").GetArrayLength());
        // The day of the change has an hour more.
        Assert.Equal("2026-10-25T00:00:00+02:00", agenda.GetProperty("days")[1].GetProperty("start").GetString());
        Assert.Equal("2026-10-26T00:00:00+01:00", agenda.GetProperty("days")[1].GetProperty("end").GetString());
        JsonElement change = Assert.Single(agenda.GetProperty("clockChanges").EnumerateArray());
        Assert.Equal("Europe/Zurich", change.GetProperty("zone").GetString());
        Assert.Equal("2026-10-25T03:00:00+02:00", change.GetProperty("before").GetString());
        Assert.Equal("2026-10-25T02:00:00+01:00", change.GetProperty("after").GetString());
    }

    [Fact]
    public async Task Agenda_counts_the_times_of_a_schedule_that_runs_often()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        await page.AddAsync(PageHarness.Nightly("hourly", "0 * * * *", "UTC"));
        await page.AddAsync(PageHarness.Nightly("every second", "* * * * * *", "UTC"));

        JsonElement agenda = await page.JsonAsync("/api/agenda?zone=UTC&day=2026-10-25");

        JsonElement[] items = [.. agenda.GetProperty("items").EnumerateArray()];
        Assert.Equal(["every second", "hourly"], items.Select(NameOf));
        Assert.Equal(
            (PageAgendaReader.MaxCounted, true),
            (items[0].GetProperty("count").GetInt32(), items[0].GetProperty("isMore").GetBoolean())
        );
        Assert.Equal((24, false), (items[1].GetProperty("count").GetInt32(), items[1].GetProperty("isMore").GetBoolean()));
        Assert.Equal("2026-10-25T23:00:00+00:00", items[1].GetProperty("last").GetString());
    }

    [Fact]
    public async Task Agenda_in_parts_is_the_agenda_in_one()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        Random random = new(1);
        for (int i = 0; i < 230; i++)
        {
            string name = $"s{i:000}";
            // Many at the same minute, and some twice a day.
            string hours = i % 7 == 0 ? "1,13" : $"{random.Next(3)}";
            await page.AddAsync(PageHarness.Nightly(name, $"{random.Next(3)} {hours} * * *", i % 2 == 0 ? "UTC" : "Europe/Zurich"));
        }

        PageAgendaReader reader = new(page.Store, page.Time);
        PageAgenda whole = await reader.ReadAsync(new AgendaQuery { Zone = TimeZoneInfo.Utc, Most = 5000 }, CancellationToken.None);
        List<PageUpcoming> parts = [];
        string? next = null;
        do
        {
            PageAgenda part = await reader.ReadAsync(
                new AgendaQuery { Zone = TimeZoneInfo.Utc, After = next is null ? null : PageAgendaReader.Parse(next) },
                CancellationToken.None
            );
            parts.AddRange(part.Items);
            next = part.Next;
        } while (next is not null);

        Assert.Null(whole.Next);
        Assert.Equal(whole.Items, parts);
        Assert.Equal(whole.Items.Count, parts.Select(item => (item.Name, item.Date)).Distinct().Count());
        Assert.Equal(parts.OrderBy(item => item.At).ThenBy(item => item.Name, StringComparer.Ordinal), parts);
        Assert.InRange(parts.Count, 230 * 6, 230 * 7);
    }

    [Fact]
    public async Task Overview_shows_progress_store_and_disk()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        long number = await page.AddRunAsync(PageHarness.Run("nightly", 1, RunStatus.Planned));
        await page.AddRunAsync(PageHarness.Run("waits", 2, RunStatus.Planned));
        StoredRun taken = (await page.Store.TakeAsync(number, 4, PageHarness.Now, CancellationToken.None))!;
        Assert.True(
            await page.Store.WriteRunAsync(
                taken with
                {
                    Status = RunStatus.Running,
                    Completed = 3,
                    Total = 8,
                    Unit = "files",
                },
                CancellationToken.None
            )
        );
        await page.Store.BeatAsync("machine", TimeSpan.FromMinutes(1), CancellationToken.None);

        JsonElement overview = await page.JsonAsync("/api/overview");

        JsonElement run = Assert.Single(overview.GetProperty("running").EnumerateArray());
        Assert.Equal((3, 8), (run.GetProperty("completed").GetInt32(), run.GetProperty("total").GetInt32()));
        Assert.Equal(1, overview.GetProperty("waiting").GetInt32());
        JsonElement store = overview.GetProperty("store");
        Assert.Equal("SQLite", store.GetProperty("kind").GetString());
        Assert.True(store.GetProperty("size").GetInt64() > 4096);
        Assert.True(store.GetProperty("folderFree").GetInt64() > 0);
        JsonElement node = Assert.Single(overview.GetProperty("nodes").EnumerateArray());
        Assert.True(node.GetProperty("isAlive").GetBoolean() && node.GetProperty("isThis").GetBoolean());
    }

    private static string NameOf(JsonElement item) => item.GetProperty("name").GetString()!;
}
