using System.Globalization;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Writes the log to stderr: with the priorities that the journal reads where systemd runs the daemon, with times elsewhere.
/// </summary>
internal sealed class StderrLoggerProvider(LogLevel least, bool forJournal) : DaemonLoggerProvider(least, TimeProvider.System)
{
    private readonly object _lock = new();

    /// <summary>Whether stderr goes to the journal, which knows the time itself.</summary>
    public static bool IsJournal => Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };

    protected override void Write(LogLevel level, string category, string line)
    {
        string text = forJournal
            ? $"<{PriorityOf(level)}>{line}"
            : string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd HH:mm:ss.fff}Z {WordOf(level)} {line}");
        lock (_lock)
            Console.Error.WriteLine(text);
    }

    /// <remarks>The numbers are syslog's, as sd-daemon(3) has them.</remarks>
    private static int PriorityOf(LogLevel level) =>
        level switch
        {
            LogLevel.Critical => 2,
            LogLevel.Error => 3,
            LogLevel.Warning => 4,
            LogLevel.Information => 6,
            _ => 7,
        };

    private static string WordOf(LogLevel level) =>
        level switch
        {
            LogLevel.Critical => "CRITICAL",
            LogLevel.Error => "ERROR   ",
            LogLevel.Warning => "WARNING ",
            LogLevel.Information => "info    ",
            _ => "debug   ",
        };
}
