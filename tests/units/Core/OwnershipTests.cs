using System.Runtime.Versioning;
using IngestTools.Connections;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>
/// Profiles and the files that secrets are read from are refused where another account owns them, or can write them or their folder.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class OwnershipTests : IDisposable
{
    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;

    private readonly TemporaryFolder _temporary = new();
    private readonly string _folder;

    public OwnershipTests()
    {
        _folder = Path.Join(_temporary.Path, "kept");
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(_folder, OwnerOnlyFolder);
    }

    public void Dispose() => _temporary.Dispose();

    /// <summary>What is read, by the name of its file.</summary>
    public static TheoryData<string> Files => ["profiles.json", "token", ".lakectl.yaml"];

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_file_in_a_folder_that_others_can_write_is_refused(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        string path = Write(name);
        Read(path);
        File.SetUnixFileMode(_folder, Everybody);

        AssertRefused(path, $"other accounts can write to its folder {_folder}", $"Run: chmod go-w '{_folder}'");
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_file_that_others_can_write_is_refused(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        string path = Write(name);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);

        AssertRefused(path, "other accounts can write to it", $"Run: chmod go-w '{path}'");
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_file_in_a_folder_such_as_tmp_is_read(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        string path = Write(name);
        File.SetUnixFileMode(_folder, Everybody | UnixFileMode.StickyBit);

        Read(path);
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_file_of_another_account_is_refused(string name)
    {
        Skip.IfNot(OtherAccount.IsAvailable, "Only root on Linux can give a file away.");
        string path = Write(name);
        OtherAccount.Give(path);

        AssertRefused(path, "it belongs to another account (", $"chown 0 '{path}'");
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_file_in_a_folder_of_another_account_is_refused(string name)
    {
        Skip.IfNot(OtherAccount.IsAvailable, "Only root on Linux can give a folder away.");
        string path = Write(name);
        OtherAccount.Give(_folder);

        AssertRefused(path, $"its folder {_folder} belongs to another account (", $"chown 0 '{_folder}'");
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_file_of_the_administrator_is_read(string name)
    {
        Skip.IfNot(OtherAccount.IsAvailable, "Only root on Linux can be another account.");
        string path = Write(name);
        File.SetUnixFileMode(_temporary.Path, OwnerOnlyFolder | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        File.SetUnixFileMode(_folder, OwnerOnlyFolder | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        string content = OtherAccount.Run(() =>
        {
            using FileStream opened = FileAccount.OpenTrusted(path, risk => new InvalidOperationException(risk.Reason));
            using StreamReader reader = new(opened);
            return reader.ReadToEnd();
        });

        Assert.Equal("[]", content);
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void A_pipe_in_the_place_of_the_file_is_refused_at_once(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no named pipes in folders.");
        string path = Path.Join(_folder, name);
        using (System.Diagnostics.Process made = System.Diagnostics.Process.Start("mkfifo", ["-m", "600", path]))
            made.WaitForExit();

        AssertRefused(path, "it is not a regular file", "Move it");
    }

    [OtherAccountFact]
    public void A_file_that_another_account_puts_in_its_place_is_refused_by_what_was_opened()
    {
        string path = Write("token");
        string theirs = Write("theirs");
        OtherAccount.Give(theirs);

        // What the name leads to when it is opened is not what it led to when it was looked at.
        using FileStream opened = File.OpenRead(theirs);
        Assert.Null(FileAccount.FindRisk(path));
        Assert.Contains("belongs to another account", FileAccount.FindRiskOf(opened, path)?.Reason, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Profiles_are_not_written_into_a_folder_that_others_can_write()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        File.SetUnixFileMode(_folder, Everybody);
        using IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings { Service = IngestService.DspIngest, Uri = new Uri("https://ingest.example.org") }
        );

        IngestException error = Assert.Throws<IngestException>(() =>
            new ProfileStore(_folder).Save(ConnectionProfile.From(connection, isDefault: false))
        );

        Assert.Equal(ErrorId.FileUnreadable, error.ErrorId);
        Assert.Contains("other accounts can write", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [SkippableFact]
    public void A_folder_without_profiles_has_none_whoever_can_write_it()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        File.SetUnixFileMode(_folder, Everybody);

        Assert.Empty(new ProfileStore(_folder).Read());
    }

    private static void Read(string path)
    {
        switch (Path.GetFileName(path))
        {
            case "profiles.json":
                Assert.Empty(new ProfileStore(Path.GetDirectoryName(path)).Read());
                break;
            case "token":
                Assert.Equal(
                    "[]",
                    SecretReference
                        .Parse($"file:{path}")
                        .CreateReader(vault: null)(CancellationToken.None)
                        .AsTask()
                        .GetAwaiter()
                        .GetResult()
                );
                break;
            default:
                Assert.Null(EnvironmentConnections.Read(IngestService.LakeFs, name => name == "LAKECTL_CONFIG_FILE" ? path : null));
                break;
        }
    }

    private static void AssertRefused(string path, string reason, string advice)
    {
        IngestException error = Assert.Throws<IngestException>(() => Read(path));
        Assert.Equal(Path.GetFileName(path) == "token" ? ErrorId.SecretUnavailable : ErrorId.FileUnreadable, error.ErrorId);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains(advice, error.Advice, StringComparison.Ordinal);
    }

    private string Write(string name)
    {
        string path = Path.Join(_folder, name);
        File.WriteAllText(path, "[]");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
