<#
.SYNOPSIS
The long form of the fuzz tests: changed answers for all operations of the four services, and for the cmdlets.
.DESCRIPTION
The short forms run with the other tests. This one needs the solution built and the module staged (./build.ps1).
.PARAMETER Count
How many operations of Core.
.PARAMETER CmdletCount
How many calls of cmdlets.
.PARAMETER Seed
The same seed makes the same changes.
#>
param([int] $Count = 100000, [int] $CmdletCount = 2000, [int] $Seed = 20261126, [string] $Configuration = 'Debug')

$ErrorActionPreference = 'Stop'
$root = Split-Path (Split-Path $PSScriptRoot)
$report = [System.IO.Path]::GetTempFileName()
try {
    $env:INGESTTOOLS_FUZZ_COUNT, $env:INGESTTOOLS_FUZZ_SEED, $env:INGESTTOOLS_FUZZ_REPORT = $Count, $Seed, $report
    dotnet test (Join-Path $root tests units) --no-build -c $Configuration --filter FullyQualifiedName~FuzzTests
    Get-Content $report
    $env:INGESTTOOLS_FUZZ_COUNT = $CmdletCount
    $modules = Join-Path $root tests units bin $Configuration net10.0 modules
    $env:PSModulePath = $modules + [System.IO.Path]::PathSeparator + $env:PSModulePath
    Import-Module Pester -RequiredVersion 5.9.1
    $options = New-PesterConfiguration -Hashtable @{ Run = @{ Path = Join-Path $root tests Fuzz.Tests.ps1 }; Output = @{ Verbosity = 'Detailed' } }
    Invoke-Pester -Configuration $options
}
finally {
    Remove-Item $report -ErrorAction Ignore
    Remove-Item env:INGESTTOOLS_FUZZ_*
}
