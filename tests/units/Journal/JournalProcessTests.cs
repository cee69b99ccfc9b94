using System.Diagnostics;
using System.Globalization;
using IngestTools.Journal;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Journal;

/// <summary>Several processes with one journal, processes that are killed, and a disk that is full.</summary>
[Trait("kind", "process")]
public sealed class JournalProcessTests : JournalTests
{
    private const int Kills = 12;

    private static readonly string Assembly = typeof(JournalProgram).Assembly.Location;

    [Fact]
    public async Task Four_processes_write_at_once_and_none_loses_a_record()
    {
        const int Files = 5000;
        string[] places = ["0001", "0002", "0003", "0003"];

        string[][] said = await Task.WhenAll(places.Select(place => RunAsync(Start(place, Files))));

        Assert.All(said, lines => Assert.Equal("done", lines[^1]));
        IReadOnlyList<IngestJob> jobs = Journal.ReadJobs(new JobQuery());
        Assert.Equal(4, jobs.Count);
        Assert.All(jobs, job => Assert.Equal((IngestJobStatus.Completed, Files), (job.Status, job.Uploaded)));
        Assert.All(jobs, job => Assert.Equal(Files, Journal.ReadResults(IngestJob.ParseId(job.Id)).Count()));
        Assert.Equal(said.Sum(lines => lines.Count(IsStart)), Journal.ReadTransactions(new TransactionQuery()).Count);
        Assert.Equal("ok", CheckIntegrity());
    }

    [Fact]
    public async Task A_process_that_is_killed_leaves_whole_records_and_all_acknowledgedthat_it_was_promised()
    {
        List<string> promised = [];
        for (int kill = 0; kill < Kills; kill++)
        {
            using Process writer = Start("0001", 0);
            int starts = 1 + Random.Shared.Next(20);
            while (starts > 0 && await writer.StandardOutput.ReadLineAsync(Soon) is { } line)
            {
                promised.Add(line);
                starts -= IsStart(line) ? 1 : 0;
            }

            writer.Kill();
            // What it said before its end was a promise too.
            while (await writer.StandardOutput.ReadLineAsync(Soon) is { } line)
                promised.Add(line);
            await writer.WaitForExitAsync(Soon);
        }

        Assert.Equal("ok", CheckIntegrity());
        string[] acknowledged = [.. promised.Where(IsStart)];
        HashSet<string> recorded =
        [
            .. Journal.ReadTransactions(new TransactionQuery { IncludesEnded = true }).Select(t => $"start {t.Key}"),
        ];
        Assert.Equal(acknowledged.Length, acknowledged.Distinct().Count());
        Assert.All(acknowledged, start => Assert.Contains(start, recorded));
        Assert.All(Journal.ReadTransactions(new TransactionQuery()), t => Assert.Equal(StartState.Lost, t.State));
        IReadOnlyList<IngestJob> jobs = Journal.ReadJobs(new JobQuery());
        Assert.Equal(Kills, jobs.Count);
        foreach (IngestJob job in jobs)
        {
            Assert.Equal(IngestJobStatus.Interrupted, job.Status);
            // One writer writes in order, so what is there is a beginning without a gap, and the job counts just that.
            Assert.Equal(
                Enumerable.Range(1, (int)job.Uploaded).Select(i => JournalProgram.NameOf(i)),
                ResultsOf(IngestJob.ParseId(job.Id))
            );
        }
    }

    [Fact]
    public async Task A_job_runs_as_long_as_its_process_and_a_later_one_of_another_process_sees_it()
    {
        using Process writer = Start("0001", 0);
        long number = long.Parse((await writer.StandardOutput.ReadLineAsync(Soon))!.Split(' ')[1], CultureInfo.InvariantCulture);
        using IUploadJob mine = Journal.BeginJob(Project, "test", null);
        using IUploadJob elsewhere = Journal.BeginJob(JournalProgram.PlaceOf("0002"), "test", null);
        Assert.Equal(IngestJobStatus.Running, JobOf(number).Status);
        OlderJob older = mine.FindOlder()!.Value;
        Assert.Equal((number, writer.Id), (older.Number, older.ProcessId));
        Assert.Null(elsewhere.FindOlder());

        writer.Kill();
        await writer.WaitForExitAsync(Soon);

        Assert.Equal(IngestJobStatus.Interrupted, JobOf(number).Status);
        Assert.Null(JobOf(number).CompletedAt);
        Assert.Null(mine.FindOlder());
    }

    [Fact]
    public async Task A_job_that_began_later_is_not_waited_for()
    {
        using IUploadJob mine = Journal.BeginJob(Project, "test", null);
        using Process writer = Start("0001", 0);
        await writer.StandardOutput.ReadLineAsync(Soon);

        Assert.Null(mine.FindOlder());

        writer.Kill();
        await writer.WaitForExitAsync(Soon);
    }

    [Fact]
    public void A_process_is_known_across_the_reuse_of_its_number()
    {
        (int number, string start) = ProcessIdentity.Current;

        Assert.True(ProcessIdentity.IsAlive(number, start));
        Assert.False(ProcessIdentity.IsAlive(number, start + "0"));
        Assert.False(ProcessIdentity.IsAlive(number, ""));
        Assert.False(ProcessIdentity.IsAlive(int.MaxValue, start));
    }

    [SkippableFact]
    public async Task A_process_that_has_ended_and_was_not_reaped_is_gone()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "It needs Linux.");
        // The shell becomes another program, which does not know that it has a child. The child ends after that, or the shell would reap
        // it.
        using Process parent = Process.Start(
            new ProcessStartInfo("/bin/bash", ["-c", "until [ \"$(cat /proc/$$/comm)\" = sleep ]; do :; done & echo $!; exec sleep 600"])
            {
                RedirectStandardOutput = true,
            }
        )!;
        string number = (await parent.StandardOutput.ReadLineAsync(Soon))!;
        string[] fields = [];
        Assert.True(
            SpinWait.SpinUntil(
                () => (fields = File.ReadAllText($"/proc/{number}/stat").Split(") ")[1].Split(' '))[0] == "Z",
                TimeSpan.FromSeconds(30)
            )
        );
        string start = $"{fields[19]}/{(await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim()}";

        Assert.False(ProcessIdentity.IsAlive(int.Parse(number, CultureInfo.InvariantCulture), start));

        parent.Kill();
        await parent.WaitForExitAsync(Soon);
    }

    [SkippableFact]
    public async Task A_full_disk_ends_the_recording_with_its_cause()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "It needs Linux.");
        // A disk of 2 MiB that only the writer sees, and that is gone with it.
        Directory.CreateDirectory(Folder);
        string[] mounted =
        [
            "-mr",
            "/bin/sh",
            "-c",
            $"/bin/mount -t tmpfs -o size=2m,mode=700 tmpfs '{Folder}' && exec \"$@\"",
            "sh",
            "dotnet",
            Assembly,
            Path,
            "0001",
            "0",
        ];

        string[] said = await RunAsync(Start(new ProcessStartInfo("/usr/bin/unshare", mounted)));

        Assert.StartsWith(
            $"JournalUnavailable: The journal {Path} cannot be used: the disk is full. Free some space. To continue without the journal",
            said[^1],
            StringComparison.Ordinal
        );
        Assert.StartsWith("job ", said[0], StringComparison.Ordinal);
    }

    /// <summary>Cancelled after a time in which each of these programs ends, also on a busy machine.</summary>
    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token;

    private static bool IsStart(string line) => line.StartsWith("start ", StringComparison.Ordinal);

    private static async Task<string[]> RunAsync(Process process)
    {
        using Process running = process;
        string said = await running.StandardOutput.ReadToEndAsync(Soon);
        await running.WaitForExitAsync(Soon);
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Process Start(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        return Process.Start(start)!;
    }

    private Process Start(string place, int files) =>
        Start(new ProcessStartInfo("dotnet", [Assembly, Path, place, files.ToString(CultureInfo.InvariantCulture)]));

    private string CheckIntegrity()
    {
        using SqliteConnection connection = new JournalFile(Path).Open(isDurable: false);
        return Assert.Single(connection.Read("PRAGMA integrity_check", r => r.GetString(0)));
    }
}
