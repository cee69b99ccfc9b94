using IngestTools.Journal;
using IngestTools.Units.Core;

namespace IngestTools.Units.Journal;

/// <summary>What this assembly does as a program: it writes to a journal without a pause, and can be killed meanwhile.</summary>
internal static class JournalProgram
{
    public const string Server = "http://127.0.0.1:1/";

    public static JournalPlace PlaceOf(string name) => new(IngestService.DspIngest, Server, name);

    public static string NameOf(long number) => $"folder/{number:D8}.txt";

    /// <summary>
    /// Takes a file, a place, and how many files to record at least; 0 is without end. It prints <c>job KEY</c> once, <c>start KEY</c> for
    /// each start that is on the disk, and at the end <c>done</c>, or why it failed. With <c>profiles</c> first, it is
    /// <see cref="ProfileProgram"/>.
    /// </summary>
    public static async Task<int> Main(string[] args)
    {
        if (args[0] == ProfileProgram.Name)
            return await ProfileProgram.RunAsync(args[1], args[2], int.Parse(args[3], System.Globalization.CultureInfo.InvariantCulture));
        (string path, string place, long count) = (
            args[0],
            args[1],
            long.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture)
        );
        try
        {
            using IIngestJournal journal = IngestJournal.Open(path);
            using IUploadJob job = journal.BeginJob(PlaceOf(place), "test", null);
            await SayAsync($"job {job.Number}");
            for (long i = 1; (count == 0 || i <= count) && job.Failure is null; i++)
            {
                await job.RecordAsync(JournalTests.FileOf(NameOf(i)), 100);
                if (i % 50 == 0)
                    await SayAsync($"start {journal.BeginStart(JournalTests.StartOf(PlaceOf(place)))}");
            }

            await job.CompleteAsync(IngestJobStatus.Completed);
            await SayAsync(job.Failure is { } failure ? $"{failure.ErrorId}: {failure.Message} {failure.Advice}" : "done");
        }
        catch (IngestException e)
        {
            await SayAsync($"{e.ErrorId}: {e.Message} {e.Advice}");
        }

        return 0;
    }

    private static async Task SayAsync(string line)
    {
        await Console.Out.WriteLineAsync(line);
        await Console.Out.FlushAsync();
    }
}
