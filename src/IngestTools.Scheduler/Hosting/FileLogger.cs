using IngestTools.Logging;
using Microsoft.Extensions.Logging;

namespace IngestTools.Scheduler.Hosting;

/// <summary>Writes the log to a file that is rotated, each line with date, time and offset.</summary>
internal sealed class FileLoggerProvider(LogFile file, LogLevel least, TimeProvider time) : DaemonLoggerProvider(least, time)
{
    private bool _isFailureReported;

    public override void Dispose()
    {
        base.Dispose();
        file.Dispose();
        ReportFailure();
    }

    protected override void Write(LogLevel level, string category, string line)
    {
        file.For(category[(category.LastIndexOf('.') + 1)..]).Write(SeverityOf(level), line);
        ReportFailure();
    }

    /// <summary>A disk that is full stops no run. What can still be read is stderr.</summary>
    private void ReportFailure()
    {
        if (file.TakeWarning() is { } warning)
            Console.Error.WriteLine($"ingest-scheduler: {warning}");
        if (_isFailureReported || file.TakeFailure() is not { } failure)
            return;
        _isFailureReported = true;
        Console.Error.WriteLine($"ingest-scheduler: {failure.Message} Nothing more is written to it until the scheduler is started again.");
    }

    private static LogSeverity SeverityOf(LogLevel level) =>
        level switch
        {
            LogLevel.Trace or LogLevel.Debug => LogSeverity.Debug,
            LogLevel.Information => LogSeverity.Information,
            LogLevel.Warning => LogSeverity.Warning,
            _ => LogSeverity.Error,
        };
}
