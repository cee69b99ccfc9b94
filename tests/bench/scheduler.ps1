#requires -Version 7.4
<#
.SYNOPSIS
Measures the scheduler with many schedules in its store.

.DESCRIPTION
Schedules are registered with the cmdlet, one after the other, and the daemon is started anew with all of them. Then it
idles; then many loads are due at once against a host that is slow, so that nearly all of them wait, while others become
due one after the other against another host: what counts is how late these begin. Needs Linux.

.PARAMETER Module
The manifest of the staged module.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Module,
    [int] $ScheduleCount = 10000,
    [int] $WaitingCount = 1000,
    [int] $DueCount = 200,
    [double] $DuePerSecond = 2,
    [int] $IdleSeconds = 60
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3
if (-not $IsLinux) { Write-Warning 'Nothing was measured: processes are looked at as Linux shows them.'; return }

$work = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ingesttools-scheduler-$PID")).FullName
$saved = $env:INGESTTOOLS_HOME, $env:INGESTTOOLS_SCHEDULER_SOCKET, $env:INGESTTOOLS_BENCH_SECRET
$env:INGESTTOOLS_HOME = "$work/home"
$env:INGESTTOOLS_BENCH_SECRET = 'test'
$Module = (Resolve-Path -LiteralPath $Module).ProviderPath
Import-Module $Module
$program = Join-Path (Split-Path $Module) 'scheduler' 'ingest-scheduler.dll'
$folder = (New-Item -ItemType Directory -Path "$work/scheduler").FullName
[System.IO.File]::SetUnixFileMode($folder, 'UserRead, UserWrite, UserExecute')
$env:INGESTTOOLS_SCHEDULER_SOCKET = "$folder/control.sock"
$daemon = $null
$rows = [System.Collections.Generic.List[object]]::new()

function Start-Daemon {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    # With the environment that Start-IngestScheduler and the service unit give it.
    $thrift = @{ DOTNET_GCgen0size = '200000'; MALLOC_ARENA_MAX = '1' }
    $script:daemon = Start-Process dotnet -PassThru -RedirectStandardError "$work/scheduler.log" -Environment $thrift -ArgumentList @(
        $program, 'run', '--store', $folder, '--poll-interval', '0.1')
    while (-not (Get-IngestScheduler).IsRunning) {
        if ($daemon.HasExited) { throw (Get-Content "$work/scheduler.log" -Raw) }
        Start-Sleep -Milliseconds 20
    }
    $watch.Elapsed.TotalSeconds
}

function Get-PeakMiB {
    $line = Get-Content "/proc/$($daemon.Id)/status" | Where-Object { $_ -like 'VmHWM:*' }
    [int]($line -replace '\D') / 1024
}

function Get-ResidentMiB {
    $line = Get-Content "/proc/$($daemon.Id)/status" | Where-Object { $_ -like 'VmRSS:*' }
    [int]($line -replace '\D') / 1024
}

function Add-Row([string] $What, [double] $Value, [string] $Bar) {
    $rows.Add([pscustomobject]@{ What = $What; Measured = [Math]::Round($Value, 2); Bar = $Bar })
    Write-Host ('  {0,-60}{1,8:0.00}   {2}' -f $What, $Value, $Bar)
}

try {
    $sandbox = Start-IngestSandbox
    $login = @{ Service = 'DspIngest'; UserName = 'root@example.com'; SecretFrom = 'env:INGESTTOOLS_BENCH_SECRET'; NoProxy = $true; Save = $true }
    $slowUri = $sandbox.Uri
    $quickUri = [uri]"http://localhost:$($sandbox.Uri.Port)"
    Connect-IngestService -Name slow -Uri $slowUri -AuthenticationUri $slowUri @login | Disconnect-IngestService
    Connect-IngestService -Name quick -Uri $quickUri -AuthenticationUri $quickUri @login | Disconnect-IngestService
    $files = (New-Item -ItemType Directory -Path "$work/files").FullName
    Set-Content "$files/one.txt" 'one'
    $many = (New-Item -ItemType Directory -Path "$work/many").FullName
    1..200 | ForEach-Object { Set-Content "$many/$_.txt" $_ }

    $null = Start-Daemon
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    for ($i = 0; $i -lt $ScheduleCount; $i++) {
        $null = Register-BulkLoadSchedule -Name "schedule $i" -Path $files -Shortcode 0001 -Cron '0 3 1 1 *' -TimeZone UTC -Connection quick
    }
    Add-Row 'registrations a second' ($ScheduleCount / $watch.Elapsed.TotalSeconds) 'at least 200'
    Add-Row 'memory after registration, MiB' (Get-ResidentMiB) 'under 150'
    Add-Row 'peak memory while registering, MiB' (Get-PeakMiB) 'under 150'

    Stop-IngestScheduler
    $daemon.WaitForExit()
    Add-Row "start with $ScheduleCount schedules, s" (Start-Daemon) 'at most 5'
    $before = (Get-Process -Id $daemon.Id).TotalProcessorTime
    Start-Sleep -Seconds $IdleSeconds
    Add-Row 'idle CPU, %' (100 * ((Get-Process -Id $daemon.Id).TotalProcessorTime - $before).TotalSeconds / $IdleSeconds) 'under 1'
    Add-Row 'memory after start, MiB' (Get-ResidentMiB) 'under 150'

    # The many are due at once, a while after the last is registered; the others one after the other after that.
    $at = [datetimeoffset]::UtcNow.AddSeconds(20 + ($WaitingCount + $DueCount) / 50)
    for ($i = 0; $i -lt $WaitingCount; $i++) {
        $null = Register-BulkLoadSchedule -Name "waiting $i" -Path $many -Shortcode ('{0:X4}' -f $i) -At $at -Connection slow
    }
    for ($i = 0; $i -lt $DueCount; $i++) {
        $null = Register-BulkLoadSchedule -Name "due $i" -Path $files -Shortcode ('{0:X4}' -f (0x8000 + $i)) -At $at.AddSeconds(2 + $i / $DuePerSecond) -Connection quick
    }
    # Only now, since a registration asks the server whether it would take the load.
    $slow = ConvertTo-Json @('latency=5s,GET /projects/0*/bulk-ingest/mapping.csv')
    $null = Invoke-RestMethod -Method Post -Uri "$($slowUri)sandbox/faults" -Body $slow -ContentType application/json -NoProxy
    $left = $at - [datetimeoffset]::UtcNow
    if ($left -lt [timespan]::Zero) { throw "The machine is too slow: registering took $(-$left) longer than planned." }
    Start-Sleep -Duration $left
    $waiting = [System.Collections.Generic.List[int]]::new()
    $end = $at.AddSeconds(5 + $DueCount / $DuePerSecond)
    while ([datetimeoffset]::UtcNow -lt $end) {
        Start-Sleep -Seconds 5
        $waiting.Add(@(Get-BulkLoadRun "waiting *" -Status Planned -Newest $WaitingCount).Count)
    }
    while (@(Get-BulkLoadRun 'due *' -Newest $DueCount | Where-Object { $null -eq $_.StartedAt }).Count -gt 0) { Start-Sleep -Seconds 1 }
    $late = @(Get-BulkLoadRun 'due *' -Newest $DueCount | ForEach-Object { $_.Late.TotalSeconds } | Sort-Object)
    if ($late.Count -ne $DueCount) { throw "There are $($late.Count) runs, not $DueCount." }
    Add-Row 'loads that waited meanwhile, at least' ($waiting | Measure-Object -Minimum).Minimum ''
    Add-Row 'late, median, s' $late[[int][Math]::Floor($DueCount * 0.5)] ''
    Add-Row 'late, p99, s' $late[[int][Math]::Ceiling($DueCount * 0.99) - 1] 'at most 1'
    Add-Row 'late, the latest, s' $late[-1] ''
    Add-Row 'memory, MiB' (Get-ResidentMiB) 'under 150'
    Add-Row 'peak memory since its start, MiB' (Get-PeakMiB) 'under 150'
    Get-BulkLoadRun 'due *' | Group-Object Status -NoElement | Format-Table | Out-String | Write-Host
    $rows | Format-Table | Out-String | Write-Host
}
finally {
    if ($daemon -and -not $daemon.HasExited) { $daemon.Kill(); $daemon.WaitForExit() }
    Stop-IngestSandbox
    $env:INGESTTOOLS_HOME, $env:INGESTTOOLS_SCHEDULER_SOCKET, $env:INGESTTOOLS_BENCH_SECRET = $saved
    Remove-Item -LiteralPath $work -Recurse -Force
}
