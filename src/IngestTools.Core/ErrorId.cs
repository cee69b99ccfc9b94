namespace IngestTools;

/// <summary>What went wrong, as one stable word. In PowerShell it is the first part of <c>FullyQualifiedErrorId</c>.</summary>
public enum ErrorId
{
    /// <summary>No connection to the service is known: none was made, saved, or named in the environment.</summary>
    NoConnection,

    /// <summary>A secret would have been sent unencrypted, or to a server that cannot be trusted.</summary>
    InsecureConnection,

    /// <summary>The secret could not be read from where it is kept.</summary>
    SecretUnavailable,

    /// <summary>The server does not accept the credentials (HTTP 401).</summary>
    NotSignedIn,

    /// <summary>The credentials are good, and not enough (HTTP 403, or a 401 that says so).</summary>
    NotAllowed,

    /// <summary>The server does not know what was asked for (HTTP 404, 410).</summary>
    NotFound,

    /// <summary>
    /// The server refused the request as it stands (HTTP 400, 422 and other 4xx), or it was refused before sending for the same reason.
    /// </summary>
    Rejected,

    /// <summary>The request does not fit the state the server is in (HTTP 409).</summary>
    Conflict,

    /// <summary>A lock held by others did not become free in time.</summary>
    Locked,

    /// <summary>The server takes no body of that size (HTTP 413).</summary>
    TooLarge,

    /// <summary>The server asked to be called less often, to the last attempt (HTTP 429).</summary>
    TooManyRequests,

    /// <summary>The server failed (HTTP 5xx).</summary>
    ServerError,

    /// <summary>The service failed so often that nothing more is sent for the moment.</summary>
    CircuitOpen,

    /// <summary>No connection came about, or it broke.</summary>
    ConnectionFailed,

    /// <summary>The server did not answer within the time given.</summary>
    TimedOut,

    /// <summary>An upload moved no byte within the time given.</summary>
    NoProgress,

    /// <summary>The server sent a redirect, which is not followed.</summary>
    Redirected,

    /// <summary>The server answered with something that its documentation does not know.</summary>
    InvalidAnswer,

    /// <summary>The request was sent and its answer was lost: whether the server acted is not known.</summary>
    OutcomeUnknown,

    /// <summary>There is no such file or folder.</summary>
    FileNotFound,

    /// <summary>The file or folder is there and cannot be read.</summary>
    FileUnreadable,

    /// <summary>The file changed while it was read.</summary>
    FileChanged,

    /// <summary>The server would refuse the name.</summary>
    NameRejected,

    /// <summary>Two files would get the same name on the server.</summary>
    NameCollision,

    /// <summary>The file is not a workbook.</summary>
    NotAWorkbook,

    /// <summary>The mapping was not saved, and what was asked for would delete it.</summary>
    MappingUnsaved,

    /// <summary>Files were left over, and what was asked for would delete them.</summary>
    LeftOvers,

    /// <summary>One item of a transaction failed.</summary>
    ItemFailed,

    /// <summary>A transaction failed as a whole.</summary>
    TransactionFailed,

    /// <summary>A transaction was not at its end within the time given.</summary>
    WaitTimedOut,

    /// <summary>The service cannot cancel this.</summary>
    CannotCancel,

    /// <summary>The scheduler is not running.</summary>
    SchedulerNotRunning,

    /// <summary>The schedule cannot be kept as it was given.</summary>
    InvalidSchedule,

    /// <summary>The name is taken.</summary>
    NameInUse,

    /// <summary>What was asked for was done before, with the same content.</summary>
    AlreadyDone,

    /// <summary>The object belongs to another server than the connection's.</summary>
    WrongServer,

    /// <summary>The journal cannot be read or written.</summary>
    JournalUnavailable,
}
