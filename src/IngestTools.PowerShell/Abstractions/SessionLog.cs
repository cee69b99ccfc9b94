using System.Diagnostics;
using System.Runtime.InteropServices;
using IngestTools.Logging;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell.Abstractions;

/// <summary>Lets Core's log come out of the streams of a cmdlet, and writes it to the session's log file too.</summary>
internal sealed class SessionLog : IngestLog
{
    /// <summary>The file that every session of the process logs to.</summary>
    internal const string PathVariable = "INGESTTOOLS_LOG";

    /// <summary>The least weight that is written to it.</summary>
    internal const string LevelVariable = "INGESTTOOLS_LOG_LEVEL";

    private readonly IngestLog _streams;
    private readonly LogFile _file;
    private readonly IngestLog _lines;
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    private SessionLog(IngestLog streams, LogFile file, string command)
    {
        _streams = streams;
        _file = file;
        _lines = file.For(command);
        _lines.Write(
            LogSeverity.Information,
            $"begins. IngestTools {typeof(SessionLog).Assembly.GetName().Version}, {RuntimeInformation.FrameworkDescription}, "
                + $"{RuntimeInformation.OSDescription}"
        );
    }

    /// <summary>The log of a cmdlet: the streams alone where no log file is open.</summary>
    internal static IngestLog Create(IngestSession session, string command, IngestLog streams)
    {
        OpenFromEnvironment(session, streams);
        return session.Log is { } file ? new SessionLog(streams, file, command) : streams;
    }

    /// <inheritdoc/>
    public override bool IsOn(LogSeverity severity) => _streams.IsOn(severity) || _lines.IsOn(severity);

    /// <inheritdoc/>
    public override void Write(LogSeverity severity, string message)
    {
        if (_streams.IsOn(severity))
            _streams.Write(severity, message);
        WriteLine(severity, message);
    }

    /// <summary>Writes to the file alone.</summary>
    internal void WriteLine(LogSeverity severity, string message)
    {
        _lines.Write(severity, message);
        if (_file.TakeFailure() is { } failure)
            _streams.Write(LogSeverity.Warning, $"{failure.Message} Lines are lost until it can.");
        if (_file.TakeWarning() is { } warning)
            _streams.Write(LogSeverity.Warning, warning);
    }

    /// <summary>Writes that the cmdlet has ended.</summary>
    internal void End() => WriteLine(LogSeverity.Information, $"ends after {_watch.Elapsed.TotalSeconds:0.000} s");

    /// <summary>A log that cannot be opened is a warning: what a task does must not depend on its log.</summary>
    private static void OpenFromEnvironment(IngestSession session, IngestLog streams)
    {
        if (session.IsLogVariableRead)
            return;
        session.IsLogVariableRead = true;
        if (session.Log is not null || Environment.GetEnvironmentVariable(PathVariable) is not { Length: > 0 } path)
            return;
        LogSeverity least = LogSeverity.Debug;
        if (
            Environment.GetEnvironmentVariable(LevelVariable) is { Length: > 0 } level
            && (!Enum.TryParse(level, ignoreCase: true, out least) || !Enum.IsDefined(least))
        )
        {
            least = LogSeverity.Debug;
            streams.Write(
                LogSeverity.Warning,
                $"{LevelVariable} is '{level}', and can be {string.Join(", ", Enum.GetNames<LogSeverity>())}. Debug is used."
            );
        }

        try
        {
            session.Log = LogFile.Open(path, least, IsJson(path));
        }
        catch (IngestException e)
        {
            streams.Write(LogSeverity.Warning, $"{e.Message} {PathVariable} names it. Nothing is logged.");
        }
    }

    /// <summary>Whether a file's name says that its lines are JSON.</summary>
    internal static bool IsJson(string path) => Path.GetExtension(path).Equals(".jsonl", StringComparison.OrdinalIgnoreCase);
}
