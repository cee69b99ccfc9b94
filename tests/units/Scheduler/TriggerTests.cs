using IngestTools.Scheduler.Store;
using IngestTools.Scheduler.Timing;
using IngestTools.Scheduling;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The triggers that Quartz holds in memory: those of the next times, set from the store's table.</summary>
public sealed class TriggerTests
{
    private static readonly DateTimeOffset Noon = new(2027, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Only_the_next_times_are_set_and_the_others_as_they_come_near()
    {
        await using PlanningHost host = await PlanningHost.StartAsync(Noon);
        await AddAsync(host, 1300, TimeSpan.FromSeconds(1));
        Assert.Equal(TriggerScheduler.MaxTriggers, host.Triggers.Count);

        // Beyond the first thousand nothing was set, and nothing polls the table here but the job that Quartz runs.
        for (int second = 100; second <= 1300; second += 100)
        {
            host.Time.Advance(TimeSpan.FromSeconds(100));
            await Until.TrueAsync(async () => (await host.RunsAsync(most: 3000)).Count == second);
            Assert.InRange(host.Triggers.Count, 0, TriggerScheduler.MaxTriggers);
        }
    }

    [Fact]
    public async Task Schedules_that_are_due_at_the_same_time_have_one_trigger()
    {
        await using PlanningHost host = await PlanningHost.StartAsync(Noon);
        await AddAsync(host, 300, TimeSpan.Zero);
        Assert.Equal(1, host.Triggers.Count);

        host.Time.Advance(TimeSpan.FromSeconds(1));

        await Until.TrueAsync(async () => (await host.RunsAsync(most: 1000)).Count == 300);
    }

    [Fact]
    public async Task A_change_that_nobody_announced_is_set_at_the_next_poll()
    {
        await using PlanningHost host = await PlanningHost.StartAsync(Noon);
        SchedulerStore other = new(host.Dialect, SchedulerStore.NewClaim(), "other");
        await other.PutScheduleAsync(Once("lost", Noon.AddSeconds(9)), false, CancellationToken.None);
        Assert.Equal(0, host.Triggers.Count);

        await host.Triggers.PollAsync(CancellationToken.None);
        Assert.Equal(1, host.Triggers.Count);
        host.Time.Advance(TimeSpan.FromSeconds(9));

        await Until.TrueAsync(async () => (await host.RunsAsync()).Count == 1);
    }

    private static async Task AddAsync(PlanningHost host, int count, TimeSpan apart)
    {
        for (int i = 0; i < count; i++)
        {
            StoredSchedule schedule = Once($"s{i}", Noon.AddSeconds(1) + apart * i);
            Assert.True((await host.Store.PutScheduleAsync(schedule, false, CancellationToken.None)).Kept);
        }
    }

    private static StoredSchedule Once(string name, DateTimeOffset at) =>
        new()
        {
            Revision = name,
            Definition = new ScheduleDefinition
            {
                Name = name,
                Load = new LoadDefinition
                {
                    Kind = LoadKind.BulkIngest,
                    Connection = "dsp",
                    Path = "/nowhere",
                    Shortcode = "0001",
                },
                At = at,
            },
            RegisteredAt = Noon,
            NextDue = at,
        };
}
