using System.Text.Json;
using IngestTools.Logging;
using IngestTools.Units.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>The log in a file.</summary>
public sealed class LogFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string LogPath => Path.Join(_folder.Path, "ingest.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Text_has_time_with_zone_process_weight_source_and_message_in_one_line()
    {
        FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 26, 22, 30, 1, 234, TimeSpan.Zero));
        time.SetLocalTimeZone(TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test"));
        using (LogFile log = LogFile.Open(LogPath, time: time))
            log.For("Send-IngestFile").Write(LogSeverity.Warning, "two\nlines");

        Assert.Equal(
            $"2026-11-27T00:30:01.234+02:00 {Environment.ProcessId} Warning     Send-IngestFile: two\\u000alines",
            Assert.Single(File.ReadAllLines(LogPath))
        );
    }

    [Fact]
    public void Json_is_one_object_a_line()
    {
        using (LogFile log = LogFile.Open(LogPath, isJson: true))
            log.For("Start-Import").Write(LogSeverity.Error, "it says \"no\"\n");

        using JsonDocument line = JsonDocument.Parse(Assert.Single(File.ReadAllLines(LogPath)));
        Assert.Equal("Error", line.RootElement.GetProperty("severity").GetString());
        Assert.Equal("it says \"no\"\n", line.RootElement.GetProperty("message").GetString());
        Assert.Equal("Start-Import", line.RootElement.GetProperty("source").GetString());
        Assert.True(line.RootElement.GetProperty("time").TryGetDateTimeOffset(out _));
    }

    [Fact]
    public void Lighter_messages_than_the_level_are_left_out()
    {
        using (LogFile log = LogFile.Open(LogPath, LogSeverity.Warning))
        {
            IngestLog lines = log.For("x");
            Assert.False(lines.IsOn(LogSeverity.Information));
            lines.Write(LogSeverity.Debug, "light");
            lines.Write(LogSeverity.Error, "heavy");
        }

        Assert.EndsWith("heavy", Assert.Single(File.ReadAllLines(LogPath)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_of_several_writers_are_whole_and_in_the_order_of_each()
    {
        const int Writers = 6;
        const int Lines = 3000;
        await Task.WhenAll(
            Enumerable
                .Range(0, Writers)
                .Select(writer =>
                    Task.Run(() =>
                    {
                        using LogFile log = LogFile.Open(LogPath);
                        IngestLog lines = log.For($"writer {writer}");
                        for (int i = 0; i < Lines; i++)
                            lines.Write(LogSeverity.Debug, $"line {i}");
                    })
                )
        );

        string[] all = File.ReadAllLines(LogPath);
        Assert.Equal(Writers * Lines, all.Length);
        for (int writer = 0; writer < Writers; writer++)
            Assert.Equal(
                Enumerable.Range(0, Lines).Select(i => $"line {i}"),
                all.Where(line => line.Contains($"writer {writer}:", StringComparison.Ordinal)).Select(line => line.Split(": ")[1])
            );
    }

    [Fact]
    public void Large_file_is_rotated_and_no_line_is_lost()
    {
        string filler = new('x', 1000);
        const int Lines = 25_000;
        using (LogFile log = LogFile.Open(LogPath))
        {
            IngestLog lines = log.For("x");
            for (int i = 0; i < Lines; i++)
                lines.Write(LogSeverity.Debug, $"{i} {filler}");
        }

        string[] files = Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray()!;
        Assert.Equal(["ingest.1.log", "ingest.2.log", "ingest.log", "ingest.log.lock"], files);
        Assert.Equal(
            Enumerable.Range(0, Lines),
            new[] { "ingest.2.log", "ingest.1.log", "ingest.log" }
                .SelectMany(name => File.ReadLines(Path.Join(_folder.Path, name)))
                .Select(line => int.Parse(line.Split(": ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture))
        );
    }

    [Theory]
    [InlineData("ingest.1.log", "mine\n")]
    [InlineData("ingest.5.log", "mine\n")]
    [InlineData("ingest.2.log", "")]
    [InlineData("ingest.3.log", "2026-11-27T00:30:01.234+02:00 17 Error       Send-IngestFile: lines that somebody picked out\n")]
    public void Other_file_with_the_name_of_an_older_part_stays_and_is_one_warning(string name, string content)
    {
        string other = Path.Join(_folder.Path, name);
        File.WriteAllText(other, content);

        string warning = WriteToFullLog();

        Assert.Equal(
            $"The log '{LogPath}' is not rotated and grows: '{other}' is not an older part of it. "
                + "Move or rename that file, or log to another file.",
            warning
        );
        Assert.Equal(content, File.ReadAllText(other));
        Assert.Equal([name, "ingest.log", "ingest.log.lock"], FileNames());
        Assert.EndsWith($"Warning     log: {warning}", Assert.Single(File.ReadLines(LogPath), IsWarning), StringComparison.Ordinal);
    }

    [Fact]
    public void Large_file_of_somebody_with_the_name_of_an_older_part_stays()
    {
        string other = Path.Join(_folder.Path, "ingest.1.log");
        WriteFullLog(other, "[2026-11-27 00:30:01] GET /index.html");

        WriteToFullLog();

        Assert.StartsWith("[2026-11-27", File.ReadLines(other).First(), StringComparison.Ordinal);
        Assert.Equal(["ingest.1.log", "ingest.log", "ingest.log.lock"], FileNames());
    }

    [Fact]
    public void Other_log_with_the_name_of_an_older_part_stays()
    {
        string other = Path.Join(_folder.Path, "ingest.1.log");
        WriteFullLog(other);
        File.WriteAllText(other + ".lock", "");

        WriteToFullLog();

        Assert.Equal(["ingest.1.log", "ingest.1.log.lock", "ingest.log", "ingest.log.lock"], FileNames());
    }

    [Fact]
    public void Folder_with_the_name_of_an_older_part_stays_and_is_a_warning()
    {
        string other = Path.Join(_folder.Path, "ingest.1.log");
        Directory.CreateDirectory(other);

        Assert.Contains($"'{other}' is not an older part", WriteToFullLog(), StringComparison.Ordinal);
        Assert.True(Directory.Exists(other));
    }

    [FactExceptOn("windows", "Windows makes links for administrators only.")]
    public void Link_with_the_name_of_an_older_part_stays()
    {
        WriteFullLog(Path.Join(_folder.Path, "kept.log"));
        string other = Path.Join(_folder.Path, "ingest.5.log");
        File.CreateSymbolicLink(other, "kept.log");
        File.CreateSymbolicLink(Path.Join(_folder.Path, "ingest.4.log"), "nowhere");

        WriteToFullLog();

        Assert.Equal(["ingest.4.log", "ingest.5.log", "ingest.log", "ingest.log.lock", "kept.log"], FileNames());
        Assert.Equal("kept.log", new FileInfo(other).LinkTarget);
    }

    [Fact]
    public void Log_is_rotated_when_the_other_file_is_moved()
    {
        string other = Path.Join(_folder.Path, "ingest.1.log");
        File.WriteAllText(other, "mine");
        WriteFullLog(LogPath);
        using (LogFile log = LogFile.Open(LogPath))
        {
            log.For("x").Write(LogSeverity.Debug, "one");
            Assert.True(SpinWait.SpinUntil(() => log.TakeWarning() is not null, TimeSpan.FromSeconds(60)));
            File.Move(other, Path.Join(_folder.Path, "mine.log"));
            log.For("x").Write(LogSeverity.Debug, "two");
        }

        Assert.Equal(["ingest.1.log", "ingest.log.lock", "mine.log"], FileNames());
    }

    [Fact]
    public void Log_that_was_added_to_a_file_of_somebody_is_rotated_again_and_again()
    {
        const int rotations = 3;
        WriteFullLog(LogPath, "Transcript started, output file is ingest.log");
        using (LogFile log = LogFile.Open(LogPath))
            log.For("x").Write(LogSeverity.Debug, "rotates 1");
        for (int rotation = 2; rotation <= rotations; rotation++)
        {
            WriteFullLog(LogPath);
            using LogFile log = LogFile.Open(LogPath);
            log.For("x").Write(LogSeverity.Debug, $"rotates {rotation}");
            log.Dispose();
            Assert.Null(log.TakeWarning());
        }

        Assert.Equal(["ingest.1.log", "ingest.2.log", "ingest.3.log", "ingest.log.lock"], FileNames());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Oldest_part_makes_room_whether_parts_are_text_or_json(bool isJson)
    {
        for (int number = 1; number <= 5; number++)
        {
            string part = Path.Join(_folder.Path, $"ingest.{number}.log");
            using (LogFile log = LogFile.Open(part, isJson: isJson))
                log.For("x").Write(LogSeverity.Information, $"part {number}");
            File.Delete(part + ".lock");
            Fill(part);
        }

        WriteFullLog(LogPath);
        using (LogFile log = LogFile.Open(LogPath))
        {
            log.For("x").Write(LogSeverity.Debug, "new");
            Assert.Null(log.TakeWarning());
        }

        Assert.Equal(["ingest.1.log", "ingest.2.log", "ingest.3.log", "ingest.4.log", "ingest.5.log", "ingest.log.lock"], FileNames());
        for (int number = 2; number <= 5; number++)
            Assert.Contains(
                $"part {number - 1}",
                File.ReadLines(Path.Join(_folder.Path, $"ingest.{number}.log")).First(),
                StringComparison.Ordinal
            );
    }

    /// <summary>Writes to a log that is to be rotated, and returns its one warning.</summary>
    private string WriteToFullLog()
    {
        WriteFullLog(LogPath);
        string? warning = null;
        using LogFile log = LogFile.Open(LogPath);
        for (int line = 0; line < 3; line++)
        {
            log.For("x").Write(LogSeverity.Debug, $"line {line}");
            Assert.True(SpinWait.SpinUntil(() => (warning ??= log.TakeWarning()) is not null, TimeSpan.FromSeconds(60)));
        }

        log.Dispose();
        Assert.Null(log.TakeWarning());
        Assert.Equal(3, File.ReadLines(LogPath).Count(line => line.Contains("x: line ", StringComparison.Ordinal)));
        return warning!;
    }

    private static void WriteFullLog(string path, string first = "2026-11-27T00:30:01.234+02:00 17 Information Send-IngestFile: begins")
    {
        File.WriteAllText(path, first + "\n");
        Fill(path);
    }

    /// <summary>Makes a file as large as one that is rotated.</summary>
    private static void Fill(string path)
    {
        const int RotatedLength = 10 * 1024 * 1024;
        using FileStream file = new(path, FileMode.Append);
        file.Write(Enumerable.Repeat((byte)'x', RotatedLength).Append((byte)'\n').ToArray());
    }

    private static bool IsWarning(string line) => line.Contains(" Warning ", StringComparison.Ordinal);

    private string[] FileNames() =>
        Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray()!;

    [Fact]
    public void Place_that_cannot_be_written_is_an_error_that_names_it()
    {
        IngestException error = Assert.Throws<IngestException>(() => LogFile.Open(_folder.Path));

        Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        Assert.Contains(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains("it is a folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Log_that_cannot_be_written_any_more_says_so_once_and_stops_nothing()
    {
        string folder = Path.Join(_folder.Path, "gone");
        Directory.CreateDirectory(folder);
        using LogFile log = LogFile.Open(Path.Join(folder, "ingest.log"));
        IngestLog lines = log.For("x");
        Directory.Delete(folder, recursive: true);

        lines.Write(LogSeverity.Debug, "nobody reads this");

        IngestException? failure = null;
        Assert.True(SpinWait.SpinUntil(() => (failure = log.TakeFailure()) is not null, TimeSpan.FromSeconds(60)));
        Assert.Equal(ErrorId.FileUnreadable, failure!.ErrorId);
        Assert.Null(log.TakeFailure());
        lines.Write(LogSeverity.Debug, "nor this");
    }

    [Fact]
    public void Log_that_others_read_is_written_nevertheless()
    {
        using LogFile log = LogFile.Open(LogPath);
        using FileStream reader = new(LogPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

        log.For("x").Write(LogSeverity.Debug, "read by somebody");

        Assert.True(SpinWait.SpinUntil(() => reader.Length > 0, TimeSpan.FromSeconds(60)));
        Assert.Null(log.TakeFailure());
    }

    [Fact]
    public void Log_that_can_be_written_again_is_continued()
    {
        string folder = Path.Join(_folder.Path, "gone");
        Directory.CreateDirectory(folder);
        string path = Path.Join(folder, "ingest.log");
        using (LogFile log = LogFile.Open(path))
        {
            Directory.Delete(folder, recursive: true);
            log.For("x").Write(LogSeverity.Debug, "kept");
            Assert.True(SpinWait.SpinUntil(() => log.TakeFailure() is not null, TimeSpan.FromSeconds(60)));
            Directory.CreateDirectory(folder);
            Assert.True(SpinWait.SpinUntil(() => File.Exists(path) && new FileInfo(path).Length > 0, TimeSpan.FromSeconds(60)));
        }

        Assert.EndsWith("kept", Assert.Single(File.ReadAllLines(path)), StringComparison.Ordinal);
    }

    [OtherAccountFact]
    public void Log_of_another_account_is_refused()
    {
        File.WriteAllText(LogPath, "theirs");
        OtherAccount.Give(LogPath);

        Assert.Contains(
            "belongs to another account",
            Assert.Throws<IngestException>(() => LogFile.Open(LogPath)).Message,
            StringComparison.Ordinal
        );
    }

    [FactExceptOn("windows", "Windows has no file modes.")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void New_file_is_readable_by_its_owner_alone()
    {
        LogFile.Open(LogPath).Dispose();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(LogPath));
    }
}
