using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace IngestTools.Journal;

/// <summary>
/// Short forms of what the journal asks of SQLite, and the one place where SQLite's errors become <see cref="ErrorId.JournalUnavailable"/>.
/// </summary>
internal static class JournalAccess
{
    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    public static T Run<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (JournalErrors.IsOfFile(e))
        {
            throw JournalErrors.Of(path, e);
        }
    }

    /// <exception cref="IngestException"><see cref="ErrorId.JournalUnavailable"/></exception>
    public static void Run(string path, Action action) =>
        Run(
            path,
            () =>
            {
                action();
                return true;
            }
        );

    public static SqliteCommand Prepare(this SqliteConnection connection, string text, params string[] parameters)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // All texts are constants of this folder; what varies is a parameter.
        command.CommandText = text;
#pragma warning restore CA2100
        foreach (string parameter in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        return command;
    }

    public static SqliteCommand With(this SqliteCommand command, params object?[] values)
    {
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }

    public static int Execute(this SqliteConnection connection, string text, params (string Name, object? Value)[] parameters)
    {
        using SqliteCommand command = Create(connection, text, parameters);
        return command.ExecuteNonQuery();
    }

    public static long? ReadNumber(this SqliteConnection connection, string text, params (string Name, object? Value)[] parameters)
    {
        using SqliteCommand command = Create(connection, text, parameters);
        return command.ExecuteScalar() is long number ? number : null;
    }

    public static List<T> Read<T>(
        this SqliteConnection connection,
        string text,
        Func<SqliteDataReader, T> read,
        params (string Name, object? Value)[] parameters
    )
    {
        using SqliteCommand command = Create(connection, text, parameters);
        using SqliteDataReader reader = command.ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
            rows.Add(reader.ReadRow(read));
        return rows;
    }

    /// <summary>Reads a row. Content that was not written by this program is damage, whatever it is that does not fit.</summary>
    public static T ReadRow<T>(this SqliteDataReader reader, Func<SqliteDataReader, T> read)
    {
        try
        {
            return read(reader);
        }
        catch (Exception e)
            when (e
                    is JsonException
                        or FormatException
                        or ArgumentException
                        or InvalidCastException
                        or InvalidOperationException
                        or OverflowException
            )
        {
            throw new InvalidDataException("A record of the journal cannot be read.", e);
        }
    }

    public static string? TextOrNull(this SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static long? NumberOrNull(this SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    public static string? HashOrNull(this SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : Convert.ToHexString(reader.GetFieldValue<byte[]>(column)).ToLowerInvariant();

    public static DateTimeOffset Time(this SqliteDataReader reader, int column) =>
        DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));

    public static byte[]? HashBytes(string? sha256) => sha256 is null ? null : Convert.FromHexString(sha256);

    private static SqliteCommand Create(SqliteConnection connection, string text, (string Name, object? Value)[] parameters)
    {
        SqliteCommand command = connection.Prepare(text);
        foreach ((string name, object? value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
