using IngestTools.Connections;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Names that are completed from a server.</summary>
public sealed class NameListsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly NameLists _lists;
    private int _asked;

    public NameListsTests() => _lists = new NameLists(_time);

    [Fact]
    public async Task Server_is_asked_once_for_each_list()
    {
        Assert.Equal(["a"], (await GetAsync("repositories", Names("a"))).Keys);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(["a"], (await GetAsync("repositories", Names("b"))).Keys);
        Assert.Equal(["c"], (await GetAsync("branches of a", Names("c"))).Keys);
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task Failure_is_remembered_for_thirty_seconds()
    {
        Assert.Empty(await GetAsync("repositories", Refused()));
        _time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.Empty(await GetAsync("repositories", Names("a")));
        Assert.Equal(1, _asked);

        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(["a"], (await GetAsync("repositories", Names("a"))).Keys);
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task Failure_of_one_list_leaves_the_others()
    {
        Assert.Empty(await GetAsync("repositories", Refused()));

        Assert.Equal(["a"], (await GetAsync("branches of a", Names("a"))).Keys);
    }

    [Fact]
    public async Task Server_that_is_slow_is_waited_for_a_second_once_in_thirty()
    {
        TaskCompletionSource<IReadOnlyDictionary<string, string>> answer = new();
        Task<IReadOnlyDictionary<string, string>> first = GetAsync("projects", answer.Task);
        Assert.False(first.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await first.WaitAsync(Limit));

        Task<IReadOnlyDictionary<string, string>> second = GetAsync("projects", answer.Task);
        Assert.True(second.IsCompleted);
        Assert.Empty(await second);

        _time.Advance(TimeSpan.FromSeconds(30));
        Task<IReadOnlyDictionary<string, string>> third = GetAsync("projects", answer.Task);
        Assert.False(third.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await third.WaitAsync(Limit));
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task Answer_that_comes_late_is_used_at_once()
    {
        TaskCompletionSource<IReadOnlyDictionary<string, string>> answer = new();
        Task<IReadOnlyDictionary<string, string>> first = GetAsync("projects", answer.Task);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _asked) == 1, Limit));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await first.WaitAsync(Limit));

        answer.SetResult(await Names("a"));
        Assert.True(SpinWait.SpinUntil(() => GetAsync("projects", Refused()) is { IsCompleted: true, Result.Count: 1 }, Limit));
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task Slow_server_that_fails_in_the_end_is_asked_again_after_thirty_seconds()
    {
        TaskCompletionSource<IReadOnlyDictionary<string, string>> answer = new();
        Task<IReadOnlyDictionary<string, string>> first = GetAsync("projects", answer.Task);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _asked) == 1, Limit));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await first.WaitAsync(Limit));
        answer.SetException(new IOException("reset"));

        Assert.Empty(await GetAsync("projects", Names("a")));
        Assert.Equal(1, _asked);
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    _time.Advance(TimeSpan.FromSeconds(30));
                    return GetAsync("projects", Names("a")).Wait(Limit) && _asked == 2;
                },
                Limit
            )
        );
    }

    private static Task<IReadOnlyDictionary<string, string>> Names(string name) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string> { [name] = name });

    private static Task<IReadOnlyDictionary<string, string>> Refused() =>
        Task.FromException<IReadOnlyDictionary<string, string>>(new HttpRequestException("refused"));

    private Task<IReadOnlyDictionary<string, string>> GetAsync(string list, Task<IReadOnlyDictionary<string, string>> answer) =>
        _lists.GetAsync(
            list,
            () =>
            {
                Interlocked.Increment(ref _asked);
                return answer;
            }
        );
}
