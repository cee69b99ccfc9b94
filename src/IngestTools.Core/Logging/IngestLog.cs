using Microsoft.Extensions.Logging;

namespace IngestTools.Logging;

/// <summary>
/// Takes what this library logs, without a type of any package in its members. It is for a host that keeps this library and its packages
/// apart from what else is in the process, as a PowerShell module must; other hosts hand an <see cref="ILogger"/> over.
/// </summary>
public abstract class IngestLog
{
    private readonly Adapter _logger;

    /// <summary>Makes a log.</summary>
    protected IngestLog() => _logger = new Adapter(this);

    internal ILogger Logger => _logger;

    /// <summary>Whether a message of this weight would be seen. One that would not is not put into words.</summary>
    public abstract bool IsOn(LogSeverity severity);

    /// <summary>Takes a message. May be called from any thread.</summary>
    public abstract void Write(LogSeverity severity, string message);

    private sealed class Adapter(IngestLog log) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && log.IsOn(SeverityOf(logLevel));

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
                log.Write(SeverityOf(logLevel), formatter(state, exception));
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        private static LogSeverity SeverityOf(LogLevel level) =>
            level switch
            {
                LogLevel.Trace or LogLevel.Debug => LogSeverity.Debug,
                LogLevel.Information => LogSeverity.Information,
                LogLevel.Warning => LogSeverity.Warning,
                _ => LogSeverity.Error,
            };
    }
}
