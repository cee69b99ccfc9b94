using System.Data.Common;
using System.Globalization;

namespace IngestTools.Scheduler.Store;

/// <summary>A connection to the store, within a transaction or not. Values never stand in the text of a statement.</summary>
internal sealed class StoreSession(DbConnection connection, DbTransaction? transaction)
{
    private const string Part = "part";

    private readonly SortedSet<DateTimeOffset> _dueTimes = [];

    /// <summary>Times at which schedules are due from now on. They are announced when the transaction is committed.</summary>
    public IReadOnlyCollection<DateTimeOffset> DueTimes => _dueTimes;

    /// <summary>Notes when a schedule is due.</summary>
    public void NoteDue(StoredSchedule schedule)
    {
        if (schedule is { Status: ScheduleStatus.Active, NextDue: { } due })
            _dueTimes.Add(due);
    }

    private readonly List<StoredRun> _ended = [];

    /// <summary>Runs that ended. Their reports are added to the transaction.</summary>
    public IReadOnlyList<StoredRun> EndedRuns => _ended;

    /// <summary>Notes that a run ended.</summary>
    public void NoteEnd(StoredRun run) => _ended.Add(run);

    /// <summary>
    /// Does a part of a transaction wholly or not at all: what failed is not committed with the rest. A database that failed fails the rest
    /// too.
    /// </summary>
    public async Task<T> PartAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        DbTransaction whole = transaction ?? throw new InvalidOperationException("Only a transaction has parts.");
        int ended = _ended.Count;
        await whole.SaveAsync(Part, cancellationToken);
        try
        {
            T result = await work();
            await whole.ReleaseAsync(Part, cancellationToken);
            return result;
        }
        catch (Exception e) when (e is not (OperationCanceledException or DbException))
        {
            _ended.RemoveRange(ended, _ended.Count - ended);
            await whole.RollbackAsync(Part, cancellationToken);
            await whole.ReleaseAsync(Part, cancellationToken);
            throw;
        }
    }

    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] values)
    {
        using DbCommand command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<List<T>> QueryAsync<T>(
        string sql,
        Func<DbDataReader, T> read,
        CancellationToken cancellationToken,
        params (string Name, object? Value)[] values
    )
    {
        using DbCommand command = Command(sql, values);
        using DbDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>The first column of the first row as a number; null where there is none.</summary>
    public async Task<long?> NumberAsync(string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] values)
    {
        using DbCommand command = Command(sql, values);
        object? value = await command.ExecuteScalarAsync(cancellationToken);
        return value is null or DBNull ? null : Convert.ToInt64(value, CultureInfo.InvariantCulture);
    }

    private DbCommand Command(string sql, (string Name, object? Value)[] values)
    {
        DbCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        foreach ((string name, object? value) in values)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }

        return command;
    }
}

/// <summary>Reads columns by their name.</summary>
internal static class ReaderColumns
{
    public static string Text(this DbDataReader reader, string column) => reader.GetString(reader.GetOrdinal(column));

    public static string? TextOrNull(this DbDataReader reader, string column)
    {
        int at = reader.GetOrdinal(column);
        return reader.IsDBNull(at) ? null : reader.GetString(at);
    }

    public static long Number(this DbDataReader reader, string column) =>
        Convert.ToInt64(reader.GetValue(reader.GetOrdinal(column)), CultureInfo.InvariantCulture);

    public static long? NumberOrNull(this DbDataReader reader, string column)
    {
        int at = reader.GetOrdinal(column);
        return reader.IsDBNull(at) ? null : Convert.ToInt64(reader.GetValue(at), CultureInfo.InvariantCulture);
    }

    /// <summary>The number of a column that a store of an earlier version does not have.</summary>
    public static long? AddedNumber(this DbDataReader reader, string column) =>
        Added(reader, column) is { } value ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : null;

    /// <summary>The text of a column that a store of an earlier version does not have.</summary>
    public static string? AddedText(this DbDataReader reader, string column) => Added(reader, column) as string;

    private static object? Added(DbDataReader reader, string column)
    {
        for (int at = 0; at < reader.FieldCount; at++)
        {
            if (reader.GetName(at) == column)
                return reader.IsDBNull(at) ? null : reader.GetValue(at);
        }

        return null;
    }

    public static DateTimeOffset Time(this DbDataReader reader, string column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(reader.Number(column));

    public static DateTimeOffset? TimeOrNull(this DbDataReader reader, string column) =>
        reader.NumberOrNull(column) is { } time ? DateTimeOffset.FromUnixTimeMilliseconds(time) : null;
}
