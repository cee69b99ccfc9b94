#requires -Version 7.4
<#
.SYNOPSIS
Measures the journal alone, without a server.

.DESCRIPTION
Records files in a journal of its own, looks all of them up, and prints the figures. Each opening is measured in a process
of its own: cold is the first journal of a process, warm the second. A figure is the median of the rounds.

.PARAMETER Module
The manifest of the staged module.

.PARAMETER FileCount
How many files are recorded and looked up.

.PARAMETER Rounds
How often each is measured.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Module,
    [ValidateRange(1, 100000000)] [int] $FileCount = 1000000,
    [ValidateRange(1, 99)] [int] $Rounds = 3
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-StrictMode -Version 3

. (Join-Path $PSScriptRoot '..' 'PowerShell.ps1')
$manifest = (Resolve-Path -LiteralPath $Module).ProviderPath
$core = Join-Path (Split-Path -Parent $manifest) 'module' 'bin' 'core' 'IngestTools.Core.dll'
$work = (New-Item -ItemType Directory -Path (Join-Path ([System.IO.Path]::GetTempPath()) "ingesttools-bench-$PID")).FullName

# One process: opens the journal twice, records, and looks up.
$child = {
    param($manifest, $core, $database, [int] $count)
    Import-Module $manifest
    # The first cmdlet that works has Core loaded, as a user's has.
    $null = Get-IngestConnection
    Add-Type -IgnoreWarnings -WarningAction SilentlyContinue -ReferencedAssemblies $core -TypeDefinition @'
using System;
using System.Diagnostics;
using System.Threading.Tasks;
using IngestTools;
using IngestTools.Journal;

public static class JournalBench
{
    private static readonly JournalPlace Place = new JournalPlace(IngestService.DspIngest, "http://127.0.0.1:1/", "0001");

    public static double Open(string path)
    {
        Stopwatch clock = Stopwatch.StartNew();
        using (IIngestJournal journal = IngestJournal.Open(path))
            journal.ReadJobs(new JobQuery { Last = 1 });
        return clock.Elapsed.TotalMilliseconds;
    }

    public static double Record(string path, int count)
    {
        Stopwatch clock = Stopwatch.StartNew();
        using (IIngestJournal journal = IngestJournal.Open(path))
        using (IUploadJob job = journal.BeginJob(Place, "bench", null))
        {
            for (int i = 0; i < count; i++)
            {
                ValueTask recorded = job.RecordAsync(FileOf(i), 4096);
                if (!recorded.IsCompleted)
                    recorded.AsTask().GetAwaiter().GetResult();
            }

            job.CompleteAsync(IngestJobStatus.Completed).GetAwaiter().GetResult();
            if (job.Failure != null)
                throw job.Failure;
        }

        return clock.Elapsed.TotalSeconds;
    }

    public static double Find(string path, int count)
    {
        Stopwatch clock = Stopwatch.StartNew();
        using (IIngestJournal journal = IngestJournal.Open(path))
        using (IPlaceJournal place = journal.OpenPlace(Place))
        {
            for (int i = 0; i < count; i++)
            {
                if (place.Find(NameOf(i)) == null)
                    throw new InvalidOperationException(NameOf(i));
            }
        }

        return clock.Elapsed.TotalSeconds;
    }

    private static string NameOf(int i) => $"box {i / 1000:D5}/scan-{i:D8}.tif";

    private static JournaledFile FileOf(int i)
    {
        string hash = (i * 2654435761L).ToString("x16");
        return new JournaledFile
        {
            Name = NameOf(i), Path = "/data/scans/" + NameOf(i), Length = 4096 + i, LastWriteTime = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(i),
            Sha256 = hash + hash + hash + hash, State = FileState.Sent,
        };
    }
}
'@
    $cold = [JournalBench]::Open($database)
    $warm = [JournalBench]::Open($database)
    $record = [JournalBench]::Record($database, $count)
    $bytes = (Get-Item -LiteralPath $database).Length / $count
    $again = [JournalBench]::Record($database, $count)
    $find = [JournalBench]::Find($database, $count)
    $cold, $warm, $record, $bytes, $again, $find -join ' '
}

function Get-Median([double[]] $Number) { ($Number | Sort-Object)[[int][Math]::Floor($Number.Count / 2)] }

try {
    $saved = $env:INGESTTOOLS_HOME
    $env:INGESTTOOLS_HOME = $work
    $rows = foreach ($round in 1..$Rounds) {
        $database = Join-Path $work "round-$round" 'journal.db'
        $cold, $warm, $record, $bytes, $again, $find = (Invoke-PowerShell -NoProfile -NonInteractive -Command $child -args $manifest, $core, $database, $FileCount) -split ' '
        [pscustomobject]@{
            Cold = [double] $cold; Warm = [double] $warm; Record = [double] $record; Again = [double] $again; Find = [double] $find
            Bytes = [double] $bytes
        }
        Remove-Item -LiteralPath (Split-Path -Parent $database) -Recurse
    }
    ([ordered]@{
        'open, cold'                    = '{0:N0} ms' -f (Get-Median $rows.Cold)
        'open, warm'                    = '{0:N1} ms' -f (Get-Median $rows.Warm)
        'record new files'              = '{0:N0} a second' -f ($FileCount / (Get-Median $rows.Record))
        'record files of an older job'  = '{0:N0} a second' -f ($FileCount / (Get-Median $rows.Again))
        'look up'                       = '{0:N1} us each' -f ((Get-Median $rows.Find) / $FileCount * 1e6)
        'size'                          = '{0:N0} bytes a file' -f (Get-Median $rows.Bytes)
    }).GetEnumerator() | ForEach-Object { '{0,-32} {1}' -f $_.Key, $_.Value }
}
finally {
    $env:INGESTTOOLS_HOME = $saved
    Remove-Item -LiteralPath $work -Recurse -Force
}
