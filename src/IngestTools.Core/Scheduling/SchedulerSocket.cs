using System.IO.Pipes;
using System.Net.Sockets;

namespace IngestTools.Scheduling;

/// <summary>The socket or pipe that the daemon listens at.</summary>
/// <param name="place">The socket's path, or on Windows the pipe's name.</param>
/// <remarks>
/// A named pipe of .NET is a named pipe on Windows and, under a full path, a Unix domain socket elsewhere. On both it can look who listens
/// before anything is sent: <see cref="PipeOptions.CurrentUserOnly"/> refuses any account but this one. On Unix it asks the kernel who
/// listens, which the file alone does not show reliably.
/// </remarks>
internal sealed class SchedulerSocket(string place)
{
    /// <summary>On Windows every instance of a pipe can be taken for a moment. On Unix the first attempt shows it.</summary>
    private static readonly TimeSpan TimeLimit = OperatingSystem.IsWindows() ? TimeSpan.FromSeconds(2) : TimeSpan.Zero;

    /// <summary>Connects to the daemon.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.SchedulerNotRunning"/>, <see cref="ErrorId.NotAllowed"/>,
    /// <see cref="ErrorId.Rejected"/></exception>
    public async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        NamedPipeClientStream? pipe = null;
        try
        {
            // On Unix a path that is not full would be taken for a name in the temporary folder.
            pipe = new NamedPipeClientStream(
                ".",
                OperatingSystem.IsWindows() ? place : Path.GetFullPath(place),
                PipeDirection.InOut,
                PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly
            );
            await pipe.ConnectAsync(TimeLimit, cancellationToken).ConfigureAwait(false);
            return pipe;
        }
        catch (Exception e)
        {
            if (pipe is not null)
                await pipe.DisposeAsync().ConfigureAwait(false);
            if (Explain(e) is { } explained)
                throw explained;
            throw;
        }
    }

    private IngestException? Explain(Exception cause) =>
        cause switch
        {
            TimeoutException => NotRunning(cause),
            UnauthorizedAccessException or SocketException { SocketErrorCode: SocketError.AccessDenied } => Error(
                ErrorId.NotAllowed,
                $"'{place}' belongs to another account: nothing was sent to it.",
                "Use the account that the scheduler runs as, or start one of your own with Start-IngestScheduler.",
                cause
            ),
            ArgumentException => Error(
                ErrorId.Rejected,
                $"'{place}' cannot be a socket: {cause.Message}",
                $"Give a shorter path, with INGESTTOOLS_HOME or {SchedulerPlace.SocketVariable}.",
                cause
            ),
            IOException or SocketException => Error(
                ErrorId.ConnectionFailed,
                $"The scheduler cannot be reached at '{place}': {cause.Message}",
                "Look whether it runs, and at its log.",
                cause
            ),
            _ => null,
        };

    private IngestException NotRunning(Exception cause) =>
        Error(
            ErrorId.SchedulerNotRunning,
            !OperatingSystem.IsWindows() && File.Exists(place)
                ? $"The scheduler does not run: the socket '{place}' is left over from one that ended."
                : $"The scheduler does not run: nothing listens at '{place}'.",
            $"Start-IngestScheduler starts it; 'ingest-scheduler unit' prints a service for it. One that runs elsewhere is named by "
                + $"{SchedulerPlace.SocketVariable}.",
            cause
        );

    private IngestException Error(ErrorId errorId, string message, string advice, Exception cause) =>
        new(errorId, message, cause)
        {
            Operation = "connect to the scheduler",
            Advice = advice,
            Target = place,
        };
}
