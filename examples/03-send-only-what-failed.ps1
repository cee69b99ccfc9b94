#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Sends a folder, sends again only what failed, then ingests, and ingests again only what was left over.

.DESCRIPTION
Each upload is tried several times by itself. What still fails is often a file that is being written, a lock held for long, or a server that
is down for minutes: this script waits, and sends just those files again.

.PARAMETER Folder
The folder; names on the server are relative to it.

.PARAMETER Shortcode
The project.

.PARAMETER Rounds
How often to send again.

.PARAMETER Pause
How long to wait before sending again.

.EXAMPLE
Start-IngestSandbox -Connect
./03-send-only-what-failed.ps1 -Folder ./scans -Shortcode 0001
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Shortcode,
    [int] $Rounds = 3,
    [timespan] $Pause = '00:01:00'
)

# The same line again sends what is missing: files that failed, and nothing else.
for ($round = 0; ; $round++) {
    $uploads = Send-IngestFile -LiteralPath $Folder -Recurse -Shortcode $Shortcode -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
    $failed = @($uploads | Where-Object Status -EQ Failed)
    if (-not ($failed | Where-Object { $_.Error.IsTransient }) -or $round -eq $Rounds) { break }
    Write-Warning "$($failed.Count) files failed; round $($round + 1) of $Rounds sends them again in $Pause."
    Start-Sleep $Pause
}

$failed | Select-Object Path, @{ Name = 'Why'; Expression = { $_.Error.Message } } | Out-Host

# -Force: what could be sent is ingested, although some files could not.
$run = $uploads | Start-BulkIngest -Force | Wait-Transaction -ErrorAction SilentlyContinue
if ($run.Status -eq 'PartlySucceeded') {
    Write-Warning 'Some files were left over on the server; a second run tries them again.'
    $run = Start-BulkIngest -Shortcode $Shortcode | Wait-Transaction -ErrorAction SilentlyContinue
}

Get-IngestMapping $Shortcode -Uploaded @($uploads | Where-Object IsOnServer) | Where-Object Ingested -EQ $false
