using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Units.Support;

/// <summary>Keeps what was logged.</summary>
internal sealed class RecordingLogger : ILogger
{
    private readonly List<(LogLevel Level, string Text)> _entries = [];

    public IReadOnlyList<string> At(LogLevel level)
    {
        lock (_entries)
            return _entries.Where(entry => entry.Level == level).Select(entry => entry.Text).ToArray();
    }

    public string All
    {
        get
        {
            lock (_entries)
                return string.Join('\n', _entries.Select(entry => entry.Text));
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => NullLogger.Instance.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        lock (_entries)
            _entries.Add((logLevel, formatter(state, exception) + exception));
    }
}
