using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Page;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>Who reads the scheduler's page, and who does not.</summary>
public sealed class PageAccessTests
{
    public static readonly TheoryData<string> Routes =
    [
        "api/overview",
        "api/agenda",
        "api/runs",
        "api/runs/1",
        "api/schedules",
        "api/x",
        "x",
    ];

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Data_needs_the_token(string path)
    {
        await using PageHarness page = await PageHarness.StartAsync();
        foreach (string? given in (string?[])[null, "Bearer", "Bearer x", $"Bearer {page.Access.Token}x", $"Basic {page.Access.Token}"])
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(page.Access.Uri!, path));
            if (given is not null)
                request.Headers.TryAddWithoutValidation("Authorization", given);

            using HttpResponseMessage response = await page.Http.SendAsync(request);

            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
            Assert.Contains("Show-IngestScheduler", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await page.StatusAsync(new(HttpMethod.Get, new Uri(page.Access.Uri!, $"{path}?token={page.Access.Token}")))
        );
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("localhost", true)]
    [InlineData("LocalHost", true)]
    [InlineData("[::1]", true)]
    [InlineData("evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("0.0.0.0", false)]
    public async Task Only_names_of_the_loopback_address_are_served(string host, bool isServed)
    {
        await using PageHarness page = await PageHarness.StartAsync();
        HttpStatusCode expected = isServed ? HttpStatusCode.OK : HttpStatusCode.MisdirectedRequest;
        foreach (string path in (string[])["/", "/page.js", "/api/overview"])
        {
            HttpRequestMessage request = page.Request(path);
            request.Headers.Host = $"{host}:{page.Access.Uri!.Port}";
            Assert.Equal(expected, await page.StatusAsync(request));

            HttpRequestMessage other = page.Request(path);
            other.Headers.Host = $"{host}:{page.Access.Uri!.Port - 1}";
            Assert.Equal(HttpStatusCode.MisdirectedRequest, await page.StatusAsync(other));
        }
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task Nothing_but_reading_is_served(string method)
    {
        await using PageHarness page = await PageHarness.StartAsync();
        foreach (string path in (string[])["/", "/api/overview", "/api/session", "/shutdown", "/schedules/x"])
            Assert.Equal(HttpStatusCode.MethodNotAllowed, await page.StatusAsync(page.Request(path, new HttpMethod(method))));
    }

    [Fact]
    public async Task Control_routes_are_not_on_the_pages_port()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        foreach (string path in (string[])["/status", "/schedules", "/runs", "/page/ticket"])
            Assert.Equal(HttpStatusCode.NotFound, await page.StatusAsync(page.Request(path)));
    }

    [Fact]
    public async Task Requests_of_other_sites_are_refused_even_with_the_token()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        foreach (
            (string site, HttpStatusCode expected) in new[]
            {
                ("cross-site", HttpStatusCode.Forbidden),
                ("same-site", HttpStatusCode.Forbidden),
                ("same-origin", HttpStatusCode.OK),
                ("none", HttpStatusCode.OK),
            }
        )
        {
            HttpRequestMessage request = page.Request("/api/overview");
            request.Headers.Add("Sec-Fetch-Site", site);
            Assert.Equal(expected, await page.StatusAsync(request));
        }
    }

    [Fact]
    public async Task Every_answer_has_the_headers_that_keep_it_to_itself()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        foreach (string path in (string[])["/", "/page.js", "/page.css", "/api/overview", "/api/runs/7", "/nothing"])
        {
            using HttpResponseMessage response = await page.Http.SendAsync(page.Request(path));
            string Of(string name) => string.Join(",", response.Headers.GetValues(name));
            string policy = Of("Content-Security-Policy");
            Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy);
            Assert.Contains("connect-src 'self'", policy);
            Assert.DoesNotContain("unsafe", policy);
            Assert.DoesNotContain("http", policy);
            Assert.Equal("no-store", Of("Cache-Control"));
            Assert.Equal("nosniff", Of("X-Content-Type-Options"));
            Assert.Equal("DENY", Of("X-Frame-Options"));
            Assert.Equal("no-referrer", Of("Referrer-Policy"));
            Assert.Equal("same-origin", Of("Cross-Origin-Resource-Policy"));
            Assert.False(response.Headers.Contains("Server"));
            Assert.False(response.Headers.Contains("Set-Cookie"));
            Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task A_ticket_gives_the_token_once_and_stands_behind_the_sign_that_browsers_keep()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        Uri address = page.Access.CreateAddress().Uri;
        Assert.Equal(page.Access.Uri!.AbsoluteUri, address.GetLeftPart(UriPartial.Query));
        string ticket = address.Fragment[1..];
        Assert.NotEqual(page.Access.Token, ticket);

        using HttpResponseMessage first = await page.Http.SendAsync(Session(page, ticket));
        Assert.Equal($$"""{"token":"{{page.Access.Token}}"}""", await first.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, await page.StatusAsync(Session(page, ticket)));
        Assert.Equal(HttpStatusCode.Unauthorized, await page.StatusAsync(Session(page, page.Access.Token)));
    }

    [Fact]
    public async Task A_ticket_ends_after_ten_minutes()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        string early = page.Access.CreateAddress().Uri.Fragment[1..];
        string late = page.Access.CreateAddress().Uri.Fragment[1..];

        page.Time.Advance(PageAccess.TicketLife);
        Assert.Equal(HttpStatusCode.OK, await page.StatusAsync(Session(page, early)));
        page.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await page.StatusAsync(Session(page, late)));
    }

    [Fact]
    public async Task Only_the_owner_reads_the_tokens_file_and_it_goes_with_the_page()
    {
        await using PageHarness page = await PageHarness.StartAsync();
        Assert.Equal(page.Access.Token, await File.ReadAllTextAsync(page.TokenPath));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(page.TokenPath));
        SchedulerState state = await page.StateAsync();
        Assert.Equal(page.Access.Uri, state.PageUri);
        Assert.Equal(page.TokenPath, state.PageTokenPath);
        Assert.DoesNotContain(page.Access.Token, await page.TextAsync("/api/overview"));

        await page.StopAsync();
        Assert.False(File.Exists(page.TokenPath));
    }

    [Fact]
    public async Task Each_start_has_a_token_of_its_own()
    {
        await using PageHarness one = await PageHarness.StartAsync();
        await using PageHarness other = await PageHarness.StartAsync();
        Assert.NotEqual(one.Access.Token, other.Access.Token);
        Assert.True(one.Access.Token.Length >= 43);
    }

    [Fact]
    public async Task A_port_that_is_in_use_is_reported_and_stops_nothing()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;

        await using PageHarness page = await PageHarness.StartAsync(port);

        SchedulerState state = await page.StateAsync();
        Assert.Null(state.PageUri);
        Assert.Contains($"The page cannot be served at port {port}:", state.Trouble);
        IngestException refused = Assert.Throws<IngestException>(() => page.Access.CreateAddress());
        Assert.Equal(state.Trouble, refused.Message);
    }

    [Fact]
    public async Task Other_routes_of_the_port_need_the_token_too()
    {
        PageRoute metrics = new("/metrics", context => context.Response.WriteAsync("ingest_runs 1\n"));
        await using PageHarness page = await PageHarness.StartAsync(0, metrics);

        Assert.Equal("ingest_runs 1\n", await page.TextAsync("/metrics"));
        Assert.Equal(HttpStatusCode.Unauthorized, await page.StatusAsync(new(HttpMethod.Get, new Uri(page.Access.Uri!, "/metrics"))));
    }

    [Fact]
    public void A_page_that_is_off_says_how_to_have_one()
    {
        IngestException off = Assert.Throws<IngestException>(() => new PageAccess(TimeProvider.System).CreateAddress());
        Assert.Equal(ErrorId.NotFound, off.ErrorId);
        Assert.Contains("Start-IngestScheduler -Page", off.Advice);
    }

    private static HttpRequestMessage Session(PageHarness page, string ticket) =>
        new(HttpMethod.Get, new Uri(page.Access.Uri!, "/api/session"))
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Ticket", ticket) },
        };
}
