using System.Diagnostics;
using System.Runtime.Versioning;
using IngestTools.Journal;
using IngestTools.Units.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Journal;

/// <summary>The journal's file, and what is wrong with it.</summary>
public sealed class JournalFileTests : JournalTests
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [FactExceptOn("windows", "Windows has no file modes.")]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_its_owner_can_read_what_is_recorded_from_the_moment_it_exists()
    {
        using IUploadJob job = Journal.BeginJob(Project, "test", null);
        await job.RecordAsync(FileOf("a.tif"), 100);

        Assert.Equal(OwnerOnlyFolder, File.GetUnixFileMode(Folder));
        string[] files = Directory.GetFiles(Folder);
        Assert.Contains($"{Path}-wal", files);
        foreach (string file in files)
            Assert.Equal(OwnerOnlyFile, File.GetUnixFileMode(file));
    }

    [Fact]
    public void The_native_library_does_not_damage_a_write_ahead_log()
    {
        using SqliteConnection connection = new("Data Source=:memory:");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT sqlite_version()";

        Assert.InRange(Version.Parse((string)command.ExecuteScalar()!), new Version(3, 51, 3), new Version(3, 999));
    }

    [Fact]
    public void A_journal_that_a_newer_version_wrote_is_refused()
    {
        Write("PRAGMA user_version = 4");

        AssertUnavailable("a newer version of IngestTools wrote it (format 4; this version reads up to 3)", "Update IngestTools.");
    }

    [Fact]
    public void A_journal_of_the_first_format_is_used_as_it_is()
    {
        Transaction known = StartOf(Project).Transaction;
        using (SqliteJournal before = new(Path, TimeProvider.System))
            before.EndStart(before.BeginStart(StartOf(Project)), known);
        Write(
            "ALTER TABLE start DROP COLUMN schedule; ALTER TABLE start DROP COLUMN run; DROP TABLE other_file; DROP TABLE upload; "
                + "PRAGMA user_version = 1"
        );
        using SqliteJournal journal = new(Path, TimeProvider.System, new StartOrigin("nightly", "a run"));

        journal.BeginStart(StartOf(Project, "dsp:0002"));

        Assert.Equal(
            [new StartOrigin("nightly", "a run"), null],
            journal.ReadTransactions(new TransactionQuery()).Select(start => start.Origin)
        );
        Assert.Equal(known, journal.ReadTransactions(new TransactionQuery())[1].Transaction);
    }

    [Fact]
    public void A_journal_of_the_second_format_keeps_the_newest_upload_of_a_name()
    {
        using (SqliteJournal before = new(Path, TimeProvider.System))
        {
            AddWorkbook(before, "sys.hcs", job: 2);
            AddWorkbook(before, "sys", job: 1);
        }

        Write("DROP TABLE upload; PRAGMA user_version = 2");
        using SqliteJournal journal = new(Path, TimeProvider.System);

        Assert.Equal("sys.hcs", journal.FindUpload(IngestService.Voss, "http://voss/", "users.xlsx")?.Place.Name);
    }

    [Fact]
    public void A_deleted_record_of_the_newest_upload_of_a_name_makes_no_older_one_the_newest()
    {
        using SqliteJournal journal = new(Path, TimeProvider.System);
        AddWorkbook(journal, "sys", job: 1);
        AddWorkbook(journal, "sys.hcs", job: 2);

        journal.Clear(new ClearQuery { Hierarchy = "sys.hcs" });
        JournaledUpload? deleted = journal.FindUpload(IngestService.Voss, "http://voss/", "users.xlsx");
        Assert.Equal(("sys.hcs", null), (deleted?.Place.Name, deleted?.File));
        AddWorkbook(journal, "sys", job: 3);

        Assert.Equal(3, journal.FindUpload(IngestService.Voss, "http://voss/", "users.xlsx")?.File?.Job);
    }

    private static void AddWorkbook(SqliteJournal journal, string hierarchy, long job)
    {
        using IPlaceJournal place = journal.OpenPlace(new JournalPlace(IngestService.Voss, "http://voss/", hierarchy));
        place.Write([
            new JournaledFile
            {
                Name = "users.xlsx",
                ServerName = "users.xlsx",
                State = FileState.Sent,
                Job = job,
            },
        ]);
    }

    [Fact]
    public void A_database_of_another_program_is_refused_and_left_as_it_is()
    {
        Write("CREATE TABLE theirs (id INTEGER)");
        byte[] before = File.ReadAllBytes(Path);

        AssertUnavailable("it is a database of another program", "Move it to another folder");
        // Byte 18 and 19 say which journal mode the file has, 24 to 27 and 92 to 99 count its changes.
        Assert.Equal(before[100..], File.ReadAllBytes(Path)[100..]);
    }

    [Theory]
    [InlineData("This is a text, and not a database.")]
    [InlineData("SQLite format 3\0 and nothing else that fits")]
    public void A_file_that_is_not_a_database_is_refused(string content)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path, content + new string('.', 200));

        AssertUnavailable("it is damaged", "Move it to another folder");
        Assert.StartsWith(content, File.ReadAllText(Path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_file_is_a_new_journal()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(Path, "");

        Assert.Equal(1, await SendAsync(Project, "a.tif"));
    }

    [Fact]
    public async Task Damage_in_the_middle_is_found_where_it_is_read()
    {
        await SendAsync(Project, [.. Enumerable.Range(1, 5000).Select(i => $"{i:D5}.tif")]);
        Journal.Dispose();
        byte[] bytes = await File.ReadAllBytesAsync(Path);
        Array.Fill(bytes, (byte)0xA5, 4096 * 4, bytes.Length - (4096 * 4));
        await File.WriteAllBytesAsync(Path, bytes);

        IngestException error = Assert.Throws<IngestException>(() => Enumerable.Range(1, 5000).Select(i => Find($"{i:D5}.tif")).ToList());

        AssertUnavailable(error, "it is damaged", "Move it to another folder, and journal.db-wal with it");
    }

    [Fact]
    public void A_record_that_this_program_did_not_write_is_damage()
    {
        Journal.BeginStart(StartOf(Project));
        Write("UPDATE start SET content = 'no JSON'");

        AssertUnavailable(Assert.Throws<IngestException>(() => Journal.ReadTransactions(new TransactionQuery())), "it is damaged");
    }

    [Fact]
    public async Task A_journal_that_is_deleted_while_a_session_has_it_open_is_made_anew_for_its_owner_alone()
    {
        await SendAsync(Project, "a.tif");
        foreach (string file in Directory.GetFiles(Folder))
            File.Delete(file);

        using IUploadJob job = Journal.BeginJob(Project, "test", null);

        Assert.Equal(1, job.Number);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(OwnerOnlyFile, File.GetUnixFileMode(Path));
    }

    [Fact]
    public void A_folder_in_the_place_of_the_file_is_refused()
    {
        Directory.CreateDirectory(Path);

        AssertUnavailable(OperatingSystem.IsWindows() ? "" : "it is not a regular file");
    }

    [FactExceptOn("windows", "Windows has no such pipes.")]
    public async Task A_pipe_in_the_place_of_the_file_is_refused_and_not_waited_for()
    {
        Directory.CreateDirectory(Folder);
        using (Process made = Process.Start("mkfifo", [Path]))
            await made.WaitForExitAsync();

        AssertUnavailable("it is not a regular file", "Move it to another folder.");
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_refused_before_anything_is_sent() =>
        AsOrdinaryAccount(() =>
        {
            Journal.BeginJob(Project, "test", null).Dispose();
            Journal.Dispose();
            SetMode(Path, UnixFileMode.UserRead);

            AssertUnavailable("this account cannot write it", "the right to write the file and its folder");
        });

    [Fact]
    public void A_folder_that_cannot_be_written_is_refused_before_anything_is_sent() =>
        AsOrdinaryAccount(() =>
        {
            Journal.BeginJob(Project, "test", null).Dispose();
            Journal.Dispose();
            SetMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            try
            {
                AssertUnavailable("this account cannot write it", "the right to write the file and its folder");
            }
            finally
            {
                SetMode(Folder, OwnerOnlyFolder);
            }
        });

    [Fact]
    public void A_folder_that_cannot_be_made_is_an_error_that_names_the_file()
    {
        File.WriteAllText(Folder, "A file in the place of the folder.");

        AssertUnavailable("");
    }

    [OtherAccountFact]
    public void A_journal_of_another_account_is_not_used()
    {
        Journal.BeginJob(Project, "test", null).Dispose();
        Journal.Dispose();
        OtherAccount.Give(Path);

        AssertUnavailable("number 65534; this is root, number 0)", $"chown 0 '{Path}'");
    }

    [OtherAccountFact]
    public void A_journal_in_a_folder_of_another_account_is_not_used()
    {
        Directory.CreateDirectory(Folder);
        OtherAccount.Give(Folder);

        AssertUnavailable($"its folder {Folder} belongs to another account", "set INGESTTOOLS_HOME");
        Assert.False(File.Exists(Path) && new FileInfo(Path).Length > 0);
    }

    [SkippableTheory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_journal_that_others_can_write_is_not_used(UnixFileMode more)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        Journal.BeginJob(Project, "test", null).Dispose();
        SetMode(Path, OwnerOnlyFile | more);

        AssertUnavailable("other accounts can write to it", $"Run: chmod go-w '{Path}'.");
        SetMode(Path, OwnerOnlyFile);
        SetMode(Folder, OwnerOnlyFolder | more);
        AssertUnavailable($"other accounts can write to its folder {Folder}", $"Run: chmod go-w '{Folder}'.");
        SetMode(Folder, OwnerOnlyFolder);
        Journal.BeginJob(Project, "test", null).Dispose();
    }

    [Fact]
    public void A_journal_that_others_can_read_is_used()
    {
        Journal.BeginJob(Project, "test", null).Dispose();
        SetMode(Path, OwnerOnlyFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        Journal.BeginJob(Project, "test", null).Dispose();
    }

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, mode);
    }

    /// <summary>The administrator can write everywhere, so the test is another account where it runs as the administrator.</summary>
    private void AsOrdinaryAccount(Action test)
    {
        if (OperatingSystem.IsWindows())
            return;
        if (Environment.UserName != "root")
        {
            test();
            return;
        }

        Directory.CreateDirectory(Folder, OwnerOnlyFolder);
        SetMode(System.IO.Path.GetDirectoryName(Folder)!, OwnerOnlyFolder | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        OtherAccount.Give(Folder);
        Exception? failure = OtherAccount.Run(() => Record.Exception(test));
        Assert.Null(failure);
    }

    private void Write(string statement)
    {
        Directory.CreateDirectory(Folder);
        using SqliteConnection connection = new($"Data Source={Path};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A text of this test.
        command.CommandText = statement;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>What cannot be recorded is not begun, in words that help.</summary>
    private void AssertUnavailable(string why, string advice = "")
    {
        using SqliteJournal journal = new(Path, Time);
        AssertUnavailable(Assert.Throws<IngestException>(() => journal.BeginJob(Project, "test", null)), why, advice);
        AssertUnavailable(Assert.Throws<IngestException>(() => journal.BeginStart(StartOf(Project))), why, advice);
    }

    private void AssertUnavailable(IngestException error, string why, string advice = "")
    {
        Assert.Equal(ErrorId.JournalUnavailable, error.ErrorId);
        Assert.StartsWith($"The journal {Path} cannot be used: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", error.Message, StringComparison.Ordinal);
        Assert.Contains(advice, error.Advice, StringComparison.Ordinal);
        Assert.Contains("-NoJournal or set INGESTTOOLS_JOURNAL=off", error.Advice, StringComparison.Ordinal);
        Assert.Equal(Path, error.Target);
    }
}
