namespace IngestTools.Connections;

/// <summary>
/// Lists of names that the server of one connection has, for whoever types one of them. The server is asked once for each list, and the
/// caller waits a second at most. A list that fails, or does not come in time, is empty for 30 s without another wait.
/// </summary>
/// <param name="time">The clock; null for the system's.</param>
public sealed class NameLists(TimeProvider? time = null)
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1);

    /// <summary>Long enough for somebody who presses Tab several times, and short enough for a server that is fixed meanwhile.</summary>
    private static readonly TimeSpan FailureLifetime = TimeSpan.FromSeconds(30);

    private static readonly IReadOnlyDictionary<string, string> Empty = new Dictionary<string, string>();

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Dictionary<string, Answer> _answers = new(StringComparer.Ordinal);
    private readonly object _lock = new();

    /// <summary>The names of a list, each with what is shown beside it; empty where the server fails or does not answer in time.</summary>
    /// <param name="list">The list, such as <c>repositories</c>.</param>
    /// <param name="read">Asks the server.</param>
    public async Task<IReadOnlyDictionary<string, string>> GetAsync(string list, Func<Task<IReadOnlyDictionary<string, string>>> read)
    {
        Answer answer = FindOrAsk(list, read);
        if (HasJustFailed(answer))
            return Empty;
        try
        {
            return await answer.Names.WaitAsync(TimeLimit, _time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            answer.FailedAt = _time.GetTimestamp();
            return Empty;
        }
    }

    /// <summary>A server that is slow is not asked a second time: its answer may still come.</summary>
    private Answer FindOrAsk(string list, Func<Task<IReadOnlyDictionary<string, string>>> read)
    {
        lock (_lock)
        {
            if (_answers.TryGetValue(list, out Answer? answer) && !HasFailedBefore(answer))
                return answer;
            return _answers[list] = new Answer(Task.Run(read));
        }
    }

    private bool HasJustFailed(Answer answer) =>
        !answer.Names.IsCompletedSuccessfully && answer.FailedAt is { } failed && _time.GetElapsedTime(failed) < FailureLifetime;

    /// <summary>Whether it has failed, and that is over: the server may be asked again.</summary>
    private bool HasFailedBefore(Answer answer) =>
        (answer.Names.IsFaulted || answer.Names.IsCanceled) && answer.FailedAt is not null && !HasJustFailed(answer);

    private sealed class Answer(Task<IReadOnlyDictionary<string, string>> names)
    {
        public Task<IReadOnlyDictionary<string, string>> Names => names;

        /// <summary>When the caller last got nothing; null before.</summary>
        public long? FailedAt { get; set; }
    }
}
