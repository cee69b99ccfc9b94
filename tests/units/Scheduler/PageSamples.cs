using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;

namespace IngestTools.Units.Scheduler;

/// <summary>A store as an archive has it: loads every night and hour, some of which went wrong.</summary>
internal static class PageSamples
{
    public const string Reason = "Three of 412 files could not be sent: the disk of the service is full.";

    public static async Task FillAsync(PageHarness page)
    {
        await page.AddAsync(PageHarness.Nightly("scans-0801-nightly", "15 2 * * *", load: PageHarness.Folder("0801")));
        await page.AddAsync(PageHarness.Nightly("newspapers-lakefs", "0 22 * * 1-5", "America/New_York", Import()));
        await page.AddAsync(PageHarness.Nightly("phones-hourly", "0 * * * *", "UTC"));
        await page.AddAsync(PageHarness.Nightly("genomes-weekly", "30 4 * * 1", "Asia/Kolkata"));
        await page.AddAsync(PageHarness.Nightly(PageHarness.HostileName, "45 2 * * *"));
        await page.AddAsync(
            PageHarness.Nightly("maps-paused", "0 5 * * *"),
            ScheduleStatus.Suspended,
            "Waits for the new project. (archivist)"
        );
        for (int i = 1; i <= 60; i++)
        {
            long number = await page.AddRunAsync(
                (i % 10) switch
                {
                    3 => PageHarness.Run("scans-0801-nightly", i, RunStatus.PartlySucceeded, Reason) with { Completed = 409, Total = 412 },
                    6 => PageHarness.Run("phones-hourly", i, RunStatus.Missed, "The scheduler was down."),
                    8 => PageHarness.Run(PageHarness.HostileName, i, RunStatus.Failed, PageHarness.HostileName),
                    _ => PageHarness.Run("phones-hourly", i) with { Completed = 1200, Total = 1200, Unit = "files" },
                }
            );
            await page.Store.WriteLogAsync(number, PageHarness.Now, "Info", "Sends 412 files.", CancellationToken.None);
            if (i % 10 == 3)
                await page.Store.WriteLogAsync(number, PageHarness.Now, "Error", Reason, CancellationToken.None);
        }

        await StartAsync(page, "scans-0801-nightly", 180, 412);
        await page.AddRunAsync(PageHarness.Run("newspapers-lakefs", 102, RunStatus.Planned));
    }

    /// <summary>A run that is under way.</summary>
    public static async Task<StoredRun> StartAsync(PageHarness page, string name, long completed, long total)
    {
        long number = await page.AddRunAsync(PageHarness.Run(name, 9_999, RunStatus.Planned) with { StartedAt = null });
        StoredRun run = (await page.Store.TakeAsync(number, 4, PageHarness.Now, CancellationToken.None))! with
        {
            Status = RunStatus.Uploading,
            Completed = completed,
            Total = total,
            Unit = "files",
            Message = "Sends the files of /data/scans.",
        };
        await page.Store.WriteRunAsync(run, CancellationToken.None);
        return run;
    }

    private static LoadDefinition Import() =>
        new()
        {
            Kind = LoadKind.Import,
            Connection = "lake",
            Server = "https://lake.example.org/",
            Source = "s3://newspapers/incoming/",
            Repository = "newspapers",
            Branch = "main",
        };
}
