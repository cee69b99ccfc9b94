using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>The daemon's log, wherever its lines go: each message is a line of its own, and repeats are folded.</summary>
/// <param name="least">The least level that is written of the daemon's own messages.</param>
/// <param name="time">The clock of the folding.</param>
internal abstract class DaemonLoggerProvider(LogLevel least, TimeProvider time) : ILoggerProvider
{
    private readonly RepeatFolder _folder = new(time);

    public ILogger CreateLogger(string categoryName) => new CategoryLogger(this, categoryName);

    public virtual void Dispose()
    {
        foreach (string line in _folder.TakeRest())
            Write(LogLevel.Information, "Log", line);
    }

    /// <summary>Writes a line.</summary>
    protected abstract void Write(LogLevel level, string category, string line);

    private bool IsOn(string category, LogLevel level) =>
        level != LogLevel.None
        && level
            >= (
                category.StartsWith("IngestTools", StringComparison.Ordinal) ? least
                : least < LogLevel.Information ? LogLevel.Information
                : LogLevel.Warning
            );

    private void Take(LogLevel level, string category, string message)
    {
        foreach (string line in _folder.Take(category, level, message))
            Write(level, category, line.ReplaceLineEndings(" | "));
    }

    private sealed class CategoryLogger(DaemonLoggerProvider provider, string category) : ILogger
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
            provider.Take(logLevel, category, exception is null ? message : $"{message} {exception}");
        }
    }
}
