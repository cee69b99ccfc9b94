namespace IngestTools.Sandbox.Samples;

/// <summary>A sample file cannot be written; the message says which one and why.</summary>
internal sealed class SampleException(string message, Exception? cause = null) : Exception(message, cause);
