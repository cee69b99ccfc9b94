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

# What became of each file, by its name on the server; a later result replaces an earlier one.
$results = @{}
function Save-Result { process { $results[$_.RemoteName] = $_ } }

Send-IngestFile -LiteralPath $Folder -Recurse -Shortcode $Shortcode -ErrorAction SilentlyContinue | Save-Result
for ($round = 1; $round -le $Rounds; $round++) {
    $failed = @($results.Values | Where-Object { $_.Status -eq 'Failed' -and $_.Error.IsTransient })
    if (-not $failed) { break }
    Write-Warning "$($failed.Count) files failed; round $round of $Rounds sends them again in $Pause."
    Start-Sleep $Pause
    $failed | Send-IngestFile -ErrorAction SilentlyContinue | Save-Result
}

$lost = @($results.Values | Where-Object Status -EQ Failed)
$lost | Select-Object Path, @{ Name = 'Why'; Expression = { $_.Error.Message } } | Out-Host

# -Force: what could be sent is ingested, although some files could not.
$uploads = @($results.Values | Where-Object Status -EQ Uploaded)
$run = $uploads | Start-BulkIngest -Force | Wait-Transaction -ErrorAction SilentlyContinue
if ($run.Status -eq 'PartlySucceeded') {
    Write-Warning 'Some files were left over on the server; a second run tries them again.'
    $run = Start-BulkIngest -Shortcode $Shortcode | Wait-Transaction -ErrorAction SilentlyContinue
}

Get-IngestMapping $Shortcode -Uploaded $uploads | Where-Object Ingested -EQ $false
