#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Sends what is new in a folder to a DSP project, ingests it, saves the mapping, and lists what was left over.

.DESCRIPTION
It uses the connection that the session has. Run it as often as you like: it sends what is new or changed, and continues
after an interruption. Nothing is finalized: look at the result first, then run
Complete-BulkIngest <Shortcode> -MappingPath <file>.

.PARAMETER Folder
The folder; names on the server are relative to it.

.PARAMETER Shortcode
The project.

.PARAMETER MappingPath
Where the mapping is saved; not in the folder, or the next run would send it. A file that is there is not overwritten. By
default, a name with the time of the run.

.EXAMPLE
Start-IngestSandbox -Connect
./02-ingest-a-folder.ps1 -Folder ./scans -Shortcode 0001
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Shortcode,
    [string] $MappingPath = ('mapping-{0}-{1:yyyyMMdd-HHmmss}.csv' -f $Shortcode, (Get-Date))
)

# What was sent before and has not changed is skipped, so after Ctrl+C or a failure the same line continues.
$uploads = Send-IngestFile -LiteralPath $Folder -Recurse -Shortcode $Shortcode
$uploads | Group-Object Status, Reason -NoElement | Out-Host

# If one file failed, nothing is started: Start-BulkIngest says so, and the errors above say why.
$run = $uploads | Start-BulkIngest | Wait-Transaction
if (-not $run) { return }
$run | Out-Host

$rows = Get-IngestMapping $Shortcode -Uploaded $uploads
$rows | Export-Csv -LiteralPath $MappingPath -NoClobber
$rows | Where-Object Ingested -EQ $false
