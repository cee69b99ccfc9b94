using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace IngestTools.Units.Support;

/// <summary>A fact about a page in a real browser: Debian's. On other systems it is skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "The browser of these tests is Debian's chromium.";
    }
}

/// <summary>
/// A Chromium without a window, in a profile of its own, driven over the DevTools protocol. It notes every request that a page makes, and
/// everything that a page writes to the console.
/// </summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Listening = "DevTools listening on ";

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _limit = new(TimeLimit);
    private readonly TemporaryFolder _profile;
    private readonly Process _process;
    private readonly List<string> _requests = [];
    private readonly List<string> _console = [];
    private readonly HashSet<string> _events = [];
    private int _lastId;
    private string? _session;

    private Chromium(Process process, TemporaryFolder profile) => (_process, _profile) = (process, profile);

    /// <summary>The program; null where PATH has none.</summary>
    private static string? Program { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => (string[])[Path.Join(folder, "chromium"), Path.Join(folder, "chromium-browser")])
            .FirstOrDefault(File.Exists);

    /// <summary>The addresses that the page asked for, its own first.</summary>
    public IReadOnlyList<string> Requests => _requests;

    /// <summary>What the page wrote to the console, and what the browser wrote about it.</summary>
    public IReadOnlyList<string> Console => _console;

    public static async Task<Chromium> StartAsync()
    {
        Assert.True(Program is not null, "There is no chromium in PATH. On Debian: apt-get install chromium");
        TemporaryFolder profile = new();
        string[] arguments =
        [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-port=0",
            $"--user-data-dir={profile.Path}",
            "about:blank",
        ];
        Process process = Process.Start(new ProcessStartInfo(Program!, arguments) { RedirectStandardError = true })!;
        ProcessWatch.Add(process, folder: profile.Path);
        Chromium chromium = new(process, profile);
        try
        {
            await chromium.ConnectAsync();
        }
        catch
        {
            await chromium.DisposeAsync();
            throw;
        }

        return chromium;
    }

    /// <summary>Shows a page in a window of a width, and waits until it is loaded.</summary>
    public async Task OpenAsync(string path, int width, bool isDark = false)
    {
        _requests.Clear();
        _console.Clear();
        _events.Clear();
        await ResizeAsync(width);
        JsonObject scheme = new() { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" };
        await SendAsync("Emulation.setEmulatedMedia", new JsonObject { ["features"] = new JsonArray(scheme) });
        await SendAsync("Page.navigate", new JsonObject { ["url"] = new Uri(path).AbsoluteUri });
        while (!_events.Contains("Page.loadEventFired"))
            await ReceiveAsync();
    }

    /// <summary>Shows the page as on a screen, or as printed.</summary>
    public Task ShowAsync(string media) => SendAsync("Emulation.setEmulatedMedia", new JsonObject { ["media"] = media });

    /// <summary>Gives the window another width.</summary>
    public Task ResizeAsync(int width) =>
        SendAsync(
            "Emulation.setDeviceMetricsOverride",
            new JsonObject
            {
                ["width"] = width,
                ["height"] = 900,
                ["deviceScaleFactor"] = 1,
                ["mobile"] = width < 600,
            }
        );

    /// <summary>The value of an expression in the page.</summary>
    public async Task<T> EvaluateAsync<T>(string expression)
    {
        JsonNode answer = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true });
        Assert.True(answer["exceptionDetails"] is null, $"{expression}: {answer["exceptionDetails"]}");
        return answer["result"]!["value"]!.GetValue<T>();
    }

    /// <summary>Presses a key where the focus is.</summary>
    public async Task PressAsync(string key, int code, string text = "")
    {
        foreach (string type in (string[])["keyDown", "keyUp"])
        {
            await SendAsync(
                "Input.dispatchKeyEvent",
                new JsonObject
                {
                    ["type"] = type,
                    ["key"] = key,
                    ["windowsVirtualKeyCode"] = code,
                    ["text"] = type == "keyDown" ? text : "",
                }
            );
        }
    }

    /// <summary>The page as it is printed on A4.</summary>
    public async Task<byte[]> PrintAsync()
    {
        JsonNode answer = await SendAsync(
            "Page.printToPDF",
            new JsonObject
            {
                ["paperWidth"] = 8.27,
                ["paperHeight"] = 11.69,
                ["printBackground"] = true,
            }
        );
        return Convert.FromBase64String(answer["data"]!.GetValue<string>());
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        ProcessWatch.Remove(_process);
        _process.Dispose();
        _limit.Dispose();
        // The browser's other processes end a moment later, and write until then.
        await Until.TrueAsync(TryDeleteProfile);
    }

    private bool TryDeleteProfile()
    {
        try
        {
            _profile.Dispose();
            return true;
        }
        catch (IOException)
        {
            return !Directory.Exists(_profile.Path);
        }
    }

    private async Task ConnectAsync()
    {
        string? line;
        StringBuilder said = new();
        do
        {
            line = await _process.StandardError.ReadLineAsync(_limit.Token);
            Assert.True(line is not null, $"Chromium ended: {said}");
            said.AppendLine(line);
        } while (!line!.StartsWith(Listening, StringComparison.Ordinal));

        // What it writes from now on must not fill the pipe.
        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        await _socket.ConnectAsync(new Uri(line[Listening.Length..]), _limit.Token);
        JsonNode target = await SendAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        JsonNode attached = await SendAsync(
            "Target.attachToTarget",
            new JsonObject { ["targetId"] = target["targetId"]!.GetValue<string>(), ["flatten"] = true }
        );
        _session = attached["sessionId"]!.GetValue<string>();
        foreach (string domain in (string[])["Page", "Runtime", "Network", "Log"])
            await SendAsync($"{domain}.enable", []);
    }

    private async Task<JsonNode> SendAsync(string method, JsonObject parameters)
    {
        int id = ++_lastId;
        JsonObject message = new()
        {
            ["id"] = id,
            ["method"] = method,
            ["params"] = parameters,
        };
        if (_session is not null)
            message["sessionId"] = _session;
        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, endOfMessage: true, _limit.Token);
        while (true)
        {
            JsonNode answer = await ReceiveAsync();
            if (answer["id"]?.GetValue<int>() != id)
                continue;
            Assert.True(answer["error"] is null, $"{method}: {answer["error"]}");
            return answer["result"]!;
        }
    }

    /// <summary>The next message; what it says of the page is noted.</summary>
    private async Task<JsonNode> ReceiveAsync()
    {
        using MemoryStream content = new();
        byte[] piece = new byte[64 * 1024];
        WebSocketReceiveResult received;
        do
        {
            received = await _socket.ReceiveAsync(piece, _limit.Token);
            content.Write(piece, 0, received.Count);
        } while (!received.EndOfMessage);

        JsonNode message = JsonNode.Parse(content.ToArray())!;
        if (message["method"]?.GetValue<string>() is { } method)
            Note(method, message["params"]!);
        return message;
    }

    private void Note(string method, JsonNode parameters)
    {
        _events.Add(method);
        switch (method)
        {
            case "Network.requestWillBeSent":
                _requests.Add(parameters["request"]!["url"]!.GetValue<string>());
                break;
            case "Runtime.consoleAPICalled" or "Runtime.exceptionThrown" or "Log.entryAdded" or "Page.javascriptDialogOpening":
                _console.Add(parameters.ToJsonString());
                break;
        }
    }
}
