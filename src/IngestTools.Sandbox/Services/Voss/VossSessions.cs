using System.Collections.Concurrent;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>The sessions that somebody signed in for.</summary>
public sealed class VossSessions
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    private const int SessionIdLength = 32;
    private const int CsrfTokenLength = 64;

    private readonly ConcurrentDictionary<string, VossSession> _sessions = new(StringComparer.Ordinal);
    private readonly VossOptions _options;
    private readonly SandboxEnvironment _environment;
    private int _signIns;

    internal VossSessions(VossOptions options, SandboxEnvironment environment)
    {
        _options = options;
        _environment = environment;
    }

    /// <summary>How often somebody signed in.</summary>
    public int SignIns => Volatile.Read(ref _signIns);

    /// <summary>Ends all sessions.</summary>
    public void ExpireAll() => _sessions.Clear();

    internal VossSession Open(VossUser user)
    {
        Interlocked.Increment(ref _signIns);
        VossSession session = new(
            _environment.NextString(Alphabet, SessionIdLength),
            _environment.NextString(Alphabet, CsrfTokenLength),
            user.Name,
            _environment.Clock.GetUtcNow() + _options.SessionLifetime
        );
        _sessions[session.Id] = session;
        return session;
    }

    internal VossSession? Find(string? id) =>
        id is not null && _sessions.TryGetValue(id, out VossSession? session) && session.Ends > _environment.Clock.GetUtcNow()
            ? session
            : null;
}

/// <summary>A session.</summary>
/// <param name="Id">The cookie sessionid.</param>
/// <param name="CsrfToken">The cookie csrftoken, and the header X-CSRFToken.</param>
/// <param name="UserName">Whose it is.</param>
/// <param name="Ends">When it ends.</param>
internal sealed record VossSession(string Id, string CsrfToken, string UserName, DateTimeOffset Ends);

/// <summary>Counts how often each user asks.</summary>
public sealed class VossRate
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly Dictionary<string, Queue<DateTimeOffset>> _requests = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;

    internal VossRate(TimeProvider clock) => _clock = clock;

    /// <summary>The most requests that a user ever made within a second, refused ones included.</summary>
    public int Busiest { get; private set; }

    /// <summary>Counts a request, and returns how many the user has made within the last second.</summary>
    internal int Count(string userName)
    {
        lock (_gate)
        {
            if (!_requests.TryGetValue(userName, out Queue<DateTimeOffset>? times))
                _requests.Add(userName, times = new Queue<DateTimeOffset>());
            DateTimeOffset now = _clock.GetUtcNow();
            while (times.TryPeek(out DateTimeOffset first) && now - first >= Window)
                times.Dequeue();
            times.Enqueue(now);
            Busiest = Math.Max(Busiest, times.Count);
            return times.Count;
        }
    }
}
