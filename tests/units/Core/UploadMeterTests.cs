using IngestTools.Uploads;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

public sealed class UploadMeterTests
{
    [Fact]
    public void Time_left_is_known_once_all_files_are_found()
    {
        FakeTimeProvider time = new();
        UploadMeter meter = new(time);
        for (int i = 0; i < 10; i++)
            meter.Found(10_000_000);
        meter.Read();
        time.Advance(TimeSpan.FromSeconds(2));
        for (int i = 0; i < 4; i++)
        {
            meter.Sent(10_000_000);
            meter.Done(failed: false);
        }

        UploadProgress finding = meter.Read();
        meter.AllFound();
        UploadProgress found = meter.Read();

        Assert.Null(finding.Remaining);
        // 40 of 100 MB took two seconds.
        Assert.Equal(20_000_000, found.BytesPerSecond);
        Assert.Equal(TimeSpan.FromSeconds(3), found.Remaining);
    }
}
