using Microsoft.Data.Sqlite;

namespace IngestTools.Units.Scheduler;

/// <summary>
/// A daemon's store, from outside: what it is to write can be refused, so that a run stands still right before a step until it is let go,
/// or its daemon killed.
/// </summary>
internal sealed class HeldStore(string folder)
{
    private const string Trigger = "a_test_holds";

    /// <summary>Refuses to write a run where a condition on OLD and NEW holds.</summary>
    public Task HoldAsync(string condition) =>
        ExecuteAsync(
            $"CREATE TRIGGER {Trigger} BEFORE UPDATE ON ingest_run WHEN {condition} BEGIN SELECT RAISE(ABORT, 'held by a test'); END"
        );

    /// <summary>Lets all be written again.</summary>
    public Task LetGoAsync() => ExecuteAsync($"DROP TRIGGER {Trigger}");

    public async Task ExecuteAsync(string sql)
    {
        using SqliteConnection connection = new(
            new SqliteConnectionStringBuilder { DataSource = Path.Join(folder, "scheduler.db"), Pooling = false }.ToString()
        );
        await connection.OpenAsync();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
