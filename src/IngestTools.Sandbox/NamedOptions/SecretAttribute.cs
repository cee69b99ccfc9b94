namespace IngestTools.Sandbox.NamedOptions;

/// <summary>
/// Marks an option whose value is a secret. A command line can be read by others, so it names an environment variable there: env:NAME.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute : Attribute;
