namespace IngestTools;
internal static class Placeholder;
