using IngestTools.Reports;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Reports;

/// <summary>The page of a report, in a real browser.</summary>
[Trait("kind", "process")]
[Collection(StartsProcesses.Name)]
public sealed class ReportPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Page => Path.Join(_folder.Path, "report.html");

    public void Dispose() => _folder.Dispose();

    [BrowserFact]
    public async Task Page_fits_sorts_filters_and_prints_without_network_and_without_an_error()
    {
        await IngestReport.WriteAsync(Page, ReportSamples.StreamAsync(ReportSamples.Mixed()));
        await using Chromium browser = await Chromium.StartAsync();

        foreach (int width in (int[])[390, 1280])
        {
            await browser.OpenAsync(Page, width);

            Assert.Equal(width, await browser.EvaluateAsync<int>("document.documentElement.clientWidth"));
            Assert.Equal(width, await browser.EvaluateAsync<int>("document.documentElement.scrollWidth"));
            Assert.Equal([new Uri(Page).AbsoluteUri, "data:,"], browser.Requests.Append("data:,").Distinct());
            Assert.Empty(browser.Console);
        }

        // Text, not elements.
        Assert.True(await browser.EvaluateAsync<bool>($"document.body.innerText.includes({Quote(ReportSamples.HostileName)})"));
        Assert.True(await browser.EvaluateAsync<bool>($"document.body.innerText.includes({Quote(ReportSamples.HostileWords)})"));
        Assert.Equal(1, await browser.EvaluateAsync<int>("document.scripts.length"));
        Assert.Equal(0, await browser.EvaluateAsync<int>("document.images.length"));

        await SortsAsync(browser);
        await FiltersAsync(browser);
        await HasNamesAsync(browser);
        Assert.StartsWith("%PDF", System.Text.Encoding.ASCII.GetString(await browser.PrintAsync(), 0, 4), StringComparison.Ordinal);
        Assert.Empty(browser.Console);
    }

    /// <summary>By keyboard, up and down, by number where the column has numbers; what has no value stays at the end.</summary>
    private static async Task SortsAsync(Chromium browser)
    {
        const string Size = "[...document.querySelectorAll('#upload th button')].find(b => b.textContent === 'Rate')";
        const string Values =
            "[...document.querySelectorAll('#upload tbody tr')].map(r => r.querySelector('td[data-label=Rate]').dataset.value ?? '')";
        const string IsUp = $"{Values}.filter(v => v).every((v, i, all) => i === 0 || Number(all[i - 1]) <= Number(v))";
        const string IsDown = $"{Values}.filter(v => v).every((v, i, all) => i === 0 || Number(all[i - 1]) >= Number(v))";
        const string EmptyLast = $"{Values}.map(v => v === '').every((e, i, all) => i === 0 || e || !all[i - 1])";
        Assert.False(await browser.EvaluateAsync<bool>(IsUp));

        await browser.EvaluateAsync<bool>($"{Size}.focus() ?? true");
        await browser.PressAsync("Enter", 13, "\r");
        Assert.Equal("ascending", await browser.EvaluateAsync<string>($"{Size}.parentElement.ariaSort"));
        Assert.True(await browser.EvaluateAsync<bool>(IsUp));
        Assert.True(await browser.EvaluateAsync<bool>(EmptyLast));

        await browser.PressAsync("Enter", 13, "\r");
        Assert.Equal("descending", await browser.EvaluateAsync<string>($"{Size}.parentElement.ariaSort"));
        Assert.True(await browser.EvaluateAsync<bool>(IsDown));
        Assert.True(await browser.EvaluateAsync<bool>(EmptyLast));
    }

    private static async Task FiltersAsync(Chromium browser)
    {
        const string Shown = "[...document.querySelectorAll('#upload tbody tr')].filter(r => r.checkVisibility()).length";
        await browser.EvaluateAsync<bool>("document.querySelector('#upload-filter').focus() ?? true");
        foreach (char c in "LOCKED 1")
            await browser.PressAsync(c.ToString(), c, c.ToString());

        Assert.Equal(11, await browser.EvaluateAsync<int>(Shown));
        Assert.Equal(
            "11 of 270 rows",
            await browser.EvaluateAsync<string>("document.querySelector('#upload-filter + output').textContent")
        );
        await browser.ResizeAsync(390);
        Assert.Equal(11, await browser.EvaluateAsync<int>(Shown));
        await browser.ResizeAsync(1280);

        // On paper there is all of it, and heads that a browser repeats on each page: it does not repeat the boxes of buttons.
        await browser.ShowAsync("print");
        Assert.Equal(270, await browser.EvaluateAsync<int>(Shown));
        Assert.Equal("contents", await browser.EvaluateAsync<string>("getComputedStyle(document.querySelector('th button')).display"));
        Assert.Equal("none", await browser.EvaluateAsync<string>("getComputedStyle(document.querySelector('.tools')).display"));
        await browser.ShowAsync("screen");
    }

    /// <summary>What a screen reader needs: one first heading, and a name for each table, chart and field.</summary>
    private static async Task HasNamesAsync(Chromium browser)
    {
        Assert.Equal(1, await browser.EvaluateAsync<int>("document.querySelectorAll('h1').length"));
        Assert.Equal(
            "",
            await browser.EvaluateAsync<string>(
                "[...document.querySelectorAll('table, section')].filter(t => !document.getElementById(t.getAttribute('aria-labelledby')))"
                    + ".map(t => t.outerHTML.slice(0, 80)).join()"
            )
        );
        Assert.Equal(0, await browser.EvaluateAsync<int>("document.querySelectorAll('svg:not([aria-hidden]):not([aria-label])').length"));
        Assert.True(await browser.EvaluateAsync<bool>("[...document.querySelectorAll('input')].every(i => i.labels.length === 1)"));
        Assert.True(await browser.EvaluateAsync<bool>("[...document.querySelectorAll('th')].every(h => h.scope === 'col')"));
        Assert.Equal(
            "",
            await browser.EvaluateAsync<string>(
                "(ids => ids.filter((id, i) => ids.indexOf(id) !== i).join())([...document.querySelectorAll('[id]')].map(e => e.id))"
            )
        );
    }

    private static string Quote(string text) => System.Text.Json.JsonSerializer.Serialize(text);
}
