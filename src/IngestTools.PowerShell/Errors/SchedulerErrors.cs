namespace IngestTools.PowerShell.Errors;

/// <summary>Errors of the scheduler's cmdlets.</summary>
internal static class SchedulerErrors
{
    internal static IngestException NoSuchSchedule(string name) =>
        IngestErrors.Create(ErrorId.NotFound, $"There is no schedule with the name '{name}'.", "Get-BulkLoadSchedule lists them.", name);

    internal static IngestException Broken(BulkLoadSchedule schedule) =>
        IngestErrors.Create(
            ErrorId.InvalidSchedule,
            $"The schedule '{schedule.Name}' cannot be read, and so cannot be changed: {schedule.Reason}",
            "Register it again with -Force, or remove it with Unregister-BulkLoadSchedule.",
            schedule.Name
        );

    internal static IngestException WrongServer(string name, string server, string now) =>
        IngestErrors.Create(
            ErrorId.WrongServer,
            $"This is of {Http.Redaction.Of(server)}, and the schedule '{name}' loads to {Http.Redaction.Of(now)}: it was registered "
                + $"again since.",
            $"Read it again: Get-BulkLoadSchedule '{name}'. Or give its name as text.",
            name
        );
}
