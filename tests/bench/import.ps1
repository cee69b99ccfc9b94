#requires -Version 7.4
<#
.SYNOPSIS
Measures how long Import-Module takes.

.DESCRIPTION
Each round is a PowerShell of its own. The figure is the median of the rounds, so the module's files are in memory.

.PARAMETER Module
The manifest of the staged module.

.PARAMETER Rounds
How often it is measured, after a first round that warms up.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Module,
    [ValidateRange(1, 99)] [int] $Rounds = 9
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-StrictMode -Version 3

. (Join-Path $PSScriptRoot '..' 'PowerShell.ps1')
$manifest = [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent((Resolve-Path -LiteralPath $Module).ProviderPath)
$measure = "Import-Module Microsoft.PowerShell.Utility
    (Measure-Command { Import-Module '$manifest' }).TotalMilliseconds.ToString([cultureinfo]::InvariantCulture)"

$times = for ($round = 0; $round -le $Rounds; $round++) {
    $time = [double] (Invoke-PowerShell -NoProfile -NonInteractive -Command $measure)
    if ($round -gt 0) { $time }
}
$median = @($times | Sort-Object)[[Math]::Floor(($Rounds - 1) / 2)]
Write-Host ('  {0,-50}{1,8:0}   {2}' -f 'Import-Module, ms', $median, 'at most 40')
