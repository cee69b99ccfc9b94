namespace IngestTools;

/// <summary>What a user can do about an error of which nothing more is known than its id. No error is without advice.</summary>
internal static class ErrorAdvice
{
    public static string Of(ErrorId errorId) => errorId switch
    {
        ErrorId.NoConnection => "Use Connect-IngestService first.",
        ErrorId.InsecureConnection => "Use https, with a certificate that this machine trusts.",
        ErrorId.SecretUnavailable => "Check where the secret is kept, and that this account may read it.",
        ErrorId.NotSignedIn => "Check the credentials, then use Connect-IngestService again.",
        ErrorId.NotAllowed => "Ask for the right at the service, then sign in again.",
        ErrorId.NotFound => "Check the name or the id, and the address in -Uri.",
        ErrorId.Rejected => "Check what was given against the server's reason.",
        ErrorId.Conflict => "Check the state that the server is in. Wait for what runs there, then try again.",
        ErrorId.Locked => "Wait for the call that holds the lock, then try again.",
        ErrorId.TooLarge => "Send less at once, or ask the service's administrator to raise the limit.",
        ErrorId.TooManyRequests => "Try again later, with fewer requests.",
        ErrorId.ServerError => "Try again later. If the error persists, look at the server's log.",
        ErrorId.CircuitOpen => "Wait until the service is back, then try again. Test-IngestService checks it.",
        ErrorId.ConnectionFailed => "Check the address, the network and the proxy, then try again.",
        ErrorId.TimedOut => "Try again later.",
        ErrorId.NoProgress => "Check the network and the server, then send the file again.",
        ErrorId.Redirected => "Connect with the address that the server names, if you trust it.",
        ErrorId.InvalidAnswer => "Check that -Uri is the service's own address. Try again later.",
        ErrorId.OutcomeUnknown => "Look at the server's state before trying again: the server may have done it.",
        ErrorId.FileNotFound => "Check the path.",
        ErrorId.FileUnreadable => "Check the path, and that this account may read and write there.",
        ErrorId.FileChanged => "Wait until nothing writes to the file, then send it again.",
        ErrorId.NameRejected => "Rename the file, or give another name on the server.",
        ErrorId.NameCollision => "Give each file a name of its own on the server.",
        ErrorId.NotAWorkbook => "Save the file as an Excel workbook (.xlsx).",
        ErrorId.MappingUnsaved => "Save the mapping first: Get-IngestMapping -OutFile.",
        ErrorId.LeftOvers => "Look at the files that were left over, and send them again.",
        ErrorId.ItemFailed => "Fix what the server names, then send this item again.",
        ErrorId.TransactionFailed => "Look at the server's reason, then start it again.",
        ErrorId.WaitTimedOut => "Wait again with Wait-Transaction. What runs on the server continues.",
        ErrorId.CannotCancel => "Wait for its end with Wait-Transaction.",
        ErrorId.SchedulerNotRunning => "Start the scheduler: Start-IngestScheduler.",
        ErrorId.InvalidSchedule => "Check the schedule's name, times and load.",
        ErrorId.NameInUse => "Give another name.",
        ErrorId.AlreadyDone => "Give -Again to do it again.",
        ErrorId.WrongServer => "Connect to the object's own server.",
        ErrorId.JournalUnavailable => "Check the journal's file and its folder, or give -NoJournal.",
        _ => "Look at the error's message.",
    };
}
