#requires -Version 7.4
<#
.SYNOPSIS
Compares Send-IngestFile with curl, and with a loop of Invoke-RestMethod.

.DESCRIPTION
All of them send the same files to the same server, in turn, so what the machine does otherwise strikes all alike. The
server costs next to nothing, so what is measured is the client. A figure is the median of the rounds; what counts are the
ratios, printed last, each with its bar. PowerShell's own start and the import of the module are measured too, and taken off.
Each call begins with an empty journal, and is measured with -NoJournal too. One more call finds all files sent.

How much memory a process takes before its first collection depends on the processor's cache. So memory is measured in calls
of its own, with generation 0 limited to 4 MiB (DOTNET_GCgen0size), and is compared between few files and many.

Needs Linux, curl, openssl and a C compiler; without them it says so and measures nothing.

.PARAMETER Module
The manifest of the staged module.

.PARAMETER Rounds
How often each is measured, after a first round that warms up.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Module,
    [ValidateRange(1, 99)] [int] $Rounds = 5,
    [int] $FileCount = 10000,
    [int] $FileSize = 4096,
    [int] $ManyFileCount = 100000,
    [int] $BigFileMiB = 1024,
    [int] $ThrottleLimit = 16,
    [int] $SlowFileCount = 2000,
    [int] $SlowMilliseconds = 20
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-StrictMode -Version 3
. (Join-Path $PSScriptRoot '..' 'PowerShell.ps1')

if (-not $IsLinux) { Write-Warning 'Nothing was measured: the server that uploads are measured against runs on Linux only.'; return }
$compiler = Get-Command cc, gcc, clang -CommandType Application -ErrorAction Ignore | Select-Object -First 1
$curl = Get-Command curl -CommandType Application -ErrorAction Ignore | Select-Object -First 1
$openssl = Get-Command openssl -CommandType Application -ErrorAction Ignore | Select-Object -First 1
if (-not $compiler -or -not $curl -or -not $openssl) { Write-Warning 'Nothing was measured: that needs curl, openssl and a C compiler (cc).'; return }

$start = Get-PowerShell
$pwsh = @($start.Program) + $start.Arguments
$manifest = (Resolve-Path -LiteralPath $Module).ProviderPath
$work = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ingesttools-bench-$PID")).FullName
$saved = $env:INGESTTOOLS_HOME, $env:POWERSHELL_TELEMETRY_OPTOUT
$sinks = @()

# Starts the server; it ends with its standard input.
function Start-Sink([int] $DelayMilliseconds) {
    $start = [System.Diagnostics.ProcessStartInfo]::new("$work/upload-sink", "$DelayMilliseconds")
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    $process = [System.Diagnostics.Process]::Start($start)
    [pscustomobject]@{ Process = $process; Uri = "http://127.0.0.1:$($process.StandardOutput.ReadLine())" }
}

# The time and memory of one command; it must have made that many uploads.
function Measure-Upload($Sink, [int] $Uploads, [string[]] $Command, [switch] $KeepJournal, [switch] $Memory) {
    if (-not $KeepJournal) { Remove-Item "$work/home/journal.db*" -ErrorAction Ignore }
    $null = Invoke-RestMethod "$($Sink.Uri)/take" -NoProxy
    $env:DOTNET_GCgen0size = $Memory ? '400000' : $null
    try { & "$work/measure" "$work/measured" @Command } finally { $env:DOTNET_GCgen0size = $null }
    $seen = Invoke-RestMethod "$($Sink.Uri)/take" -NoProxy
    if ($seen -ne $Uploads) { throw "The server saw $seen uploads, not $Uploads, of: $Command" }
    $wall, $cpu, $peak = (Get-Content "$work/measured") -split ' '
    [pscustomobject]@{ Wall = [double]$wall; Cpu = [double]$cpu; Memory = [double]$peak }
}

function Get-Median([double[]] $Values) {
    $sorted = @($Values | Sort-Object)
    $sorted[[Math]::Floor(($sorted.Count - 1) / 2)]
}

try {
    & $compiler.Source -O2 -o "$work/upload-sink" "$PSScriptRoot/upload-sink.c"
    & $compiler.Source -O2 -o "$work/measure" "$PSScriptRoot/measure.c"
    $env:INGESTTOOLS_HOME = "$work/home"
    $env:POWERSHELL_TELEMETRY_OPTOUT = '1'

    Write-Host "Making $FileCount and $ManyFileCount files of $FileSize bytes and one of $BigFileMiB MiB in $work"
    $small = (New-Item -ItemType Directory -Path "$work/small").FullName
    $slow = (New-Item -ItemType Directory -Path "$work/slow").FullName
    $bytes = [byte[]]::new($FileSize)
    for ($i = 0; $i -lt $FileCount; $i++) {
        [Random]::Shared.NextBytes($bytes)
        $name = "f$($i.ToString('0000000')).tif"
        [System.IO.File]::WriteAllBytes("$small/$name", $bytes)
        if ($i -lt $SlowFileCount) { [System.IO.File]::WriteAllBytes("$slow/$name", $bytes) }
    }
    $many = (New-Item -ItemType Directory -Path "$work/many").FullName
    for ($i = 0; $i -lt $ManyFileCount; $i++) { [System.IO.File]::WriteAllBytes("$many/f$($i.ToString('0000000')).tif", $bytes) }
    $block = [byte[]]::new(1MB)
    $stream = [System.IO.File]::Create("$work/big.tif")
    try { for ($i = 0; $i -lt $BigFileMiB; $i++) { $stream.Write($block) } } finally { $stream.Dispose() }

    $sink = Start-Sink 0
    $sinks += $sink
    $slowSink = Start-Sink $SlowMilliseconds
    $sinks += $slowSink
    $uploads = "$($sink.Uri)/projects/0001/bulk-ingest/ingest/"
    $byCurl = 'curl', '-sS', '--no-progress-meter', '-o', '/dev/null', '-X', 'POST'
    $byCurl += '-H', 'Expect:', '-H', 'Content-Type: application/octet-stream'
    $range = "$small/f[0000000-$(($FileCount - 1).ToString('0000000'))].tif"
    $manyRange = "$many/f[0000000-$(($ManyFileCount - 1).ToString('0000000'))].tif"
    $ours = {
        param($Uri, $Then)
        $pwsh + '-NoProfile', '-Command', @"
            `$ErrorActionPreference = 'Stop'
            Import-Module '$manifest'
            `$token = ConvertTo-SecureString token -AsPlainText -Force
            `$null = Connect-IngestService -Service DspIngest -Uri $Uri -Token `$token -NoCheck
            $Then
"@
    }
    $loopCount = [Math]::Min(1000, $FileCount)
    $loop = @"
        Get-ChildItem '$small' | Select-Object -First $loopCount | ForEach-Object {
            `$upload = @{ Uri = '$uploads' + `$_.Name; InFile = `$_.FullName; ContentType = 'application/octet-stream' }
            `$null = Invoke-RestMethod -Method Post @upload
        }
"@
    $parallel = '-Z', '--parallel-immediate', '--parallel-max', "$ThrottleLimit"
    $send = { param($Path, $More) "Send-IngestFile '$Path' -Shortcode 0001 -ThrottleLimit $ThrottleLimit $More | Out-Null" }
    $loads = [ordered]@{
        'pwsh and module'         = $sink, 0, (& $ours $sink.Uri '')
        'small: curl'             = $sink, $FileCount, ($byCurl + $parallel + '-T', $range, $uploads)
        'small: Send-IngestFile'  = $sink, $FileCount, (& $ours $sink.Uri (& $send $small))
        'small: all skipped'      = $sink, 0, (& $ours $sink.Uri (& $send $small '-WarningAction Ignore'))
        'small: -NoJournal'       = $sink, $FileCount, (& $ours $sink.Uri (& $send $small '-NoJournal'))
        'many: curl'              = $sink, $ManyFileCount, ($byCurl + $parallel + '-T', $manyRange, $uploads)
        'many: -NoJournal'        = $sink, $ManyFileCount, (& $ours $sink.Uri (& $send $many '-NoJournal'))
        'many: Send-IngestFile'   = $sink, $ManyFileCount, (& $ours $sink.Uri (& $send $many))
        'many: all skipped'       = $sink, 0, (& $ours $sink.Uri (& $send $many '-WarningAction Ignore'))
        'loop: Invoke-RestMethod' = $sink, $loopCount, ($pwsh + '-NoProfile', '-Command', $loop)
        'big: curl'               = $sink, 1, ($byCurl + '-T', "$work/big.tif", $uploads)
        'big: openssl'            = $sink, 0, ($openssl.Source, 'dgst', '-sha256', "$work/big.tif")
        'big: Send-IngestFile'    = $sink, 1, (& $ours $sink.Uri (& $send "$work/big.tif"))
        'slow: Send-IngestFile'   = $slowSink, $SlowFileCount, (& $ours $slowSink.Uri (& $send $slow))
        'memory: pwsh and module' = $sink, 0, (& $ours $sink.Uri '')
        'memory: small'           = $sink, $FileCount, (& $ours $sink.Uri (& $send $small))
        'memory: many'            = $sink, $ManyFileCount, (& $ours $sink.Uri (& $send $many))
        'memory: many, skipped'   = $sink, 0, (& $ours $sink.Uri (& $send $many '-WarningAction Ignore'))
        'memory: big'             = $sink, 1, (& $ours $sink.Uri (& $send "$work/big.tif"))
    }

    $measured = @{}
    for ($round = 0; $round -le $Rounds; $round++) {
        Write-Host ($round -eq 0 ? 'Warming up' : "Round $round of $Rounds")
        foreach ($name in $loads.Keys) {
            $load = $loads[$name]
            $result = Measure-Upload @load -KeepJournal:($name -like '*skipped') -Memory:($name -like 'memory:*')
            if ($round -gt 0) { $measured[$name] = @($measured[$name]) + $result }
        }
    }
    $median = @{}
    foreach ($name in $loads.Keys) {
        $runs = $measured[$name] | Where-Object { $_ }
        $median[$name] = [pscustomobject]@{
            What      = $name
            Wall      = Get-Median $runs.Wall
            Cpu       = Get-Median $runs.Cpu
            MemoryMiB = [Math]::Round((Get-Median $runs.Memory) / 1024)
        }
    }

    $loads.Keys | ForEach-Object { $median[$_] } | Format-Table | Out-String | Write-Host
    $bare = $median['pwsh and module']
    $small, $big, $slow = 'small', 'big', 'slow' | ForEach-Object { $median["${_}: Send-IngestFile"] }
    $without = $median['small: -NoJournal']
    $manyFiles, $manyWithout, $manySkipped = 'Send-IngestFile', '-NoJournal', 'all skipped' | ForEach-Object { $median["many: $_"] }
    $peak = { param($Name) $median["memory: $Name"].MemoryMiB - $median['memory: pwsh and module'].MemoryMiB }
    $loopRate = $loopCount / ($median['loop: Invoke-RestMethod'].Wall - $bare.Wall)
    $ideal = $SlowFileCount * $SlowMilliseconds / 1000 / $ThrottleLimit
    $rows = @(
        'small files, wall / curl', (($small.Wall - $bare.Wall) / $median['small: curl'].Wall), 'at most 1.50'
        'small files, CPU / curl', (($small.Cpu - $bare.Cpu) / $median['small: curl'].Cpu), 'at most 2.00'
        'small files, files a second / Invoke-RestMethod', ($FileCount / ($small.Wall - $bare.Wall) / $loopRate), 'at least 15'
        'small files, wall with / without the journal', (($small.Wall - $bare.Wall) / ($without.Wall - $bare.Wall)), 'at most 1.08'
        'small files, all skipped, files a second', ($FileCount / ($median['small: all skipped'].Wall - $bare.Wall)), ''
        'many files, wall / curl', (($manyFiles.Wall - $bare.Wall) / $median['many: curl'].Wall), 'at most 1.00'
        'many files, CPU / curl', (($manyFiles.Cpu - $bare.Cpu) / $median['many: curl'].Cpu), 'at most 1.30'
        'many files, wall with / without the journal', (($manyFiles.Wall - $bare.Wall) / ($manyWithout.Wall - $bare.Wall)), 'at most 1.04'
        'many files, all skipped, files a second', ($ManyFileCount / ($manySkipped.Wall - $bare.Wall)), 'at least 100,000'
        'one big file, CPU / curl and openssl', (($big.Cpu - $bare.Cpu) / ($median['big: curl'].Cpu + $median['big: openssl'].Cpu)), 'at most 1.00'
        "$SlowMilliseconds ms an answer, wall / ideal", (($slow.Wall - $bare.Wall) / $ideal), 'at most 1.15'
        'small files, peak memory, MiB', (& $peak 'small'), 'at most 60'
        'many files, peak memory, MiB', (& $peak 'many'), 'at most 60'
        'many files, all skipped, peak memory, MiB', (& $peak 'many, skipped'), 'at most 60'
        'one big file, peak memory, MiB', (& $peak 'big'), 'at most 60'
    )
    Write-Host "Send-IngestFile, over 'pwsh and module':"
    for ($i = 0; $i -lt $rows.Count; $i += 3) { Write-Host ('  {0,-50}{1,8:0.00}   {2}' -f $rows[$i], $rows[$i + 1], $rows[$i + 2]) }
}
finally {
    foreach ($sink in $sinks) { $sink.Process.StandardInput.Close(); $sink.Process.WaitForExit(); $sink.Process.Dispose() }
    $env:INGESTTOOLS_HOME, $env:POWERSHELL_TELEMETRY_OPTOUT = $saved
    Remove-Item -LiteralPath $work -Recurse -Force
}
