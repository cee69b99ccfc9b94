namespace IngestTools.PowerShell.Errors;

/// <summary>Errors of the scheduler's cmdlets.</summary>
internal static class SchedulerErrors
{
    internal static IngestException NoSuchSchedule(string name) =>
        IngestErrors.Create(ErrorId.NotFound, $"There is no schedule with the name '{name}'.", "Get-BulkLoadSchedule lists them.", name);

    internal static IngestException WrongServer(string name, string server, string now) =>
        IngestErrors.Create(
            ErrorId.WrongServer,
            $"This is of {Http.Redaction.Of(server)}, and the schedule '{name}' loads to {Http.Redaction.Of(now)}: it was registered "
                + $"again since.",
            $"Read it again: Get-BulkLoadSchedule '{name}'. Or give its name as text.",
            name
        );
}
