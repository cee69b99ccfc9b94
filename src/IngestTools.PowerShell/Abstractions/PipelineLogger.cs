using Microsoft.Extensions.Logging;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>Lets Core's log come out of the streams of a cmdlet. What nobody would see is not even put into words.</summary>
/// <param name="verbose">Whether the verbose stream is on.</param>
/// <param name="debug">Whether the debug stream is on.</param>
/// <param name="write">Takes a message.</param>
internal sealed class PipelineLogger(bool verbose, bool debug, Action<PostKind, string> write) : ILogger
{
    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel switch
    {
        LogLevel.Trace or LogLevel.Debug => debug,
        LogLevel.Information => verbose,
        LogLevel.None => false,
        _ => true,
    };

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        PostKind stream = logLevel switch
        {
            LogLevel.Trace or LogLevel.Debug => PostKind.Debug,
            LogLevel.Information => PostKind.Verbose,
            _ => PostKind.Warning,
        };
        write(stream, formatter(state, exception));
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;
}
