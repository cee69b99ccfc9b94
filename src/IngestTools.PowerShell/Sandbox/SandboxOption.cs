namespace IngestTools.PowerShell.Sandbox;

/// <summary>An option of the sandbox.</summary>
/// <param name="Name">Its name, such as "dsp:ingestMs".</param>
/// <param name="Values">Its values with | between, or one word for what they are.</param>
/// <param name="Description">What it does.</param>
internal sealed record SandboxOption(string Name, string Values, string Description);
