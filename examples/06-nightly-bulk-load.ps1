#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Loads the workbooks of a folder into VOSS Automate every night: as a task of Windows, or as a timer of systemd.

.DESCRIPTION
Nobody is there to be asked, so nothing asks. The script takes every workbook of a folder, one after the other. Before its
load is started it goes to the folder "running", and from there, when the load has ended, to one that is named after the
outcome; so none is loaded twice, wherever the script is stopped. Rows that failed go to the log and to a CSV, and the exit
code lets the task alarm:

    0   every row was loaded, or there was no workbook
    1   some rows or workbooks were not; the log names them
    2   nothing could be run: the server, the sign-in or the hierarchy
    3   it is not known whether a load was started; look for the file in VOSS's transaction log before the next night

A load whose answer was lost may be running. Its workbook goes to the folder "unknown" and is not sent again by itself. Nor is
one that stays in "running": its load takes longer than -Timeout, or the script was stopped. Look for its name in VOSS's
transaction log, and move it back to the folder if it is not there. One whose start was refused is back there by itself.

.PARAMETER Folder
The folder of the workbooks.

.PARAMETER Hierarchy
The node of the hierarchy.

.PARAMETER Uri
VOSS's address.

.PARAMETER UserName
The administrator.

.PARAMETER SecretFrom
Where the password is kept: env:NAME, file:PATH or vault:NAME. It is read when it is needed, and written nowhere.

.PARAMETER LogFolder
Where the log and the failed rows go.

.PARAMETER Timeout
How long to wait for one load. It continues after that, and the exit code is then 1.

.EXAMPLE
# A task of Windows, every night at 02:30, for an account of its own (in an elevated PowerShell, once):
$script = '-NoProfile -File C:\ingest\06-nightly-bulk-load.ps1 -Folder D:\loads -Hierarchy sys.hcs.Provider ' +
    '-Uri https://voss.example.org -UserName admin@sys.hcs -SecretFrom vault:voss -LogFolder D:\loads\log'
$task = @{
    TaskName = 'VOSS nightly load'
    Action   = New-ScheduledTaskAction -Execute pwsh.exe -Argument $script
    Trigger  = New-ScheduledTaskTrigger -Daily -At 02:30
    Settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -MultipleInstances IgnoreNew -ExecutionTimeLimit 08:00:00
}
Register-ScheduledTask @task -User DOMAIN\ingest -Password (Read-Host 'Password')
# Get-ScheduledTaskInfo 'VOSS nightly load' has the exit code as LastTaskResult.

.EXAMPLE
# A timer of systemd, in two files; then: systemctl enable --now voss-load.timer

# /etc/systemd/system/voss-load.service
#   [Unit]
#   Description=VOSS nightly load
#   Wants=network-online.target
#   After=network-online.target
#   OnFailure=alarm@%n.service
#   [Service]
#   Type=oneshot
#   User=ingest
#   LoadCredential=voss:/etc/ingest/voss-password
#   ExecStart=/usr/bin/pwsh -NoProfile -File /opt/ingest/06-nightly-bulk-load.ps1 -Folder /srv/loads \
#       -Hierarchy sys.hcs.Provider -Uri https://voss.example.org -UserName admin@sys.hcs \
#       -SecretFrom file:${CREDENTIALS_DIRECTORY}/voss -LogFolder /var/log/ingest
#   TimeoutStartSec=8h

# /etc/systemd/system/voss-load.timer
#   [Timer]
#   OnCalendar=*-*-* 02:30:00
#   Persistent=true
#   [Install]
#   WantedBy=timers.target

# systemctl status voss-load has the exit code, and journalctl -u voss-load the log.

.EXAMPLE
$sandbox = Start-IngestSandbox
$env:VOSS_PASSWORD = 'test'
$server = @{ Uri = $sandbox.Uri; UserName = 'hcsadmin@sys.hcs'; SecretFrom = 'env:VOSS_PASSWORD' }
./06-nightly-bulk-load.ps1 -Folder ./loads -Hierarchy sys.hcs.Provider @server -LogFolder ./log
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Hierarchy,
    [Parameter(Mandatory)] [uri] $Uri,
    [Parameter(Mandatory)] [string] $UserName,
    [Parameter(Mandatory)] [string] $SecretFrom,
    [Parameter(Mandatory)] [string] $LogFolder,
    [timespan] $Timeout = '04:00:00'
)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$log = Join-Path $LogFolder 'voss-load.log'
$exitCode = 0

# A log that cannot be written does not stop the load.
function Write-Log([string] $Text) {
    $line = "$(Get-Date -Format o) $Text"
    $line | Out-Host
    try { $line | Add-Content -LiteralPath $log }
    catch {
        "The log cannot be written: $_" | Out-Host
        Set-ExitCode 1
    }
}

# The worse of what has happened.
function Set-ExitCode([int] $Code) {
    if ($Code -gt $script:exitCode) { $script:exitCode = $Code }
}

# Where the workbook then is.
function Move-Workbook([string] $Path, [string] $Name, [string] $Outcome) {
    $target = New-Item -ItemType Directory -Force -Path (Join-Path $Folder $Outcome)
    (Move-Item -LiteralPath $Path -Destination (Join-Path $target $Name) -PassThru).FullName
}

function Export-FailedRow($Load) {
    $failed = @((Get-Transaction $Load.Id -Connection $connection).SubTransactions | Where-Object Status -EQ Failed)
    $failed | Select-Object Sheet, Row, Message, Detail | Export-Csv (Join-Path $LogFolder "$($Load.FileName).failed.csv") -NoClobber
}

# Every failure is an error with the item as its target; they go to the log instead of ending the script.
function Invoke-Load([System.IO.FileInfo] $Workbook) {
    $path = $load = $null
    $problems = @()
    $quiet = @{ ErrorAction = 'SilentlyContinue'; ErrorVariable = '+problems' }
    $sent = Send-IngestFile -LiteralPath $Workbook -Hierarchy $Hierarchy -UniqueName -Connection $connection @quiet
    if ($sent.Status -eq 'Uploaded') {
        # Before the load is asked for: wherever this script is stopped from here on, the next night does not take the workbook.
        $path = Move-Workbook $Workbook.FullName $sent.FileName 'running'
        $load = $sent | Start-BulkLoad @quiet
        if ($load) {
            $load = $load | Wait-Transaction -Timeout $Timeout @quiet
            Write-Log "$($Workbook.Name): $($load.Id) is $($load.Status), $($load.Completed) of $($load.Total) rows."
        }
    }

    foreach ($problem in $problems) { Write-Log "$($Workbook.Name): $problem" }
    if ($problems.Count -gt 0) { Set-ExitCode 1 }
    if ($problems.FullyQualifiedErrorId -like 'OutcomeUnknown,*') {
        Set-ExitCode 3
        $null = Move-Workbook $path $sent.FileName 'unknown'
    }
    elseif ($load.IsTerminal) {
        try { if ($load.Status -ne 'Succeeded') { Export-FailedRow $load } }
        finally { $null = Move-Workbook $path $load.FileName "$($load.Status)".ToLowerInvariant() }
    }
    elseif ($path -and -not $load) { Move-Item -LiteralPath $path -Destination $Workbook.FullName }
}

try {
    $null = New-Item -ItemType Directory -Force -Path $LogFolder
    $connection = Connect-IngestService -Service Voss -Name nightly -Uri $Uri -UserName $UserName -SecretFrom $SecretFrom
    $report = Test-IngestService -Connection $connection -Hierarchy $Hierarchy
    if (-not $report.Ok) { throw ($report.Details -join ' ') }
    $workbooks = @(Get-ChildItem -LiteralPath $Folder -Filter *.xlsx -File | Where-Object Name -NotLike '~$*')
}
catch {
    Write-Log "could not be run: $_"
    exit 2
}

foreach ($workbook in $workbooks) {
    try { Invoke-Load $workbook }
    catch {
        Write-Log "$($workbook.Name): $_"
        Set-ExitCode 1
    }
}

exit $exitCode
