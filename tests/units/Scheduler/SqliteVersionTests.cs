using Microsoft.Data.Sqlite;
using Xunit;

namespace IngestTools.Units.Scheduler;

/// <summary>The SQLite that the scheduler's store runs on.</summary>
public sealed class SqliteVersionTests
{
    /// <summary>Versions before it can corrupt a database when the write-ahead log is reset.</summary>
    private static readonly Version First = new(3, 51, 3);

    [Fact]
    public void Sqlite_is_new_enough_to_reset_its_write_ahead_log_safely()
    {
        using SqliteConnection connection = new("Data Source=:memory:");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT sqlite_version()";

        Version version = Version.Parse((string)command.ExecuteScalar()!);

        Assert.True(version >= First, $"SQLite is {version}.");
    }
}
