using System.Text.Json;
using IngestTools.Scheduler.Store;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The scheduler's page, in a real browser.</summary>
[Trait("kind", "process")]
[Collection(StartsProcesses.Name)]
public sealed class PageBrowserTests
{
    private const string IsReady = "document.documentElement.dataset.ready === 'true'";

    private const string Text = "document.body.innerText";

    [BrowserFact]
    public async Task Page_fits_filters_and_follows_a_run_without_network_and_without_an_error()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        await PageSamples.FillAsync(page);
        await using Chromium browser = await Chromium.StartAsync();

        foreach (int width in (int[])[390, 1280])
        {
            await OpenAsync(browser, page, width);

            Assert.Equal(width, await browser.EvaluateAsync<int>("document.documentElement.clientWidth"));
            Assert.Equal(width, await browser.EvaluateAsync<int>("document.documentElement.scrollWidth"));
            Assert.Equal("[]", await browser.EvaluateAsync<string>(WiderThanPage));
            Assert.Empty(browser.Console);
        }

        // What opened it is in the address no more, and the token never was.
        Assert.Equal(page.Access.Uri!.AbsoluteUri, await browser.EvaluateAsync<string>("location.href"));
        Assert.DoesNotContain(browser.Requests, request => request.Contains(page.Access.Token, StringComparison.Ordinal));
        Assert.All(
            browser.Requests,
            request =>
                Assert.True(request == "data:," || request.StartsWith(page.Access.Uri!.AbsoluteUri, StringComparison.Ordinal), request)
        );

        // Text, not elements.
        string shown = JsonSerializer.Serialize(PageHarness.HostileName.Replace("\u202e", "\\u202e", StringComparison.Ordinal));
        Assert.True(await browser.EvaluateAsync<bool>($"{Text}.includes({shown})"));
        Assert.Equal(1, await browser.EvaluateAsync<int>("document.scripts.length"));
        Assert.Equal(0, await browser.EvaluateAsync<int>("document.images.length"));

        // A clock change, and the zones of the schedules.
        Assert.True(
            await browser.EvaluateAsync<bool>($"{Text}.includes('Clock change in Europe/Zurich: at 03:00 the clocks go back to 02:00')")
        );
        Assert.True(await browser.EvaluateAsync<bool>($"{Text}.includes('America/New_York')"));

        await FollowsAsync(browser, page);
        await FiltersAsync(browser);
        await OpensRunAsync(browser);
        Assert.StartsWith("%PDF", System.Text.Encoding.ASCII.GetString(await browser.PrintAsync(), 0, 4), StringComparison.Ordinal);
        Assert.Empty(browser.Console);
    }

    [BrowserFact]
    public async Task Keyboard_reaches_the_filters_and_an_address_opens_the_page_once()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        await PageSamples.FillAsync(page);
        await using Chromium browser = await Chromium.StartAsync();
        Uri address = await OpenAsync(browser, page, 1280);

        List<string> reached = [];
        for (int i = 0; i < 20; i++)
        {
            await browser.PressAsync("Tab", 9);
            reached.Add(await browser.EvaluateAsync<string>("document.activeElement.name || document.activeElement.textContent.trim()"));
            // What has the focus shows it.
            Assert.NotEqual("none", await browser.EvaluateAsync<string>(OutlineOfFocus));
        }

        Assert.Equal("Skip to the next runs", reached[0]);
        Assert.Equal(["Running", "Next runs", "History", "Schedules", "Store"], reached.Skip(1).Take(5));
        Assert.Equal(["day", "text", "text", "schedule", "status", "kind", "Clear"], reached.Skip(6).Take(7));

        // Typed into the filter of the history, as it has the focus.
        await browser.EvaluateAsync<bool>("document.querySelector('#history-filter [name=text]').focus() ?? true");
        foreach (char c in "full")
            await browser.PressAsync(c.ToString(), char.ToUpperInvariant(c), c.ToString());
        await Until.TrueAsync(() => browser.EvaluateAsync<bool>("document.getElementById('history-note').textContent === '6 runs'"));

        // The address was used; another window has no token.
        await using Chromium other = await Chromium.StartAsync();
        await other.OpenAsync(address.AbsoluteUri, 390);
        await Until.TrueAsync(() => other.EvaluateAsync<bool>($"{Text}.includes('The address was used before, or is too old.')"));
        Assert.False(await other.EvaluateAsync<bool>($"{Text}.includes('scans-0801')"));
    }

    /// <summary>Elements that reach over the edge of the page.</summary>
    private const string WiderThanPage =
        "JSON.stringify([...document.body.querySelectorAll('*:not(.skip)')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        + ".map(e => e.tagName + ' ' + e.textContent.slice(0, 40)))";

    /// <summary>The outline of what has the focus, or of what stands for it.</summary>
    private const string OutlineOfFocus =
        "getComputedStyle(document.activeElement.type === 'radio' ? document.activeElement.nextElementSibling : document.activeElement)"
        + ".outlineStyle";

    private static async Task<Uri> OpenAsync(Chromium browser, PageHarness page, int width, bool isDark = false)
    {
        Uri address = page.Access.CreateAddress().Uri;
        // Another fragment of an open page loads nothing.
        await browser.OpenAsync("about:blank", width);
        await browser.OpenAsync(address.AbsoluteUri, width, isDark);
        await Until.TrueAsync(() => browser.EvaluateAsync<bool>(IsReady));
        return address;
    }

    /// <summary>The progress moves without a reload.</summary>
    private static async Task FollowsAsync(Chromium browser, PageHarness page)
    {
        await browser.EvaluateAsync<int>("window.before = 1");
        StoredRun run = Assert.Single(await page.Store.ReadTakenAsync(10, CancellationToken.None));
        await page.Store.WriteRunAsync(run with { Completed = 333 }, CancellationToken.None);
        await Until.TrueAsync(() => browser.EvaluateAsync<bool>($"{Text}.includes('333 of 412 files')"));
        Assert.Equal(1, await browser.EvaluateAsync<int>("window.before"));
        Assert.Equal(333, await browser.EvaluateAsync<int>("document.querySelector('#running progress').value"));
    }

    private static async Task FiltersAsync(Chromium browser)
    {
        await browser.EvaluateAsync<bool>(
            "(() => { const s = document.querySelector('#history-filter [name=status]'); s.value = 'Missed'; "
                + "return s.dispatchEvent(new Event('input', { bubbles: true })); })()"
        );
        await Until.TrueAsync(() => browser.EvaluateAsync<bool>("document.getElementById('history-note').textContent === '6 runs'"));
        Assert.True(
            await browser.EvaluateAsync<bool>(
                "[...document.querySelectorAll('#runs .status')].every(status => status.textContent === 'Missed')"
            )
        );
        await browser.EvaluateAsync<bool>("document.querySelector('#history-filter button').click() ?? true");
        await Until.TrueAsync(() =>
            browser.EvaluateAsync<bool>("document.getElementById('history-note').textContent === '50 runs, and more'")
        );
        await browser.EvaluateAsync<bool>("document.getElementById('runs-more').click() ?? true");
        await Until.TrueAsync(() => browser.EvaluateAsync<bool>("document.getElementById('history-note').textContent === '62 runs'"));
    }

    /// <summary>A run opens to what it did.</summary>
    private static async Task OpensRunAsync(Chromium browser)
    {
        await browser.EvaluateAsync<bool>(
            "[...document.querySelectorAll('#runs summary')].find(line => line.textContent.includes('Partly succeeded')).click() ?? true"
        );
        await Until.TrueAsync(() =>
            browser.EvaluateAsync<bool>(
                "document.querySelector('#runs details[open] .log')?.textContent.includes('Sends 412 files.') ?? false"
            )
        );
    }
}
