using IngestTools.Uploads;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class AdaptiveConcurrencyLimiterTests
{
    [Fact]
    public async Task Limit_grows_where_more_uploads_are_answered_as_quickly()
    {
        AdaptiveConcurrencyLimiter limiter = new(16, new FakeTimeProvider());

        await RunAsync(limiter, uploads: 100, _ => TimeSpan.FromMilliseconds(20));

        Assert.Equal(16, limiter.Limit);
    }

    [Fact]
    public async Task Limit_stays_small_where_a_lock_admits_one_upload_at_a_time()
    {
        AdaptiveConcurrencyLimiter limiter = new(16, new FakeTimeProvider());

        await RunAsync(limiter, uploads: 300, inside => TimeSpan.FromMilliseconds(20 * inside));

        Assert.InRange(limiter.Limit, 1, 2);
    }

    [Fact]
    public async Task Limit_is_halved_once_when_many_find_the_lock_held()
    {
        FakeTimeProvider time = new();
        AdaptiveConcurrencyLimiter limiter = new(16, time);
        await RunAsync(limiter, uploads: 100, _ => TimeSpan.FromMilliseconds(20));

        long entered = time.GetTimestamp();
        for (int i = 0; i < 16; i++)
            await limiter.EnterAsync(alone: false, CancellationToken.None);
        time.Advance(TimeSpan.FromMilliseconds(400));
        for (int i = 0; i < 16; i++)
            limiter.LeaveLocked(alone: false, entered);

        Assert.Equal(8, limiter.Limit);
    }

    [Fact]
    public async Task Large_file_is_sent_alone_and_those_behind_it_wait()
    {
        AdaptiveConcurrencyLimiter limiter = new(16, new FakeTimeProvider());
        await limiter.EnterAsync(alone: false, CancellationToken.None);
        ValueTask large = limiter.EnterAsync(alone: true, CancellationToken.None);
        ValueTask small = limiter.EnterAsync(alone: false, CancellationToken.None);
        Assert.Equal((false, false), (large.IsCompleted, small.IsCompleted));

        limiter.Leave(alone: false);
        await large;
        Assert.False(small.IsCompleted);

        limiter.Leave(alone: true);
        await small;
    }

    /// <summary>Puts uploads through the limiter. Their time is not slept: it is what the limiter is told.</summary>
    private static async Task RunAsync(AdaptiveConcurrencyLimiter limiter, int uploads, Func<int, TimeSpan> timeFor)
    {
        for (int done = 0; done < uploads; )
        {
            int inside = limiter.Limit;
            for (int i = 0; i < inside; i++)
                await limiter.EnterAsync(alone: false, CancellationToken.None);
            for (int i = 0; i < inside; i++, done++)
                limiter.Leave(alone: false, timeFor(inside), bytes: 0);
        }
    }
}
