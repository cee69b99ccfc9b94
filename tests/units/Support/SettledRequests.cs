using IngestTools.Sandbox;

namespace IngestTools.Units.Support;

/// <summary>The sandbox records a request after the client has its answer, so a test that counts at once could miss the last one.</summary>
internal static class SettledRequests
{
    /// <summary>A request that a test holds back never ends, and is not waited for.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>The requests so far, when those under way have ended.</summary>
    public static IReadOnlyList<RequestRecord> Settled(this RequestLog requests)
    {
        SpinWait.SpinUntil(() => requests.InFlight == 0, Limit);
        return requests.Snapshot();
    }
}
