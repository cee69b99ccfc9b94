using Xunit;

namespace IngestTools.Units.Support;

/// <summary>A fact that cannot hold on one platform. There it is reported as skipped, with the reason.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactExceptOnAttribute : FactAttribute
{
    /// <param name="platform">The platform, as <see cref="OperatingSystem.IsOSPlatform"/> takes it.</param>
    /// <param name="because">Why the fact cannot hold there.</param>
    public FactExceptOnAttribute(string platform, string because)
    {
        if (OperatingSystem.IsOSPlatform(platform))
            Skip = because;
    }
}
