using System.Text.Json.Serialization;

namespace IngestTools.Scheduling;

/// <summary>What both ends of the daemon's control socket agree on.</summary>
/// <remarks>
/// HTTP/1.1 over a Unix domain socket or a named pipe; JSON; the header <see cref="VersionHeader"/> in every request and answer.
/// <list type="bullet">
/// <item>GET /status: <see cref="SchedulerState"/>.</item>
/// <item>POST /preview, a <see cref="RegisterRequest"/>: the <see cref="BulkLoadSchedule"/> that would be, checked like a registration; nothing is kept.</item>
/// <item>PUT /schedules/{name}, a <see cref="RegisterRequest"/>: <see cref="BulkLoadSchedule"/>; 409 NameInUse unless its Replace is true.</item>
/// <item>GET /schedules?name=pattern: one JSON <see cref="BulkLoadSchedule"/> a line. A pattern has * and ?; several name= may be given.</item>
/// <item>DELETE /schedules/{name}: 204. Runs that go on are left to end; the history stays.</item>
/// <item>POST /schedules/{name}/suspend, a <see cref="SuspendRequest"/>; POST /schedules/{name}/resume: <see cref="BulkLoadSchedule"/>.</item>
/// <item>POST /schedules/{name}/start: the <see cref="BulkLoadRun"/> that was planned.</item>
/// <item>GET /runs?name=pattern&amp;status=word&amp;since=time&amp;newest=n: one JSON <see cref="BulkLoadRun"/> a line, newest first.</item>
/// <item>GET /runs/{number}: <see cref="BulkLoadRun"/> with its log. POST /runs/{number}/stop: <see cref="BulkLoadRun"/>.</item>
/// <item>GET /definitions: <see cref="DefinitionFile"/>. POST /definitions?replace=bool, a <see cref="DefinitionFile"/>: one <see cref="ImportAnswer"/> a line.</item>
/// <item>POST /shutdown: 202; the daemon ends as it does on SIGTERM.</item>
/// </list>
/// An error is a <see cref="ControlError"/> with a status of 400, 403, 404, 409, 426 (another version) or 500.
/// </remarks>
public static class ControlProtocol
{
    /// <summary>The version that this library speaks. Another number is another protocol.</summary>
    public const int Version = 1;

    /// <summary>The header with the version.</summary>
    public const string VersionHeader = "IngestTools-Control";
}

/// <summary>A definition to register.</summary>
public sealed record RegisterRequest
{
    /// <summary>The definition.</summary>
    public required ScheduleDefinition Definition { get; init; }

    /// <summary>Whether one of the same name is replaced.</summary>
    public bool Replace { get; init; }

    /// <summary>Whether a time that has passed is taken: the load then runs at once.</summary>
    public bool AllowPast { get; init; }

    /// <summary>Who registers it.</summary>
    public string? By { get; init; }
}

/// <summary>Why a schedule is suspended.</summary>
/// <param name="Reason">The reason, for a person.</param>
/// <param name="By">Who suspends it.</param>
public sealed record SuspendRequest(string? Reason, string? By);

/// <summary>Definitions of schedules, as they are exported and imported. It holds no secret and no file.</summary>
public sealed record DefinitionFile
{
    /// <summary>The version of this form.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The definitions.</summary>
    public IReadOnlyList<ScheduleDefinition> Schedules { get; init; } = [];
}

/// <summary>What became of one imported definition.</summary>
/// <param name="Name">The schedule's name.</param>
/// <param name="Error">Why it was not taken; null where it was.</param>
public sealed record ImportAnswer(string Name, ControlError? Error);

/// <summary>An error of the daemon.</summary>
/// <param name="ErrorId">What went wrong, as one word.</param>
/// <param name="Message">What went wrong, with which item.</param>
/// <param name="Advice">What the user can do.</param>
public sealed record ControlError(ErrorId ErrorId, string Message, string? Advice);

/// <summary>How the records of the control socket and of the daemon's store are written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SchedulerState))]
[JsonSerializable(typeof(BulkLoadSchedule))]
[JsonSerializable(typeof(BulkLoadRun))]
[JsonSerializable(typeof(ScheduleDefinition))]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(SuspendRequest))]
[JsonSerializable(typeof(DefinitionFile))]
[JsonSerializable(typeof(ImportAnswer))]
[JsonSerializable(typeof(ControlError))]
public sealed partial class SchedulingJson : JsonSerializerContext;
