# Dot-sourced by build.ps1, the tests and the benchmarks: the one place that knows how another PowerShell is started.

# How to start a PowerShell of the kind that runs this: its program, and what comes before its own arguments. A packaged PowerShell is an
# executable of its own; as a .NET tool, global or local, it is a pwsh.dll that `dotnet` runs.
function Get-PowerShell {
    $process = [System.Environment]::ProcessPath
    switch ([System.IO.Path]::GetFileNameWithoutExtension($process)) {
        'pwsh' { return [pscustomobject]@{ Program = $process; Arguments = @() } }
        'dotnet' { return [pscustomobject]@{ Program = $process; Arguments = @(Join-Path $PSHOME 'pwsh.dll') } }
    }
    throw "This script runs in '$process', which cannot be started as a PowerShell. Run it with pwsh."
}

# Runs another PowerShell with these arguments; what comes down the pipeline is its standard input.
function Invoke-PowerShell {
    $start = Get-PowerShell
    $given = @($start.Arguments) + $args
    if ($MyInvocation.ExpectingInput) { $input | & $start.Program @given } else { & $start.Program @given }
}
