namespace IngestTools;

/// <summary>What a user can do about an error whose place of origin has nothing more precise to say.</summary>
internal static class ErrorAdvice
{
    public static string Of(ErrorId id) =>
        id switch
        {
            ErrorId.NoConnection => "Connect first: Connect-IngestService.",
            ErrorId.InsecureConnection => "Use https, with a certificate that this machine trusts.",
            ErrorId.SecretUnavailable => "Check where the secret is kept, and that this account can read it.",
            ErrorId.NotSignedIn => "Check the credentials, and whether they have expired; then use Connect-IngestService again.",
            ErrorId.NotAllowed => "Ask the service's administrator for the right, then sign in again.",
            ErrorId.NotFound => "Check the name or id. Test-IngestService shows whether the address is right.",
            ErrorId.Rejected => "Correct what the message names, then try again.",
            ErrorId.Conflict => "Check the state on the server, and try again when nothing else is using it.",
            ErrorId.Locked => "Wait until the other call has ended, then try again.",
            ErrorId.TooLarge => "Send less at once, or ask the service's administrator for a higher limit.",
            ErrorId.TooManyRequests => "Try again later, or with a lower -ThrottleLimit.",
            ErrorId.ServerError => "Try again later. The server's log says more.",
            ErrorId.CircuitOpen => "Wait until the service is well (Test-IngestService shows it), then send again what is missing.",
            ErrorId.ConnectionFailed => "Check the address, the proxy and the firewall. Test-IngestService shows what answers.",
            ErrorId.TimedOut => "Try again later, or connect with a longer -TimeoutSec.",
            ErrorId.NoProgress => "Check the network and the server, then send it again.",
            ErrorId.Redirected => "Connect with the address that the message names, if you trust it.",
            ErrorId.InvalidAnswer => "Check that the address is the service's own, and that no proxy answers for it.",
            ErrorId.OutcomeUnknown => "Check the state on the server before you start it again.",
            ErrorId.FileNotFound => "Check the path.",
            ErrorId.FileUnreadable => "Check the file, and that this account can read it.",
            ErrorId.FileChanged => "Send it again when no program writes to it.",
            ErrorId.NameRejected => "Rename the file.",
            ErrorId.NameCollision => "Rename one of the files.",
            ErrorId.NotAWorkbook => "Save it as an Excel workbook (.xlsx).",
            ErrorId.MappingUnsaved => "Save the mapping first: Get-IngestMapping -OutFile.",
            ErrorId.LeftOvers => "Check which files were left over: Get-IngestMapping -Uploaded.",
            ErrorId.ItemFailed => "Correct what the reason names, then send this item again.",
            ErrorId.TransactionFailed => "Correct what the reason names, then start it again. Get-Transaction shows its details.",
            ErrorId.WaitTimedOut => "It continues on the server. Wait-Transaction waits for it again.",
            ErrorId.CannotCancel => "Wait for its end: Wait-Transaction.",
            ErrorId.SchedulerNotRunning => "Start it: Start-IngestScheduler.",
            ErrorId.InvalidSchedule => "Correct the times of the schedule, then register it again.",
            ErrorId.NameInUse => "Choose another name, or give -Force to replace what has it.",
            ErrorId.AlreadyDone => "Nothing is to be done. Give -Again to do it again.",
            ErrorId.WrongServer => "Connect to the server that it belongs to.",
            ErrorId.JournalUnavailable => "Check the journal's file, or use -NoJournal.",
            _ => throw new ArgumentOutOfRangeException(nameof(id)),
        };
}
