using System.Runtime.CompilerServices;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;

namespace IngestTools.Units.Support;

/// <summary>A sandbox of the test's own, which ends with the test.</summary>
internal abstract class SandboxFixture(SandboxServer server) : IAsyncDisposable
{
    /// <summary>Long enough for a busy machine, and short enough to fail instead of hanging.</summary>
    public static readonly TimeSpan TimeLimit = SandboxServer.DefaultWaitLimit;

    private readonly CancellationTokenSource _soon = new(TimeLimit);

    public SandboxServer Server => server;

    /// <summary>Cancelled when the test has taken longer than <see cref="TimeLimit"/>.</summary>
    public CancellationToken Soon => _soon.Token;

    public Task WaitUntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        Server.WaitUntilAsync(condition, null, what);

    /// <summary>Sets what goes wrong from now on, and nothing else.</summary>
    public void SetFaults(params string[] faults) => Server.Faults.Replace(Array.ConvertAll(faults, Fault.Parse));

    /// <summary>The number of requests with a method whose path ends like this.</summary>
    public int Count(string method, string pathEnd) =>
        Server
            .Requests.Settled()
            .Count(request => request.Method == method && request.Target.Split('?')[0].EndsWith(pathEnd, StringComparison.Ordinal));

    public virtual async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _soon.Dispose();
    }
}
