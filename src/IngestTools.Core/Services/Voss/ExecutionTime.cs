using System.Globalization;
using IngestTools.Scheduling;

namespace IngestTools.Services.Voss;

/// <summary>
/// When a load is to run, in the server's terms. The server knows no zones, only an offset, so the one that is valid at that instant is
/// what it is told.
/// </summary>
/// <remarks>VOSS Automate, POST /api/tool/BulkLoad/.</remarks>
/// <param name="time">When.</param>
public sealed class ExecutionTime(ScheduleTime time)
{
    /// <summary>YYYY-MM-DD, in the wall time.</summary>
    public string Date => time.Local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>HH:MM:SS, in the wall time.</summary>
    public string Time => time.Local.ToString(@"HH\:mm\:ss", CultureInfo.InvariantCulture);

    /// <summary>Minutes relative to UTC.</summary>
    public string Timezone => ((long)time.Local.Offset.TotalMinutes).ToString(CultureInfo.InvariantCulture);

    /// <summary>What is registered: in local time, in UTC, and in the server's terms.</summary>
    public string Describe() =>
        $"Runs at {time.Describe()}; sent as execute_date {Date}, execute_time {Time}, execute_timezone {Timezone}.";
}
