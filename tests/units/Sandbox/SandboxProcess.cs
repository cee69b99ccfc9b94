using System.Diagnostics;
using System.Text.Json;
using IngestTools.Sandbox;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Sandbox;

/// <summary>ingest-sandbox in a process of its own.</summary>
internal sealed class SandboxProcess : IAsyncDisposable
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private SandboxProcess(Process process)
    {
        _process = process;
        ProcessWatch.Add(process);
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    /// <summary>The line that it printed when it listened.</summary>
    public JsonElement Announced { get; private set; }

    public Uri Uri => new(Announced.GetProperty("uri").GetString()!);

    public static SandboxProcess Start(params string[] arguments)
    {
        string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        ProcessStartInfo start = new(dotnet, [typeof(SandboxServer).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new SandboxProcess(Process.Start(start)!);
    }

    public static async Task<SandboxProcess> ServeAsync(params string[] arguments)
    {
        SandboxProcess sandbox = Start(["serve", .. arguments]);
        string? line = await sandbox._process.StandardOutput.ReadLineAsync().WaitAsync(TimeLimit);
        Assert.True(line is not null, $"the sandbox did not start: {line}");
        sandbox.Announced = JsonDocument.Parse(line).RootElement;
        return sandbox;
    }

    public Task<string> ErrorsAsync() => _errors.WaitAsync(TimeLimit);

    public Task<string> RestOfOutputAsync() => _process.StandardOutput.ReadToEndAsync().WaitAsync(TimeLimit);

    /// <summary>The exit code.</summary>
    public Task<int> EndsAsync() => EndsWithinAsync(TimeLimit);

    /// <summary>The exit code, or a failure when it takes longer.</summary>
    public async Task<int> EndsWithinAsync(TimeSpan time)
    {
        await _process.WaitForExitAsync().WaitAsync(time);
        return _process.ExitCode;
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(TimeLimit);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        ProcessWatch.Remove(_process);
        _process.Dispose();
    }
}
