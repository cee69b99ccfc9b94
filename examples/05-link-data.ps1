#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Links the data whose ids are in a file into an ICA project, and lists what was not linked.

.DESCRIPTION
The file has one id a line, or is a CSV with a column DataId or Id. It uses the connection that the session has. The Ids
of the batches are kept, so that the wait can be taken up again from another session: ICA has no list of batches.

.PARAMETER Path
The file.

.PARAMETER ProjectId
The project that the data is linked into.

.PARAMETER BatchPath
Where the batches' Ids are kept: a new file. By default its name has the time.

.PARAMETER ReportPath
Where what was not linked is listed: a new file. By default its name has the time.

.EXAMPLE
Start-IngestSandbox -Connect
1..60000 | ForEach-Object { 'fil.{0:x32}' -f $_ } | Set-Content ids.txt
./05-link-data.ps1 -Path ids.txt -ProjectId demo

.EXAMPLE
# later, elsewhere
Get-Content batches-20261126-023000.txt | Wait-Transaction
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $ProjectId,
    [string] $BatchPath = ('batches-{0:yyyyMMdd-HHmmss}.txt' -f (Get-Date)),
    [string] $ReportPath = ('not-linked-{0:yyyyMMdd-HHmmss}.csv' -f (Get-Date))
)

# The files of an earlier run are the only list of its batches, and are not written over. That is found out before a batch is started.
foreach ($new in $BatchPath, $ReportPath) {
    if (Test-Path -LiteralPath $new) { throw "'$new' exists. Give another name, or move it away." }
}

$file = (Resolve-Path -LiteralPath $Path).ProviderPath
$ids = $file -like '*.csv' ? { Import-Csv -LiteralPath $file } : { [System.IO.File]::ReadLines($file) }

# Each batch is written down as it starts, so that none is lost if the session is.
$null = New-Item -Path $BatchPath -ItemType File -ErrorAction Stop
$batches = & $ids | New-LinkingBatch -ProjectId $ProjectId | ForEach-Object { Add-Content -LiteralPath $BatchPath $_.Id; $_ }

$batches | Wait-Transaction -ErrorAction SilentlyContinue | Out-Host
$batches | Get-LinkingBatchItem | Where-Object Status -notin LINKED, ALREADY_LINKED | Select-Object DataId, Status, Reason |
    Tee-Object -Variable notLinked | Export-Csv -LiteralPath $ReportPath -NoClobber
"The batches' Ids are in $BatchPath."
"Not linked: $($notLinked.Count)$($notLinked ? "; see $ReportPath" : '')."
