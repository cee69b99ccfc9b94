#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Runs two schedulers on one store in PostgreSQL, so that either may die.

.DESCRIPTION
Here both run on this machine, to try it: a schedule is registered with one, that one is stopped, and the other runs the
load. On two machines each has one of them, as a service (ingest-scheduler unit prints one; add the options below to its
ExecStart), and on both are the same folders and the same saved connections.

The connection to PostgreSQL has a password in it, so it stands in an environment variable or a file, and in no list of
processes. The schedulers make their tables by themselves.

.PARAMETER ConnectionFrom
Where the connection to PostgreSQL stands: env:NAME or file:PATH. It has the form
Host=db.example.org;Database=ingest;Username=ingest;Password=...

.PARAMETER Folder
What is loaded.

.PARAMETER Shortcode
The project that it goes to.

.PARAMETER Connection
A saved connection to DSP-INGEST.

.PARAMETER WorkFolder
The folder of the two schedulers' locks, sockets and logs.

.EXAMPLE
$env:INGEST_POSTGRES = 'Host=127.0.0.1;Database=ingest;Username=ingest;Password=...'
./11-two-schedulers-on-postgresql.ps1 -ConnectionFrom env:INGEST_POSTGRES -Folder ./scans -Shortcode 0001 -Connection archive -WorkFolder ./nodes
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $ConnectionFrom,
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Shortcode,
    [Parameter(Mandatory)] [string] $Connection,
    [Parameter(Mandatory)] [string] $WorkFolder
)

$ErrorActionPreference = 'Stop'
$program = Join-Path (Get-Module IngestTools).ModuleBase 'scheduler' 'ingest-scheduler.dll'
$work = (New-Item -ItemType Directory -Force -Path $WorkFolder).FullName

# Each node has a name and a folder of its own. A node that was silent for 10 seconds counts as dead.
$nodes = foreach ($name in 'left', 'right') {
    $place = (New-Item -ItemType Directory -Force -Path (Join-Path $work $name)).FullName
    if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($place, 'UserRead, UserWrite, UserExecute') }
    $options = 'run', '--store', 'postgres', '--connection-from', $ConnectionFrom, '--folder', $place, '--node', $name, '--takeover-after', '10'
    $process = Start-Process dotnet -ArgumentList (@($program) + $options) -PassThru -RedirectStandardError (Join-Path $place 'scheduler.log')
    [pscustomobject]@{ Name = $name; Folder = $place; Process = $process }
}

# The cmdlets speak to the node of a folder; every node has all schedules.
function Use-Node($Node) {
    while (-not (Get-IngestScheduler -Folder $Node.Folder).IsRunning) {
        if ($Node.Process.HasExited) { throw (Get-Content (Join-Path $Node.Folder 'scheduler.log') -Raw) }
        Start-Sleep -Milliseconds 100
    }
    $env:INGESTTOOLS_SCHEDULER_SOCKET = (Get-IngestScheduler -Folder $Node.Folder).Socket
}

$left, $right = $nodes
$before = $env:INGESTTOOLS_SCHEDULER_SOCKET
try {
    Use-Node $left
    Register-BulkLoadSchedule -Name shared -Path $Folder -Recurse -Shortcode $Shortcode -Connection $Connection -Every 01:00:00 -Force | Format-Table

    Use-Node $right
    $run = Start-BulkLoadSchedule shared

    # Whichever node has begun it: one of them ends, and the run does not.
    Stop-IngestScheduler -Folder $left.Folder
    $null = $run | Wait-Transaction -Timeout 00:05:00
    Get-BulkLoadRun -Id $run.Id | Format-List
    Unregister-BulkLoadSchedule shared
}
finally {
    foreach ($node in $nodes) {
        if ((Get-IngestScheduler -Folder $node.Folder).IsRunning) { Stop-IngestScheduler -Folder $node.Folder }
    }
    $env:INGESTTOOLS_SCHEDULER_SOCKET = $before
}
