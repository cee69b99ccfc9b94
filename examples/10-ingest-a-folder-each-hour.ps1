#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Lets the scheduler send a folder to a DSP-INGEST project each hour.

.DESCRIPTION
Each hour, files of the folder that are new or changed are sent and ingested, and the mapping is saved. If an hour's load
is not done when the next hour comes, the next one waits for its turn; at most one waits. After a night without the machine
it runs once, not ten times.

Run once by hand at the end, to see it work.

.PARAMETER Folder
The folder.

.PARAMETER Shortcode
The project.

.PARAMETER Connection
A saved connection that the scheduler can sign in with: Connect-IngestService DspIngest ... -SecretFrom file:PATH -Save.

.PARAMETER MappingPath
Where the mapping is written after each run.

.EXAMPLE
./10-ingest-a-folder-each-hour.ps1 -Folder /data/scans -Shortcode 0001 -Connection archive -MappingPath /data/mapping-0001.csv

.EXAMPLE
# on the sandbox
$sandbox = Start-IngestSandbox
Set-Content ./password test; chmod 600 ./password
$login = @{ UserName = 'root@example.com'; SecretFrom = 'file:./password'; AuthenticationUri = $sandbox.Uri }
Connect-IngestService DspIngest $sandbox.Uri -Name archive @login -Save
./10-ingest-a-folder-each-hour.ps1 -Folder ./scans -Shortcode 0001 -Connection archive -MappingPath ./mapping.csv
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Shortcode,
    [Parameter(Mandatory)] [string] $Connection,
    [Parameter(Mandatory)] [string] $MappingPath
)

$ErrorActionPreference = 'Stop'
if (-not (Get-IngestScheduler).IsRunning) { $null = Start-IngestScheduler }

$name = "hourly $Shortcode"
$load = @{ Path = $Folder; Recurse = $true; Shortcode = $Shortcode; MappingPath = $MappingPath; Connection = $Connection }
Register-BulkLoadSchedule -Name $name @load -Every 01:00:00 -MissedRun RunOnce -Overlap Queue -Force | Format-Table

# A run is a transaction like any other; what was left over is in its message and its log.
$run = Start-BulkLoadSchedule $name | Wait-Transaction -ErrorAction SilentlyContinue -ErrorVariable problems
foreach ($problem in $problems) { Write-Warning "$problem" }
Get-BulkLoadRun -Id $run.Id | Format-List
