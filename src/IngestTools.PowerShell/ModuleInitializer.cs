using System.Management.Automation;
using System.Runtime.Loader;
using IngestTools.PowerShell.Connections;

namespace IngestTools.PowerShell;

/// <summary>Runs when the module is imported into a runspace, and when it is removed from it.</summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    private static int s_hooked;

    /// <summary>Makes Core known to the runtime. Core itself is loaded when the first cmdlet needs it.</summary>
    public void OnImport()
    {
        // The hook stays for the life of the process: another runspace may still hold the module when this one lets go of it.
        if (Interlocked.Exchange(ref s_hooked, 1) == 0)
            AssemblyLoadContext.Default.Resolving += CoreLoadContext.Resolve;
    }

    /// <summary>Closes what this runspace opened.</summary>
    public void OnRemove(PSModuleInfo psModuleInfo) => IngestSession.CloseCurrent();
}
