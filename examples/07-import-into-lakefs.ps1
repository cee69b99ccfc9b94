#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Imports the prefixes of a table into a lakeFS branch as one commit, for a scheduled task: nobody is asked.

.DESCRIPTION
It uses the connection that the session has, or what lakectl has in its variables and its file. The table is a CSV with the
columns Source and Destination, such as:

    Source,Destination
    s3://bucket/sales/,sales/
    s3://bucket/stock/,stock/

What is under each destination is replaced. A destination without a slash at its end that would take siblings along is an
error here, since nobody is there to say yes.

Exit codes: 0 imported, 1 the import failed, 2 it was not started, 3 it is still running after the time given,
4 the answer to the start was lost: look at the branch before it is started again.

.PARAMETER Table
The CSV.

.PARAMETER Repository
The repository.

.PARAMETER Branch
The branch.

.PARAMETER Timeout
How long to wait for the end. The import continues after it.

.EXAMPLE
Start-IngestSandbox -Connect
'Source,Destination', 's3://bucket/prefix/,raw/' | Set-Content table.csv
./07-import-into-lakefs.ps1 -Table table.csv -Repository lake -Branch main
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Table,
    [Parameter(Mandatory)] [string] $Repository,
    [Parameter(Mandatory)] [string] $Branch,
    [timespan] $Timeout = '04:00:00'
)

$metadata = @{ table = (Get-FileHash -LiteralPath $Table).Hash; host = [System.Net.Dns]::GetHostName() }
$import = Import-Csv -LiteralPath $Table | Select-Object Source, Destination |
    Start-Import -Repository $Repository -Branch $Branch -Message "Import of $(Get-Date -Format yyyy-MM-dd)" -Metadata $metadata -ErrorVariable failed
if (-not $import) { exit ($failed.FullyQualifiedErrorId -like 'OutcomeUnknown,*' ? 4 : 2) }

# The Id finds the import again from anywhere, for a day.
Write-Host "Started $($import.Id)"
$ended = $import | Wait-Transaction -Timeout $Timeout
$ended | Format-List Id, Status, Completed, Elapsed, CommitId, Message | Out-Host
switch ($ended.Status) {
    'Succeeded' { exit 0 }
    { $_ -in 'Queued', 'Running' } { exit 3 }
    default { exit 1 }
}
