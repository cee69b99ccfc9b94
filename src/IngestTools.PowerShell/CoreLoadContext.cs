using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace IngestTools.PowerShell;

/// <summary>
/// Holds Core and its packages, so that versions which other modules brought into the process make no difference to it, nor it to them.
/// </summary>
/// <remarks>
/// The types of this assembly are looked at before <see cref="ModuleInitializer.OnImport"/> runs. So no public type here may need Core to
/// be laid out: no base class or interface that is generic over a Core type, and no instance field whose type is one of Core's enums or
/// structs.
/// </remarks>
internal sealed class CoreLoadContext : AssemblyLoadContext
{
    private const string CoreName = "IngestTools.Core";

    private static readonly Lazy<CoreLoadContext> Instance = new(() => new CoreLoadContext());

    private readonly string _folder;

    private CoreLoadContext()
        : base(CoreName)
    {
        string module = Path.GetDirectoryName(typeof(CoreLoadContext).Assembly.Location)!;
        _folder = Path.Combine(module, "core");
    }

    /// <summary>Answers the default context for the one name that is ours.</summary>
    internal static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        name.Name == CoreName ? Instance.Value.LoadFromAssemblyName(name) : null;

    /// <summary>What lies in the folder is taken from there; all else, the runtime's own above all, is shared with the host.</summary>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string path = Path.Combine(_folder, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }

    /// <summary>
    /// Native code of the packages lies in runtimes/[system]/native, where the runtime itself does not look for a private context.
    /// </summary>
    protected override nint LoadUnmanagedDll(string unmanagedDllName)
    {
        string name =
            OperatingSystem.IsWindows() ? $"{unmanagedDllName}.dll"
            : OperatingSystem.IsMacOS() ? $"lib{unmanagedDllName}.dylib"
            : $"lib{unmanagedDllName}.so";
        string path = Path.Combine(_folder, "runtimes", PortableSystem(), "native", name);
        return File.Exists(path) ? LoadUnmanagedDllFromPath(path) : 0;
    }

    /// <summary>
    /// The portable identifier of this system. A distribution that builds .NET itself has an identifier of its own, such as
    /// alpine.3.22-x64.
    /// </summary>
    private static string PortableSystem()
    {
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        if (OperatingSystem.IsWindows())
            return $"win-{architecture}";
        if (OperatingSystem.IsMacOS())
            return $"osx-{architecture}";
        bool isMusl =
            RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal);
        return isMusl ? $"linux-musl-{architecture}" : $"linux-{architecture}";
    }
}
