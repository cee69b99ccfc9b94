#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Lets the scheduler load a workbook into VOSS Automate on every working day, and shows how the last loads went.

.DESCRIPTION
Run it once as the account that the scheduler runs as, and again whenever the workbook has changed: the scheduler keeps a
copy of the workbook, and takes the new one. After that nothing has to run but the scheduler; a task or a timer of the
system is not needed.

The server's own schedules run once and leave no history. These run again and again, catch up a missed night, and leave a
run with a log for each.

.PARAMETER Workbook
The workbook.

.PARAMETER Hierarchy
The node of the hierarchy.

.PARAMETER Uri
VOSS's address.

.PARAMETER UserName
The administrator.

.PARAMETER SecretFrom
Where the scheduler reads the password: file:PATH, or env:NAME of its own environment.

.PARAMETER Cron
When: minute, hour, day of month, month, day of week.

.PARAMETER TimeZone
Where that time is meant.

.EXAMPLE
./09-nightly-load-by-the-scheduler.ps1 -Workbook ./users.xlsx -Hierarchy sys.hcs.Provider -Uri https://voss.example.org `
    -UserName admin@sys.hcs -SecretFrom file:/etc/ingest/voss -TimeZone Europe/Zurich

.EXAMPLE
# the next morning
Get-BulkLoadRun 'VOSS users' -Newest 1 | Get-BulkLoadRun | Format-List
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Workbook,
    [Parameter(Mandatory)] [string] $Hierarchy,
    [Parameter(Mandatory)] [uri] $Uri,
    [Parameter(Mandatory)] [string] $UserName,
    [Parameter(Mandatory)] [string] $SecretFrom,
    [string] $Cron = '15 2 * * 1-5',
    [string] $TimeZone = [System.TimeZoneInfo]::Local.Id
)

$ErrorActionPreference = 'Stop'

# Everything but the password, which the scheduler reads when it needs it.
$null = Connect-IngestService -Service Voss -Uri $Uri -Name 'voss-nightly' -UserName $UserName -SecretFrom $SecretFrom -Save

if (-not (Get-IngestScheduler).IsRunning) { $null = Start-IngestScheduler }

# It signs in and reads the file now, so that what would fail at night fails here. With -WhatIf it would only show the next five times.
$load = @{ Path = $Workbook; Hierarchy = $Hierarchy; Connection = 'voss-nightly' }
Register-BulkLoadSchedule -Name 'VOSS users' @load -Cron $Cron -TimeZone $TimeZone -MissedRun RunOnce -Overlap Skip -Force | Format-List

Get-BulkLoadRun 'VOSS users' -Newest 5 | Format-Table
