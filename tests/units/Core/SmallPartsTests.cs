using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class SmallPartsTests
{
    [Fact]
    public void Seen_keys_are_remembered_however_many()
    {
        SeenKeys seen = new();
        for (int i = 0; i < 100_000; i++)
            Assert.True(seen.Add($"folder/file-{i}.tif"));
        for (int i = 0; i < 100_000; i += 97)
            Assert.False(seen.Add($"folder/file-{i}.tif"));
        Assert.False(seen.Contains("other"));
        Assert.Equal(100_000, seen.Count);
    }

    [Fact]
    public void Names_that_were_seen_are_known_after_each_growth()
    {
        SeenKeys seen = new();
        for (int i = 0; i < 2000; i++)
        {
            Assert.True(seen.Add($"{i}"));
            // Each tenth makes a bucket split, and its names move.
            if (i % 10 != 0)
                continue;
            for (int before = 0; before <= i; before++)
            {
                Assert.False(seen.Add($"{before}"));
                Assert.True(seen.Contains($"{before}"));
            }
        }

        Assert.Equal(2000, seen.Count);
        Assert.False(seen.Contains("2000"));
    }

    [Fact]
    public void Uploaded_names_beyond_memory_come_back_in_order()
    {
        using UploadedNames names = new();
        int count = UploadedNames.MostInMemory + 5000;
        for (int i = 0; i < count; i++)
            names.Add($"Côté/{i}.tif");

        Assert.Equal(count, names.Count);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"Côté/{i}.tif"), names.Read());
        names.Add("last");
        Assert.Equal("last", names.Read().Last());
    }

    [Fact]
    public async Task Gate_grows_to_the_limit_where_more_at_once_are_answered_as_quickly()
    {
        AdaptiveConcurrencyLimiter gate = new(16, new FakeTimeProvider());

        await RunAsync(gate, uploads: 100, _ => TimeSpan.FromMilliseconds(20));

        Assert.Equal(16, gate.Limit);
    }

    [Fact]
    public async Task Gate_stays_small_where_a_lock_lets_one_through_at_a_time()
    {
        AdaptiveConcurrencyLimiter gate = new(16, new FakeTimeProvider());

        await RunAsync(gate, uploads: 300, inside => TimeSpan.FromMilliseconds(20 * inside));

        Assert.InRange(gate.Limit, 1, 2);
    }

    [Fact]
    public async Task Gate_halves_once_when_many_find_the_lock_held()
    {
        FakeTimeProvider time = new();
        AdaptiveConcurrencyLimiter gate = new(16, time);
        await RunAsync(gate, uploads: 100, _ => TimeSpan.FromMilliseconds(20));

        long entered = time.GetTimestamp();
        for (int i = 0; i < 16; i++)
            await gate.EnterAsync(alone: false, CancellationToken.None);
        time.Advance(TimeSpan.FromMilliseconds(400));
        for (int i = 0; i < 16; i++)
            gate.LeaveLocked(alone: false, entered);

        Assert.Equal(8, gate.Limit);
    }

    [Fact]
    public async Task Large_file_goes_alone_and_those_behind_it_wait()
    {
        AdaptiveConcurrencyLimiter gate = new(16, new FakeTimeProvider());
        await gate.EnterAsync(alone: false, CancellationToken.None);
        ValueTask large = gate.EnterAsync(alone: true, CancellationToken.None);
        ValueTask small = gate.EnterAsync(alone: false, CancellationToken.None);
        Assert.Equal((false, false), (large.IsCompleted, small.IsCompleted));

        gate.Leave(alone: false);
        await large;
        Assert.False(small.IsCompleted);

        gate.Leave(alone: true);
        await small;
    }

    [Fact]
    public void Pauses_between_looks_grow_to_half_a_minute()
    {
        TimeSpan pause = PollPause.First;
        for (int i = 0; i < 20; i++)
            pause = PollPause.Next(pause);
        Assert.Equal(TimeSpan.FromSeconds(30), pause);
    }

    /// <summary>Puts uploads through the gate. Their time is not slept: it is what the gate is told.</summary>
    private static async Task RunAsync(AdaptiveConcurrencyLimiter gate, int uploads, Func<int, TimeSpan> timeFor)
    {
        for (int done = 0; done < uploads;)
        {
            int inside = gate.Limit;
            for (int i = 0; i < inside; i++)
                await gate.EnterAsync(alone: false, CancellationToken.None);
            for (int i = 0; i < inside; i++, done++)
                gate.Leave(alone: false, timeFor(inside), bytes: 0);
        }
    }
}
