using IngestTools.Http;
using IngestTools.Units.Support;
using IngestTools.Uploads;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>Files as bodies of requests, under a limit of bytes in a second.</summary>
public sealed class FileContentTests : IDisposable
{
    private const int Rate = 40_000;

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(200_000)]
    [InlineData(2_000_000)]
    public async Task Wait_for_the_rate_is_not_a_stall(int length)
    {
        RateLimiter rate = new(Rate, atOnce: Rate / 10.0, _time);
        // Others have booked what takes longer than a stall may.
        Task others = rate.WaitAsync(CancellationToken.None, Rate * 100);
        Task next = rate.WaitAsync(CancellationToken.None, 1);
        using LocalFile file = LocalFile.Open(_folder.Write("a.tif", length));
        using StallTimeout stall = new(StallTimeout.TimeLimit, _time, CancellationToken.None);
        using FileContent content = new(file, stall, new UploadMeter(_time), rate);
        using MemoryStream sent = new();

        Task sending = content.CopyToAsync(sent);
        DateTimeOffset start = _time.GetUtcNow();
        while (!sending.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await sending;
        Assert.False(stall.HasEnded);
        Assert.Equal(length, sent.Length);
        TimeSpan taken = _time.GetUtcNow() - start;
        Assert.True(taken >= TimeSpan.FromSeconds(100 + (length - Rate / 10.0) / Rate), $"{taken}");
        await Task.WhenAll(others, next);
    }

    [Fact]
    public async Task Each_attempt_waits_for_the_rate()
    {
        RateLimiter rate = new(Rate, atOnce: Rate / 10.0, _time);
        UploadMeter meter = new(_time);
        string path = _folder.Write("a.tif", Rate);
        DateTimeOffset start = _time.GetUtcNow();
        for (int attempt = 0; attempt < 3; attempt++)
        {
            using LocalFile file = LocalFile.Open(path);
            using FileContent content = new(file, null, meter, rate);
            Task sending = content.CopyToAsync(Stream.Null);
            while (!sending.IsCompleted)
            {
                _time.Advance(TimeSpan.FromMilliseconds(50));
                await Task.Yield();
            }

            await sending;
        }

        Assert.True(_time.GetUtcNow() - start >= TimeSpan.FromSeconds(2.8), $"{_time.GetUtcNow() - start}");
    }

    [Fact]
    public async Task Wait_that_is_canceled_gives_its_turn_back()
    {
        RateLimiter rate = new(Rate, atOnce: 1, _time);
        await rate.WaitAsync(CancellationToken.None, Rate);
        using CancellationTokenSource stop = new();
        Task canceled = rate.WaitAsync(stop.Token, Rate * 1000);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);

        Task next = rate.WaitAsync(CancellationToken.None, 1);
        _time.Advance(TimeSpan.FromSeconds(1.1));

        await next.WaitAsync(TimeSpan.FromSeconds(60));
    }
}
