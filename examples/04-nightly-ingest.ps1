#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Sends what is new in a folder every night: for cron, a systemd timer or the Windows task scheduler.

.DESCRIPTION
Nobody is there to be asked, so nothing asks. The script writes a log, keeps each night's mapping, and ends with an exit
code that a monitor understands:

    0   every file of the folder is ingested, or there was none
    1   some files are not sent or not ingested; the log names them
    2   the load could not be run
    3   the ingest had not ended in time, or what became of it is not known: Get-Transaction shows it

The project is finalized when every file of the folder is sent and ingested. Otherwise it is not, so nothing is lost, and
the next night tries again.
Run as the account that ran it before: its journal knows what was sent.

.PARAMETER Folder
The folder that is sent.

.PARAMETER Shortcode
The project.

.PARAMETER Uri
The ingest service.

.PARAMETER SecretFrom
Where the token is kept, or with -UserName the password: env:NAME, file:PATH or vault:NAME. It is read when it is needed,
and written nowhere.

.PARAMETER UserName
Whose password it is.

.PARAMETER AuthenticationUri
Where the password is exchanged for a token: DSP-API.

.PARAMETER LogFolder
Where logs and mappings go.

.EXAMPLE
# in a crontab, on one line
30 2 * * * pwsh -NoProfile -File 04-nightly-ingest.ps1 -Folder /data/scans -Shortcode 0001
    -Uri https://ingest.example.org -SecretFrom file:/etc/ingest/token -LogFolder /var/log/ingest

.EXAMPLE
$sandbox = Start-IngestSandbox
$env:DSP_PASSWORD = 'test'
$login = @{ SecretFrom = 'env:DSP_PASSWORD'; UserName = 'root@example.com'; AuthenticationUri = $sandbox.Uri }
./04-nightly-ingest.ps1 -Folder ./scans -Shortcode 0001 -Uri $sandbox.Uri @login -LogFolder ./log
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Shortcode,
    [Parameter(Mandatory)] [uri] $Uri,
    [Parameter(Mandatory)] [string] $SecretFrom,
    [string] $UserName,
    [uri] $AuthenticationUri,
    [Parameter(Mandatory)] [string] $LogFolder,
    [timespan] $Timeout = '06:00:00'
)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$started = Get-Date
$null = New-Item -ItemType Directory -Force -Path $LogFolder
$log = Join-Path $LogFolder "ingest-$Shortcode.log"
$mapping = Join-Path $LogFolder ('mapping-{0}-{1:yyyyMMdd-HHmmss}.csv' -f $Shortcode, $started)

function Write-Log([string] $Text) {
    "$(Get-Date -Format o) $Text" | Tee-Object -FilePath $log -Append | Out-Host
}

try {
    if (-not (Test-Path -LiteralPath $Folder)) { throw "There is no folder '$Folder'." }
    $login = @{ SecretFrom = $SecretFrom }
    if ($UserName) { $login += @{ UserName = $UserName; AuthenticationUri = $AuthenticationUri } }
    $connection = Connect-IngestService -Service DspIngest -Name nightly -Uri $Uri @login
    $report = Test-IngestService -Connection $connection -Shortcode $Shortcode
    if (-not $report.Ok) { throw ($report.Details -join ' ') }

    # What was ingested on an earlier night and has not changed is skipped. A night that was cut short is continued.
    $uploads = @(Send-IngestFile -LiteralPath $Folder -Recurse -Shortcode $Shortcode -Connection $connection -ErrorAction SilentlyContinue -ErrorVariable problems -WarningAction SilentlyContinue)
    $sent = @($uploads | Where-Object Status -EQ Uploaded)
    $failed = @($uploads | Where-Object Status -EQ Failed)
    # An error without a file: the folder, the journal or the service cannot be used.
    if ($problems -and -not $failed) { throw $problems[0] }
    Write-Log "Files sent: $($sent.Count), unchanged: $($uploads.Count - $sent.Count - $failed.Count), failed: $($failed.Count)."
    foreach ($file in $failed) { Write-Log "not sent: $($file.Path): $($file.Error.Message)" }
    if (-not ($uploads | Where-Object IsOnServer)) { exit ($failed.Count -gt 0 ? 1 : 0) }

    # -Force: what could be sent is ingested. Every item that failed is an error with the item as its target; they go to the log.
    $run = $uploads | Start-BulkIngest -Force -Connection $connection |
        Wait-Transaction -Timeout $Timeout -ErrorAction SilentlyContinue -ErrorVariable problems
    foreach ($problem in $problems) { Write-Log "not ingested: $problem" }
    Write-Log "$($run.Id) is $($run.Status): $($run.Completed) of $($run.Total) files."
    if (-not $run.IsTerminal -or $run.Status -eq 'Unknown') { exit 3 }
    # Finalizing deletes the mapping on the server, so it is left for a night on which nothing failed.
    if ($run.Status -ne 'Succeeded' -or $failed) {
        $null = Get-IngestMapping $Shortcode -OutFile $mapping -Connection $connection
        exit 1
    }

    # Saves the mapping, then deletes it on the server. On a night without a new file there is nothing to finalize.
    Complete-BulkIngest $Shortcode -MappingPath $mapping -Connection $connection -Confirm:$false -WarningAction SilentlyContinue
    if (Test-Path -LiteralPath $mapping) { Write-Log "Finalized. The mapping is in $mapping." }
    exit 0
}
catch {
    Write-Log "could not be run: $_"
    exit 2
}
