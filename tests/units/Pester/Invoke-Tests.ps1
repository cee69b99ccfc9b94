#requires -Version 7.4
<#
.SYNOPSIS
Runs Pester tests and writes what became of them as JSON: passed, failed, skipped, and each failure's name and message.

.PARAMETER Path
The test files; wildcards are allowed.

.PARAMETER ResultPath
The JSON file.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $ResultPath
)

$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Detailed'
$configuration.Output.RenderMode = 'Plaintext'
$run = Invoke-Pester -Configuration $configuration

# Where it failed, without Pester's own frames.
function Get-Place([System.Management.Automation.ErrorRecord] $ErrorRecord) {
    $ErrorRecord.ScriptStackTrace -split '\r?\n' -notmatch '[\\/]Pester\.psm?1: |Invoke-Tests\.ps1: '
}

# A file that does not load, or a BeforeAll or AfterAll that throws, fails as a test does.
$failures = @(
    foreach ($failed in @($run.Failed) + $run.FailedBlocks + $run.FailedContainers) {
        [ordered]@{
            name    = $failed.PSObject.Properties['ExpandedPath'] ? $failed.ExpandedPath : "$($failed.Item)"
            message = @($failed.ErrorRecord | ForEach-Object { "$_"; Get-Place $_ }) -join "`n"
        }
    }
)
$result = [ordered]@{
    passed   = $run.PassedCount
    failed   = $failures.Count
    skipped  = $run.SkippedCount + $run.InconclusiveCount
    failures = $failures
}
$result | ConvertTo-Json -Depth 4 | Set-Content -LiteralPath $ResultPath -Encoding utf8NoBOM
