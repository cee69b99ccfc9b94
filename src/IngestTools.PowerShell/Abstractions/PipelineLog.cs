using IngestTools.Logging;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>Lets Core's log come out of the streams of a cmdlet. What nobody would see is not even put into words.</summary>
/// <param name="verbose">Whether the verbose stream is on.</param>
/// <param name="debug">Whether the debug stream is on.</param>
/// <param name="write">Takes a message.</param>
internal sealed class PipelineLog(bool verbose, bool debug, Action<PostKind, string> write) : IngestLog
{
    /// <inheritdoc/>
    public override bool IsOn(LogSeverity severity) =>
        severity switch
        {
            LogSeverity.Debug => debug,
            LogSeverity.Information => verbose,
            _ => true,
        };

    /// <inheritdoc/>
    public override void Write(LogSeverity severity, string message) => write(StreamOf(severity), message);

    private static PostKind StreamOf(LogSeverity severity) =>
        severity switch
        {
            LogSeverity.Debug => PostKind.Debug,
            LogSeverity.Information => PostKind.Verbose,
            _ => PostKind.Warning,
        };
}
