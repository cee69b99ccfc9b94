using IngestTools.PowerShell.Errors;

namespace IngestTools.PowerShell.Programs;

/// <summary>Finds the programs that come with the module.</summary>
internal static class ModuleProgram
{
    /// <summary>A program: staged in the module, or built in a checkout. Where it is an assembly, the file to run is dotnet.</summary>
    /// <param name="folder">Its folder in the module.</param>
    /// <param name="name">Its name, without an extension.</param>
    /// <param name="project">The project that it is built from.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/></exception>
    internal static (string File, string? Assembly) Find(string folder, string name, string project)
    {
        // <module>/module/bin/IngestTools.dll
        string module = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(ModuleProgram).Assembly.Location)!, "..", ".."));
        string staged = Path.Combine(module, folder, OperatingSystem.IsWindows() ? name + ".exe" : name);
        if (File.Exists(staged))
            return (staged, null);
        string? assembly = new[] { Path.Combine(module, folder, name + ".dll") }
            .Concat(FindBuilt(module, name, project))
            .FirstOrDefault(File.Exists);
        return assembly is not null
            ? ("dotnet", assembly)
            : throw IngestErrors.Create(
                ErrorId.FileNotFound,
                $"The {folder} is not in '{Path.Combine(module, folder)}'.",
                "Install the module again, or build it: ./build.ps1.",
                module
            );
    }

    private static IEnumerable<string> FindBuilt(string checkout, string name, string project)
    {
        string output = Path.Combine(checkout, "src", project, "bin");
        return Directory.Exists(output)
            ? Directory
                .EnumerateDirectories(output)
                .Select(d => Path.Combine(d, "net10.0", name + ".dll"))
                .OrderByDescending(File.GetLastWriteTimeUtc)
            : [];
    }
}
