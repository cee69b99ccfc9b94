using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>ingest-scheduler in a process of its own, and a way to its control socket that shares nothing with the product's.</summary>
internal sealed class SchedulerProcess : IAsyncDisposable
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly HttpClient _http;

    private SchedulerProcess(Process process, string socket)
    {
        _process = process;
        ProcessWatch.Add(process);
        Socket = socket;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
        SocketsHttpHandler handler = new() { ConnectCallback = ConnectAsync };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://scheduler/"), Timeout = TimeLimit };
        _http.DefaultRequestHeaders.Add("IngestTools-Control", $"{ControlProtocol.Version}");
    }

    public string Socket { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public HttpClient Http => _http;

    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>The program and its arguments, to be run by something else too.</summary>
    public static string[] Command(params string[] arguments) =>
        [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", typeof(SchedulerStore).Assembly.Location, .. arguments];

    public static SchedulerProcess Start(
        string home,
        string socket,
        IReadOnlyDictionary<string, string>? environment,
        params string[] command
    )
    {
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["INGESTTOOLS_HOME"] = home;
        start.Environment.Remove("INGESTTOOLS_SCHEDULER_SOCKET");
        start.Environment.Remove("JOURNAL_STREAM");
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new SchedulerProcess(Process.Start(start)!, socket);
    }

    /// <summary>Waits until it answers.</summary>
    public async Task<SchedulerProcess> ReadyAsync()
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (waited.Elapsed < TimeLimit)
        {
            Assert.False(_process.HasExited, $"the scheduler ended: {Log}");
            try
            {
                using HttpResponseMessage answer = await _http.GetAsync("status");
                if (answer.StatusCode == HttpStatusCode.OK)
                    return this;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(20);
        }

        Assert.Fail($"the scheduler did not answer: {Log}");
        return this;
    }

    public async Task<SchedulerState> StateAsync() =>
        JsonSerializer.Deserialize(await _http.GetStringAsync("status"), SchedulingJson.Default.SchedulerState)!;

    public async Task<BulkLoadSchedule> RegisterAsync(ScheduleDefinition definition, bool replace = false, bool allowPast = false)
    {
        using HttpResponseMessage answer = await TryRegisterAsync(definition, replace, allowPast);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text + Log);
        return JsonSerializer.Deserialize(text, SchedulingJson.Default.BulkLoadSchedule)!;
    }

    public Task<HttpResponseMessage> TryRegisterAsync(ScheduleDefinition definition, bool replace = false, bool allowPast = false) =>
        _http.PutAsync(
            $"schedules/{Uri.EscapeDataString(definition.Name)}",
            JsonContent.Create(
                new RegisterRequest
                {
                    Definition = definition,
                    Replace = replace,
                    AllowPast = allowPast,
                    By = "a test",
                },
                SchedulingJson.Default.RegisterRequest
            )
        );

    /// <summary>The error that a registration gets.</summary>
    public async Task<ControlError> RefusedAsync(ScheduleDefinition definition)
    {
        using HttpResponseMessage answer = await TryRegisterAsync(definition);
        Assert.False(answer.IsSuccessStatusCode);
        return JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), SchedulingJson.Default.ControlError)!;
    }

    public async Task<BulkLoadRun> StartRunAsync(string name)
    {
        using HttpResponseMessage answer = await _http.PostAsync($"schedules/{Uri.EscapeDataString(name)}/start", null);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize(text, SchedulingJson.Default.BulkLoadRun)!;
    }

    public async Task<BulkLoadRun> RunAsync(string id) =>
        JsonSerializer.Deserialize(await _http.GetStringAsync($"runs/{id.Replace("run:", "")}"), SchedulingJson.Default.BulkLoadRun)!;

    public async Task<List<BulkLoadRun>> RunsAsync(string query = "") =>
        (await _http.GetStringAsync("runs" + query))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize(line, SchedulingJson.Default.BulkLoadRun)!)
            .ToList();

    public async Task<List<BulkLoadSchedule>> SchedulesAsync(string query = "") =>
        (await _http.GetStringAsync("schedules" + query))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize(line, SchedulingJson.Default.BulkLoadSchedule)!)
            .ToList();

    /// <summary>Waits until a run is as it should be.</summary>
    public Task<BulkLoadRun> UntilAsync(string id, Func<BulkLoadRun, bool> condition) => UntilAsync(() => RunAsync(id), condition);

    /// <summary>Waits until a run has ended.</summary>
    public Task<BulkLoadRun> EndOfAsync(string id) => UntilAsync(id, run => run.IsTerminal);

    /// <summary>Asks again and again until the answer is as it should be.</summary>
    public async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> condition)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            T answer = await ask();
            if (condition(answer))
                return answer;
            Assert.True(waited.Elapsed < TimeLimit, $"it did not come: {JsonSerializer.Serialize(answer)} {Log}");
            await Task.Delay(20);
        }
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(TimeLimit);
    }

    /// <summary>Sends SIGSTOP: it stands still, as on a machine that is suspended, and knows nothing of it.</summary>
    public void Suspend() => ProcessSignal.Send(_process.Id, ProcessSignal.Stop);

    /// <summary>Sends SIGCONT.</summary>
    public void Resume() => ProcessSignal.Send(_process.Id, ProcessSignal.Continue);

    /// <summary>Sends SIGTERM, and gives the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        ProcessSignal.Send(_process.Id, ProcessSignal.Terminate);
        return await EndsAsync();
    }

    public async Task<int> EndsAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeLimit);
        return _process.ExitCode;
    }

    public async Task<string> OutputAsync() => await _process.StandardOutput.ReadToEndAsync().WaitAsync(TimeLimit);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        ProcessWatch.Remove(_process);
        _http.Dispose();
        _process.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
