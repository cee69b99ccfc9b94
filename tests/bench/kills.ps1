#requires -Version 7.4
<#
.SYNOPSIS
Kills a load at many points and types the same line again: every file must be ingested exactly once.

.DESCRIPTION
A process of its own sends a folder to a sandbox, starts the bulk ingest, waits, saves the mapping and finalizes. It is
killed (SIGKILL) at a random moment of one of its steps, and the same script runs again, without being killed. Then the
sandbox is asked what it ingested, by name and SHA-256. The steps take turns; each point has a project of its own, and all
points share one journal. With -Pair, two processes run the script at once, and one of them is killed.

.PARAMETER Module
The manifest of the staged module.

.PARAMETER Points
How often a load is killed.

.PARAMETER Files
Files in the folder.

.PARAMETER Pair
Two processes type the same line at once.

.PARAMETER RestartServer
Starts the sandbox again, with what it had, between the kill and the second run.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Module,
    [int] $Points = 200,
    [int] $Files = 5000,
    [switch] $Pair,
    [switch] $RestartServer,
    [int] $Seed = 1
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3
. (Join-Path $PSScriptRoot '..' 'PowerShell.ps1')

$Module = (Resolve-Path -LiteralPath $Module).ProviderPath
$work = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ingesttools-kills-$PID")).FullName
$folder = (New-Item -ItemType Directory -Path (Join-Path $work 'scans')).FullName
$script = Join-Path $work 'load.ps1'
$random = [System.Random]::new($Seed)
$steps = 'enumeration', 'upload', 'start', 'ingest', 'mapping', 'finalize'

# What somebody runs each night. Each step is announced by a line, so that the kill can be aimed at it.
Set-Content -LiteralPath $script -Value @'
param([string] $Module, [string] $Folder, [string] $Shortcode, [string] $Work, [string] $Marks)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
function Mark([string] $Step) { [System.IO.File]::AppendAllText($Marks, "$Step`n") }
Import-Module $Module
$uri = $env:INGESTTOOLS_BENCH_URI
$credential = [pscredential]::new('root@example.com', (ConvertTo-SecureString 'test' -AsPlainText -Force))
Connect-IngestService DspIngest $uri -AuthenticationUri $uri -Credential $credential -NoProxy | Out-Null
Mark 'enumeration'
$uploads = Send-IngestFile $Folder -Recurse -Shortcode $Shortcode | ForEach-Object { if ($_) { $script:seen++; if ($seen -eq 1) { Mark 'upload' } }; $_ }
Mark 'start'
$started = $uploads | Start-BulkIngest
Mark 'ingest'
$started | Wait-Transaction -PollInterval 0.2 | Out-Null
Mark 'mapping'
$left = @(Get-IngestMapping -Shortcode $Shortcode -Uploaded $uploads | Where-Object -Not Ingested)
if ($left) { throw "$($left.Count) files are not ingested, $($left[0].Original) among them." }
Mark 'finalize'
$mapping = Join-Path $Work "mapping-$Shortcode-$PID.csv"
Complete-BulkIngest -Shortcode $Shortcode -MappingPath $mapping -Confirm:$false
Mark 'done'
'@

function Start-Load([string] $Shortcode, [string] $Marks) {
    $start = Get-PowerShell
    $info = [System.Diagnostics.ProcessStartInfo]::new($start.Program)
    foreach ($argument in @($start.Arguments) + '-NoProfile', '-NonInteractive', '-File', $script, '-Module', $Module, '-Folder', $folder, '-Shortcode', $Shortcode, '-Work', $work, '-Marks', $Marks) {
        $info.ArgumentList.Add($argument)
    }
    $info.RedirectStandardOutput = $true
    $info.RedirectStandardError = $true
    $process = [System.Diagnostics.Process]::Start($info)
    $output = $process.StandardOutput.ReadToEndAsync(), $process.StandardError.ReadToEndAsync()
    [pscustomobject]@{ Process = $process; Output = $output }
}

function Wait-Load($Load, [int] $Seconds = 300) {
    if (-not $Load.Process.WaitForExit($Seconds * 1000)) { $Load.Process.Kill($true); throw "A run had not ended after $Seconds s." }
    [pscustomobject]@{ Code = $Load.Process.ExitCode; Text = ($Load.Output | ForEach-Object { $_.Result }) -join "`n" }
}

# Waits for a step of the run, and then for a moment of it.
function Wait-Moment($Load, [string] $Marks, [string] $Step, [double] $Seconds) {
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not ((Test-Path -LiteralPath $Marks) -and (Get-Content -LiteralPath $Marks) -contains $Step)) {
        if ($Load.Process.HasExited -or $clock.Elapsed.TotalSeconds -gt 120) { return }
        [System.Threading.Thread]::Sleep(2)
    }
    [System.Threading.Thread]::Sleep([int]($Seconds * 1000))
}

function Get-Project([string] $Shortcode) { Invoke-RestMethod "$($env:INGESTTOOLS_BENCH_URI)/sandbox/dsp/projects/$Shortcode" -NoProxy }

$saved = @{}
foreach ($name in 'INGESTTOOLS_HOME', 'INGESTTOOLS_BENCH_URI') { $saved[$name] = [System.Environment]::GetEnvironmentVariable($name) }
Import-Module $Module
$failures = [System.Collections.Generic.List[string]]::new()
try {
    $env:INGESTTOOLS_HOME = Join-Path $work 'home'
    $data = Join-Path $work 'data'
    $sandbox = Start-IngestSandbox -DataPath $data
    $env:INGESTTOOLS_BENCH_URI = "$($sandbox.Uri)".TrimEnd('/')
    $hashes = @{}
    foreach ($i in 1..$Files) {
        $path = Join-Path $folder "box $($i % 20)" "page $i.txt"
        $null = New-Item -ItemType Directory -Force -Path (Split-Path $path)
        [System.IO.File]::WriteAllText($path, "page $i of $Files, $('x' * $random.Next(2000))")
        $hashes["box $($i % 20)/page $i.txt"] = (Get-FileHash -LiteralPath $path).Hash.ToLowerInvariant()
    }

    # One run that is left alone shows how long each step takes.
    $marks = Join-Path $work 'marks-0000.txt'
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $whole = Start-Load '0000' $marks
    $times = [ordered]@{}
    while (-not $whole.Process.HasExited) {
        if (Test-Path -LiteralPath $marks) { foreach ($step in Get-Content -LiteralPath $marks) { if (-not $times.Contains($step)) { $times[$step] = $clock.Elapsed.TotalSeconds } } }
        [System.Threading.Thread]::Sleep(2)
    }
    $end = Wait-Load $whole
    if ($end.Code -ne 0) { throw "The run that was left alone failed: $($end.Text)" }
    if (-not $times.Contains('done')) { $times['done'] = $clock.Elapsed.TotalSeconds }
    $lengths = @{}
    for ($i = 0; $i -lt $steps.Count; $i++) {
        $next = if ($i + 1 -lt $steps.Count) { $times[$steps[$i + 1]] } else { $times['done'] }
        $lengths[$steps[$i]] = [Math]::Max(0.02, $next - $times[$steps[$i]])
    }

    $repeated = 0
    $killed = 0
    $worst = 0
    for ($point = 1; $point -le $Points; $point++) {
        $shortcode = '{0:X4}' -f $point
        $step = $steps[($point - 1) % $steps.Count]
        $marks = Join-Path $work "marks-$shortcode.txt"
        $load = Start-Load $shortcode $marks
        $other = if ($Pair) { Start-Load $shortcode (Join-Path $work "marks-$shortcode-other.txt") }
        Wait-Moment $load $marks $step ($random.NextDouble() * $lengths[$step])
        if (-not $load.Process.HasExited) { $load.Process.Kill(); $killed++ }
        $null = Wait-Load $load
        if ($RestartServer) {
            Stop-IngestSandbox
            $sandbox = Start-IngestSandbox -DataPath $data -Port ([uri] $env:INGESTTOOLS_BENCH_URI).Port
        }
        if ($other) {
            $end = Wait-Load $other
            if ($end.Code -ne 0) { $failures.Add("point $point ($step), the other process: $($end.Text)") }
        }
        $again = Wait-Load (Start-Load $shortcode "$marks.again")
        if ($again.Code -ne 0) { $failures.Add("point $point ($step), the second run: $($again.Text)") }

        $histories = @{}
        foreach ($file in (Get-Project $shortcode).files) { $histories[$file.path] = $file }
        $wrong = @($hashes.Keys | Where-Object { -not $histories.ContainsKey($_) -or $histories[$_].ingests -ne 1 -or $histories[$_].ingestedSha256 -ne $hashes[$_] })
        if ($wrong) { $failures.Add("point $point ($step): $($wrong.Count) files were not ingested exactly once, '$($wrong[0])' among them: $($histories[$wrong[0]] | ConvertTo-Json -Compress)") }
        $uploads = ($histories.Values | Measure-Object uploads -Sum).Sum - $Files
        $repeated += $uploads
        $worst = [Math]::Max($worst, $uploads)
    }

    [pscustomobject]@{
        Points = $Points; Killed = $killed; Files = $Files; Pair = [bool] $Pair; RestartServer = [bool] $RestartServer
        Failures = $failures.Count; RepeatedUploads = $repeated; MostRepeatedAtOnePoint = $worst
    }
    $failures | ForEach-Object { Write-Warning $_ }
}
finally {
    Stop-IngestSandbox
    foreach ($name in $saved.Keys) { [System.Environment]::SetEnvironmentVariable($name, $saved[$name]) }
    Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction Ignore
}
if ($failures.Count) { throw "$($failures.Count) of $Points points failed." }
