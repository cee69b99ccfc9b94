using System.Management.Automation;
using System.Net;
using IngestTools.Connections;

namespace IngestTools.PowerShell.Errors;

/// <summary>The one place where errors of Core become errors of PowerShell.</summary>
internal static class IngestErrors
{
    /// <summary>The error record of an error.</summary>
    /// <param name="error">The error.</param>
    /// <param name="target">The object it happened to; null takes the item that the error names.</param>
    internal static ErrorRecord ToErrorRecord(this IngestException error, object? target = null) =>
        new(error, error.ErrorId.ToString(), Categorize(error.ErrorId, error.StatusCode), target ?? error.Target)
        {
            ErrorDetails = new ErrorDetails(error.Message) { RecommendedAction = error.Advice },
        };

    /// <summary>An error that is found here, before Core is asked.</summary>
    internal static IngestException Create(ErrorId errorId, string message, string advice, object? target = null) =>
        new(errorId, message) { Advice = advice, Target = target };

    /// <summary>The error of an upload that went to something else than a project.</summary>
    internal static ErrorRecord NotOfProject(UploadResult upload) =>
        Create(ErrorId.Rejected, $"'{upload.Path}' was not sent to a project.", "Give results of Send-IngestFile -Shortcode.")
            .ToErrorRecord(upload);

    /// <summary>The error of a result of a dry run where a file is needed that the server has.</summary>
    internal static ErrorRecord NotSent(UploadResult upload) =>
        Create(ErrorId.Rejected, $"'{upload.Path}' was not sent: its result is of a dry run.", "Send it: $planned | Send-IngestFile.")
            .ToErrorRecord(upload);

    /// <summary>The error of an upload that did not go to a hierarchy.</summary>
    internal static ErrorRecord NotOfHierarchy(UploadResult upload) =>
        Create(ErrorId.Rejected, $"'{upload.Path}' was not sent to a hierarchy.", "Give results of Send-IngestFile -Hierarchy.")
            .ToErrorRecord(upload);

    /// <summary>The error of an object that is of another server than the connection.</summary>
    internal static IngestException WrongServer(string server, IngestConnection connection) =>
        Create(
            ErrorId.WrongServer,
            $"This is of {Http.Redaction.Of(server)}, and the connection '{connection.Name}' is to {connection.Uri.AbsoluteUri}.",
            $"Connect to its server: Connect-IngestService -Service {connection.Service} -Uri {Http.Redaction.Of(server)}. Or leave "
                + $"-Connection out where you are connected."
        );

    private static ErrorCategory Categorize(ErrorId errorId, HttpStatusCode? status) =>
        status switch
        {
            HttpStatusCode.RequestTimeout or HttpStatusCode.GatewayTimeout => ErrorCategory.OperationTimeout,
            _ => Categorize(errorId, status is not null),
        };

    private static ErrorCategory Categorize(ErrorId errorId, bool answered) =>
        errorId switch
        {
            ErrorId.Rejected or ErrorId.NameRejected or ErrorId.NotAWorkbook or ErrorId.FileChanged => ErrorCategory.InvalidData,
            ErrorId.InvalidSchedule or ErrorId.WrongServer => ErrorCategory.InvalidArgument,
            ErrorId.NotSignedIn or ErrorId.SecretUnavailable => ErrorCategory.AuthenticationError,
            ErrorId.NotAllowed => ErrorCategory.PermissionDenied,
            ErrorId.InsecureConnection => ErrorCategory.SecurityError,
            ErrorId.NotFound or ErrorId.FileNotFound => ErrorCategory.ObjectNotFound,
            ErrorId.FileUnreadable => ErrorCategory.ReadError,
            ErrorId.Conflict or ErrorId.NameCollision or ErrorId.NameInUse or ErrorId.AlreadyDone => ErrorCategory.ResourceExists,
            ErrorId.Locked => ErrorCategory.ResourceBusy,
            ErrorId.TooLarge => ErrorCategory.LimitsExceeded,
            ErrorId.TooManyRequests
            or ErrorId.ServerError
            or ErrorId.CircuitOpen
            or ErrorId.SchedulerNotRunning
            or ErrorId.JournalUnavailable => ErrorCategory.ResourceUnavailable,
            ErrorId.OutcomeUnknown => answered ? ErrorCategory.ResourceUnavailable : ErrorCategory.ConnectionError,
            ErrorId.NoConnection or ErrorId.ConnectionFailed => ErrorCategory.ConnectionError,
            ErrorId.TimedOut or ErrorId.NoProgress or ErrorId.WaitTimedOut => ErrorCategory.OperationTimeout,
            ErrorId.Redirected or ErrorId.InvalidAnswer or ErrorId.ItemFailed or ErrorId.TransactionFailed => ErrorCategory.InvalidResult,
            ErrorId.MappingUnsaved or ErrorId.LeftOvers or ErrorId.CannotCancel => ErrorCategory.InvalidOperation,
            _ => throw new ArgumentOutOfRangeException(nameof(errorId)),
        };
}
