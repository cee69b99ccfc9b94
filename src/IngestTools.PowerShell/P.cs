namespace IngestTools.PowerShell;
internal static class Placeholder;
