using System.Globalization;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>
/// Writes the log to stderr: with the priorities that the journal reads where systemd runs the daemon, with times elsewhere.
/// </summary>
internal sealed class StderrLoggerProvider(LogLevel least, bool forJournal) : ILoggerProvider
{
    private readonly object _lock = new();

    /// <summary>Whether stderr goes to the journal, which knows the time itself.</summary>
    public static bool IsJournal => Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };

    public ILogger CreateLogger(string categoryName) => new StderrLogger(this, categoryName);

    public void Dispose() { }

    private bool IsOn(string category, LogLevel level) =>
        level != LogLevel.None
        && level
            >= (
                category.StartsWith("IngestTools", StringComparison.Ordinal) ? least
                : least < LogLevel.Information ? LogLevel.Information
                : LogLevel.Warning
            );

    private void Write(LogLevel level, string message)
    {
        string line = message.ReplaceLineEndings(" | ");
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

    private sealed class StderrLogger(StderrLoggerProvider provider, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => provider.IsOn(category, logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (!IsEnabled(logLevel))
                return;
            string message = formatter(state, exception);
            provider.Write(logLevel, exception is null ? message : $"{message} {exception}");
        }
    }
}
