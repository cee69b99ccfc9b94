namespace IngestTools.PowerShell.Completion;

/// <summary>Completes common cron texts, each with what it means.</summary>
public sealed class CronCompleter : WordCompleter
{
    private protected override IReadOnlyList<(string Text, string Meaning)> Words { get; } =
    [
        ("0 2 * * *", "every day at 02:00"),
        ("0 2 * * 1-5", "Monday to Friday at 02:00"),
        ("0 2 * * 0", "every Sunday at 02:00"),
        ("0 2 1 * *", "on the first day of each month at 02:00"),
        ("0 * * * *", "every hour"),
        ("*/15 * * * *", "every 15 minutes"),
    ];
}
