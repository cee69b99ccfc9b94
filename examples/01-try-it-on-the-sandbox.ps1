#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
A load from beginning to end, against a server on this machine. Nothing leaves it.

.EXAMPLE
./01-try-it-on-the-sandbox.ps1
#>
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'

# A folder of files such as an archive has: subfolders, umlauts, commas.
$folder = New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ingesttools-example-$PID")
$scans = Join-Path $folder 'scans'
foreach ($name in 'box 1/letter, page 1.tif', 'box 1/letter, page 2.tif', 'box 2/Überblick.pdf', 'index.csv') {
    $path = Join-Path $scans $name
    $null = New-Item -ItemType Directory -Force -Path (Split-Path $path)
    Set-Content -LiteralPath $path -Value "This is $name."
}

$sandbox = Start-IngestSandbox -Connect
try {
    $uploads = Get-ChildItem $scans -Recurse -File | Send-IngestFile -Shortcode 0001 -BasePath $scans
    $uploads | Format-Table

    $uploads | Start-BulkIngest | Wait-Transaction | Format-Table

    # The mapping lies beside the folder that is sent, not in it.
    $mapping = Join-Path $folder 'mapping.csv'
    Get-IngestMapping 0001 -Uploaded $uploads -Verify | Format-Table Original, Derivative, Ingested, Verified
    Complete-BulkIngest 0001 -MappingPath $mapping -Confirm:$false
    Get-Content $mapping
}
finally {
    $sandbox | Stop-IngestSandbox
    Remove-Item $folder -Recurse
}
