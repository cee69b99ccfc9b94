using System.Text.Json.Serialization;

namespace IngestTools.Scheduling;

/// <summary>What both ends of the daemon's control socket agree on.</summary>
/// <remarks>
/// HTTP/1.1 over a Unix domain socket or a named pipe; JSON; the header <see cref="VersionHeader"/> in every request and answer.
/// <list type="bullet">
/// <item>GET /status: <see cref="SchedulerState"/>.</item>
/// <item>POST /preview, a <see cref="RegisterRequest"/>: the <see cref="BulkLoadSchedule"/> that would be, checked like a registration;
/// nothing is kept.</item>
/// <item>PUT /schedules/{name}, a <see cref="RegisterRequest"/>: <see cref="BulkLoadSchedule"/>; 409 NameInUse unless its Replace is
/// true.</item>
/// <item>GET /schedules?name=pattern: one JSON <see cref="BulkLoadSchedule"/> a line. A pattern has * and ?; several name= may be
/// given.</item>
/// <item>DELETE /schedules/{name}: 204. Runs that are under way are left to end; the history stays.</item>
/// <item>POST /schedules/{name}/suspend, a <see cref="SuspendRequest"/>; POST /schedules/{name}/resume:
/// <see cref="BulkLoadSchedule"/>.</item>
/// <item>PATCH /schedules/{name}, a <see cref="ChangeRequest"/>: <see cref="BulkLoadSchedule"/>, changed.</item>
/// <item>POST /schedules/{name}/preview, a <see cref="ChangeRequest"/>: the schedule as it would be.</item>
/// <item>POST /schedules/{name}/start: the <see cref="BulkLoadRun"/> that was planned; with ?again=true it sends and loads what was sent
/// and loaded before.</item>
/// <item>GET /runs?name=pattern&amp;status=word&amp;since=time&amp;newest=n: one JSON <see cref="BulkLoadRun"/> a line, newest
/// first.</item>
/// <item>GET /runs/{number}: <see cref="BulkLoadRun"/> with its log. POST /runs/{number}/stop: <see cref="BulkLoadRun"/>.</item>
/// <item>POST /page/ticket: the <see cref="PageAddress"/> that opens the page once; 404 where the page is off.</item>
/// <item>POST /shutdown: 202; the daemon ends as it does on SIGTERM.</item>
/// </list>
/// An error is a <see cref="ControlError"/> with a status of 400, 403, 404, 409, 426 (another version) or 500.
/// </remarks>
public static class ControlProtocol
{
    /// <summary>The version that this library speaks. Another number is another protocol.</summary>
    public const int Version = 2;

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

    /// <summary>Registers it as one that is suspended, so that it runs nothing meanwhile; null registers an active one.</summary>
    public SuspendRequest? Suspend { get; init; }
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

    /// <summary>Those of them that are suspended; null in a file that was written before they were told.</summary>
    public IReadOnlyList<SuspendedDefinition>? Suspended { get; init; }

    /// <summary>The definitions of schedules; what has no further time, and what cannot be read, is left out.</summary>
    /// <param name="schedules">The schedules.</param>
    public static DefinitionFile Of(IReadOnlyCollection<BulkLoadSchedule> schedules) =>
        new()
        {
            Schedules =
            [
                .. schedules
                    .Where(schedule => schedule.Status != ScheduleStatus.Ended)
                    .Select(schedule => schedule.Definition)
                    .OfType<ScheduleDefinition>(),
            ],
            Suspended =
            [
                .. schedules
                    .Where(schedule => schedule.Status == ScheduleStatus.Suspended)
                    .Select(schedule => new SuspendedDefinition(schedule.Name, schedule.Reason)),
            ],
        };

    /// <summary>Whether all is there that a definition needs.</summary>
    [JsonIgnore]
    public bool IsWhole =>
        Schedules is not null
        && Schedules.All(schedule => schedule is { Name: not null, Load: not null })
        && (Suspended is null || Suspended.All(one => one is { Name: not null }));

    /// <summary>What registers the definitions again as they were.</summary>
    /// <param name="replace">Whether one of the same name is replaced.</param>
    /// <param name="by">Who registers them.</param>
    public IEnumerable<RegisterRequest> Requests(bool replace, string by)
    {
        Dictionary<string, SuspendRequest> suspended = new(StringComparer.OrdinalIgnoreCase);
        foreach (SuspendedDefinition one in Suspended ?? [])
            suspended[one.Name] = new SuspendRequest(one.Reason, null);
        return Schedules.Select(definition => new RegisterRequest
        {
            Definition = definition,
            Replace = replace,
            By = by,
            Suspend = suspended.GetValueOrDefault(definition.Name),
        });
    }
}

/// <summary>A suspended schedule in a file of definitions.</summary>
/// <param name="Name">The schedule's name.</param>
/// <param name="Reason">Why, and who suspended it; null where nobody said.</param>
public sealed record SuspendedDefinition(string Name, string? Reason);

/// <summary>The address that opens the scheduler's page.</summary>
/// <param name="Uri">The address. It opens the page once, within ten minutes.</param>
public sealed record PageAddress(Uri Uri);

/// <summary>An error of the daemon.</summary>
/// <param name="ErrorId">What went wrong, as one word.</param>
/// <param name="Message">What went wrong, with which item.</param>
/// <param name="Advice">What the user can do.</param>
public sealed record ControlError(ErrorId ErrorId, string Message, string? Advice);

/// <summary>How the records of the control socket and of the daemon's store are written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(SchedulerState))]
[JsonSerializable(typeof(BulkLoadSchedule))]
[JsonSerializable(typeof(BulkLoadRun))]
[JsonSerializable(typeof(ScheduleDefinition))]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(SuspendRequest))]
[JsonSerializable(typeof(ChangeRequest))]
[JsonSerializable(typeof(System.Text.Json.Nodes.JsonObject))]
[JsonSerializable(typeof(DefinitionFile))]
[JsonSerializable(typeof(PageAddress))]
[JsonSerializable(typeof(ControlError))]
public sealed partial class SchedulingJson : JsonSerializerContext;
