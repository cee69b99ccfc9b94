#requires -Version 7.4
<#
.SYNOPSIS
Runs Pester tests and writes what became of them as JSON: their count, and each one's name, outcome and message.

.PARAMETER Path
The test files; wildcards are allowed.

.PARAMETER ResultPath
The JSON file.

.PARAMETER ClaimFolder
A folder in which processes that run at once claim the files that they run, the largest first. Without it, all are run.

.PARAMETER PesterVersion
The version of Pester to use, whatever others are installed.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $ResultPath,
    [Parameter(Mandatory)] [string] $PesterVersion,
    [string] $ClaimFolder
)

$ErrorActionPreference = 'Stop'
Import-Module Pester -RequiredVersion $PesterVersion

# Whether no other process has begun to run a file.
function Confirm-Claim([string] $Name) {
    if (-not $ClaimFolder) { return $true }
    try { [System.IO.File]::Open((Join-Path $ClaimFolder $Name), 'CreateNew').Dispose(); $true }
    catch [System.IO.IOException] { $false }
}

$runs = foreach ($file in Get-ChildItem -Path $Path | Sort-Object Length -Descending) {
    if (-not (Confirm-Claim $file.Name)) { continue }
    $configuration = New-PesterConfiguration
    $configuration.Run.Path = $file.FullName
    $configuration.Run.PassThru = $true
    $configuration.Output.Verbosity = 'Detailed'
    $configuration.Output.RenderMode = 'Plaintext'
    Invoke-Pester -Configuration $configuration
}

# Where it failed, without Pester's own frames.
function Get-Place([System.Management.Automation.ErrorRecord] $ErrorRecord) {
    $ErrorRecord.ScriptStackTrace -split '\r?\n' -notmatch '[\\/]Pester\.psm?1: |Invoke-Tests\.ps1: '
}

function New-Result([string] $Name, [string] $Outcome, [object[]] $ErrorRecord) {
    [ordered]@{ name = $Name; outcome = $Outcome; message = @($ErrorRecord | ForEach-Object { "$_"; Get-Place $_ }) -join "`n" }
}

$tests = @(
    foreach ($test in $runs.Tests | Where-Object ShouldRun) {
        # An inconclusive test is one that skipped itself.
        $outcome = $test.Result -in 'Passed', 'Failed' ? $test.Result : 'Skipped'
        New-Result "$(Split-Path -Leaf $test.ScriptBlock.File): $($test.ExpandedPath)" $outcome $test.ErrorRecord
    }
    # A file that does not load, or a BeforeAll or AfterAll that throws, fails as a test does.
    foreach ($block in $runs.FailedBlocks) { New-Result "$(Split-Path -Leaf $block.BlockContainer.Item): $($block.ExpandedPath)" 'Failed' $block.ErrorRecord }
    foreach ($container in $runs.FailedContainers) { New-Result "$(Split-Path -Leaf $container.Item)" 'Failed' $container.ErrorRecord }
)
$count = @{ Passed = 0; Failed = 0; Skipped = 0 }
foreach ($test in $tests) { $count[$test.outcome]++ }
$result = [ordered]@{
    summary = "$($count.Passed) passed, $($count.Failed) failed, $($count.Skipped) skipped"
    tests   = $tests
}
$result | ConvertTo-Json -Depth 4 | Set-Content -LiteralPath $ResultPath -Encoding utf8NoBOM
