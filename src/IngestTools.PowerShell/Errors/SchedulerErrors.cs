namespace IngestTools.PowerShell.Errors;

/// <summary>Errors of the scheduler's cmdlets.</summary>
internal static class SchedulerErrors
{
    internal static IngestException NoSuchSchedule(string name) => IngestErrors.Create(
        ErrorId.NotFound, $"There is no schedule with the name '{name}'.", "Get-BulkLoadSchedule lists them.", name);
}
