using System.ComponentModel;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace IngestTools.Sandbox.NamedOptions;

/// <summary>An option of the sandbox: a property of a settings record, with the name that users write.</summary>
internal sealed class NamedOption
{
    private const string EnvironmentPrefix = "env:";

    private readonly PropertyInfo _property;
    private readonly bool _isSecret;

    public NamedOption(string group, PropertyInfo property)
    {
        _property = property;
        _isSecret = property.IsDefined(typeof(SecretAttribute));
        Group = group;
        Key = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
        Name = group.Length == 0 ? Key : $"{group}:{Key}";
        Values = _isSecret ? "env:NAME" : ValuesOf(ValueType);
        Description = property.GetCustomAttribute<DescriptionAttribute>()!.Description;
    }

    /// <summary>The service's short name; empty for an option of all services.</summary>
    public string Group { get; }

    /// <summary>The name within the group, as the control route of its options takes it.</summary>
    public string Key { get; }

    /// <summary>The full name, such as "dsp:ingestMs".</summary>
    public string Name { get; }

    /// <summary>The form of the value: the words that it can be with | between, or what it stands for.</summary>
    public string Values { get; }

    /// <summary>What the option does.</summary>
    public string Description { get; }

    private Type ValueType => Nullable.GetUnderlyingType(_property.PropertyType) ?? _property.PropertyType;

    /// <summary>Adds the value to an object of settings. A list takes one more item each time.</summary>
    /// <exception cref="FormatException">The option cannot have this value.</exception>
    public void AddTo(JsonObject settings, string? value)
    {
        JsonNode? node = Read(value);
        if (node is JsonArray items && settings[Key] is JsonArray earlier)
        {
            foreach (JsonNode? item in items)
                earlier.Add(item?.DeepClone());
            return;
        }

        settings[Key] = node;
        try
        {
            node.Deserialize(_property.PropertyType, Control.ControlBody.Strict);
        }
        catch (JsonException)
        {
            throw Wrong(value);
        }
    }

    private JsonNode? Read(string? value)
    {
        if (ValueType == typeof(bool))
            return Parse(value is null or "" ? "true" : value.ToLowerInvariant(), value);
        if (string.IsNullOrEmpty(value))
            throw new FormatException($"{Name} needs a value: {Name}={Values}");
        if (_isSecret)
            return JsonValue.Create(ReadVariable(value));
        if (ValueType == typeof(string[]) && !value.StartsWith('['))
            return new JsonArray(JsonValue.Create(value));
        return ValueType == typeof(string) || ValueType.IsEnum ? JsonValue.Create(value) : Parse(value, value);
    }

    private JsonNode? Parse(string json, string? value)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            throw Wrong(value);
        }
    }

    private string ReadVariable(string value)
    {
        // The value is not repeated: it can be the secret itself.
        if (!value.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
            throw new FormatException($"{Name} takes env:NAME, the name of an environment variable that has the secret");
        string name = value[EnvironmentPrefix.Length..];
        return Environment.GetEnvironmentVariable(name) is { Length: > 0 } secret
            ? secret
            : throw new FormatException($"{Name}: the environment variable {name} is not set");
    }

    private FormatException Wrong(string? value) => new($"{Name} cannot be '{value}'; write {Name}={Values}");

    private static string ValuesOf(Type type)
    {
        if (type == typeof(bool))
            return "true|false";
        if (type.IsEnum)
            return string.Join('|', Enum.GetNames(type).Select(name => WordOf(type.GetField(name)!)));
        if (type == typeof(string) || type == typeof(string[]))
            return "TEXT";
        return type.IsPrimitive ? "N" : "JSON";
    }

    private static string WordOf(FieldInfo value) => value.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? value.Name;
}
