using System.Text.Json;
using System.Text.Json.Nodes;

namespace IngestTools.Scheduling;

/// <summary>
/// Changes of single properties of a schedule. What is not named stays as the daemon has it, also what another version of this library does
/// not know.
/// </summary>
public sealed record ChangeRequest
{
    /// <summary>The changed properties of the definition, as a JSON merge patch (RFC 7396): null removes a property.</summary>
    public required JsonElement Changes { get; init; }

    /// <summary>Whether the input is copied anew, for a load whose input the daemon keeps.</summary>
    public bool CopyInput { get; init; }

    /// <summary>Whether a time that has passed is taken: the load then runs at once.</summary>
    public bool AllowPast { get; init; }

    /// <summary>Who changes it.</summary>
    public string? By { get; init; }

    /// <summary>Whether it changes no property.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsEmpty => Changes.ValueKind != JsonValueKind.Object || !Changes.EnumerateObject().Any();

    /// <summary>The changes that make one definition of another.</summary>
    /// <param name="was">The definition as it is.</param>
    /// <param name="now">The definition as it is to be.</param>
    public static ChangeRequest Between(ScheduleDefinition was, ScheduleDefinition now) =>
        new() { Changes = JsonSerializer.SerializeToElement(Compare(Write(was), Write(now)), SchedulingJson.Default.JsonObject) };

    /// <summary>A definition with these changes.</summary>
    /// <param name="definition">The definition as it is.</param>
    /// <exception cref="FormatException">The changes do not make a definition.</exception>
    public ScheduleDefinition ApplyTo(ScheduleDefinition definition)
    {
        JsonObject changed = Write(definition);
        try
        {
            if (Changes.ValueKind != JsonValueKind.Object)
                throw new FormatException("the changes are not an object");
            Merge(changed, JsonObject.Create(Changes)!);
            return changed.Deserialize(SchedulingJson.Default.ScheduleDefinition) is { Name: not null, Load.Connection: not null } made
                ? made
                : throw new FormatException("the changes remove the name or the load");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static JsonObject Write(ScheduleDefinition definition) =>
        JsonSerializer.SerializeToNode(definition, SchedulingJson.Default.ScheduleDefinition)!.AsObject();

    private static JsonObject Compare(JsonObject was, JsonObject now)
    {
        JsonObject changes = [];
        foreach ((string name, JsonNode? value) in now)
        {
            if (value is JsonObject inner && was[name] is JsonObject before)
            {
                JsonObject innerChanges = Compare(before, inner);
                if (innerChanges.Count > 0)
                    changes[name] = innerChanges;
            }
            else if (!JsonNode.DeepEquals(was[name], value))
                changes[name] = value?.DeepClone();
        }

        foreach (string gone in was.Select(property => property.Key).Where(name => !now.ContainsKey(name)))
            changes[gone] = null;
        return changes;
    }

    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach ((string name, JsonNode? value) in changes)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject inner && target[name] is JsonObject before)
                Merge(before, inner);
            else
                target[name] = value.DeepClone();
        }
    }
}
