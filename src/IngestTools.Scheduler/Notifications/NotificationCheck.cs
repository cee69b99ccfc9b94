using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Notifications;

/// <summary>Checks what a schedule says about reports when it is registered or changed.</summary>
internal static class NotificationCheck
{
    /// <summary>A system takes no longer command line.</summary>
    private const int MaxLength = 8000;

    /// <exception cref="IngestException">What would fail later.</exception>
    public static async Task CheckAsync(ScheduleDefinition definition, CancellationToken cancellationToken)
    {
        if (definition.NotifyUri is { } uri)
            await NotificationAddress.CheckAsync(uri, cancellationToken);
        if (definition.NotifyCommand is { } command)
            Check(command);
    }

    private static void Check(IReadOnlyList<string> command)
    {
        if (command.Count == 0 || string.IsNullOrWhiteSpace(command[0]))
            throw Invalid("-NotifyCommand names no program.", "Give the full path of a program, and its arguments after it.");
        string program = command[0];
        if (
            command.Any(part => part is null || part.Contains('\0', StringComparison.Ordinal))
            || command.Sum(part => part.Length) > MaxLength
        )
            throw Invalid($"-NotifyCommand can have {MaxLength} characters in all, and no NUL.", "Give fewer arguments, or a script.");
        if (!Path.IsPathFullyQualified(program))
            throw Invalid(
                $"'{program}' is not the full path of a program. The scheduler has a search path and a folder of its own.",
                $"Give the full path: (Get-Command {program}).Source shows it. No shell is used."
            );
        if (!File.Exists(program))
            throw Invalid($"The program {program} does not exist, or the scheduler's account cannot see it.", "Check the path.");
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(program) & AnyExecute) == 0)
            throw Invalid(
                $"{program} is not executable.",
                $"Run: chmod +x '{program}'. A script is given to its interpreter as an argument."
            );
    }

    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static IngestException Invalid(string message, string advice) =>
        new(ErrorId.InvalidSchedule, message) { Operation = "register", Advice = advice };
}
