Describe 'Export-IngestReport' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Clear-IngestJournal -Confirm:$false
        $folder = Join-Path $TestDrive scans
        1..3 | ForEach-Object { $null = New-Item -Path (Join-Path $folder "$_.tif") -Value "scan $_" -Force }
        $null = New-Item -Path (Join-Path $folder 'draft#1.tif') -Value 'refused'
        $sent = Send-IngestFile $folder -Recurse -Shortcode 0001 -ErrorAction SilentlyContinue
        $job = Get-IngestJob -Last 1
        $id = 'Rejected,IngestTools.PowerShell.Commands.ExportIngestReportCommand'
    }

    AfterAll {
        Clear-IngestJournal -Confirm:$false
        Stop-IngestSandbox
    }

    BeforeEach { Push-Location (New-Item -ItemType Directory -Path (Join-Path $TestDrive ([guid]::NewGuid()))) }
    AfterEach { Pop-Location }

    It 'writes each format, and nothing into the pipeline' -ForEach @(
        @{ Name = 'report.html'; Has = '<!DOCTYPE html>' }
        @{ Name = 'report.json'; Has = '"Title": "Scans"' }
        @{ Name = 'report.jsonl'; Has = '"RemoteName":"1.tif"' }
        @{ Name = 'REPORT.CSV'; Has = 'Kind,Outcome,Status' }
    ) {
        $sent | Export-IngestReport $Name -Title Scans | Should -BeNullOrEmpty
        Get-Content $Name -Raw | Should -BeLike "*$Has*"
        (Get-ChildItem -Force).Name | Should -Be $Name
    }

    It 'writes the file as an object with -PassThru' {
        $file = $sent | Export-IngestReport report.csv -PassThru
        $file | Should -BeOfType System.IO.FileInfo
        $file.PSPath | Should -Be (Get-Item report.csv).PSPath
    }

    It 'takes the results of a job, by -Job and from the pipeline' {
        Export-IngestReport one.jsonl -Job $job.Id
        $job | Export-IngestReport other.jsonl
        Get-Content other.jsonl | Should -Be (Get-Content one.jsonl)
        $rows = Get-Content one.jsonl | ConvertFrom-Json
        ($rows | Where-Object Kind -EQ Job).Uploaded | Should -Be 3
        ($rows | Where-Object Kind -EQ Upload).RemoteName | Sort-Object | Should -Be '1.tif', '2.tif', '3.tif', 'draft#1.tif'
        ($rows | Where-Object Status -EQ Failed).ErrorId | Should -Be 'NameRejected'
    }

    It 'takes any mix' {
        $ended = $sent | Start-BulkIngest -Force -WarningAction SilentlyContinue | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue
        $item, $run = @(
            @{ Type = 'LinkingBatchItem'; With = @{ ProjectId = 'p'; BatchId = 'b'; DataId = 'fil.1'; Status = 'LINKED' } }
            @{ Type = 'BulkLoadRun'; With = @{ Id = 'run:1'; Name = 'nightly'; Status = 'Missed' } }
        ) | ForEach-Object {
            $type = $sent[0].GetType().Assembly.GetType("IngestTools.$($_.Type)")
            [System.Management.Automation.LanguagePrimitives]::ConvertTo($_.With, $type)
        }
        $mapping = Get-IngestMapping -Uploaded $sent
        $sent, $ended, $mapping, $item, $run | Write-Output | Export-IngestReport report.csv
        (Import-Csv report.csv).Kind | Sort-Object -Unique | Should -Be 'LinkingItem', 'Mapping', 'Run', 'Transaction', 'Upload'
    }

    It 'writes results that Send-IngestFile takes back' {
        $sent | Export-IngestReport report.jsonl
        $failed = Get-Content report.jsonl | ConvertFrom-Json | Where-Object Status -EQ Failed
        $again = $failed | Send-IngestFile -ErrorAction SilentlyContinue
        $again.RemoteName | Should -Be 'draft#1.tif'
    }

    It 'takes results that were read from a file' {
        $sent | Export-Clixml sent.xml
        Import-Clixml sent.xml | Export-IngestReport report.csv
        (Import-Csv report.csv).RemoteName | Sort-Object | Should -Be ($sent.RemoteName | Sort-Object)
    }

    It 'sets an earlier file of other content aside, and says so' {
        Set-Content report.csv 'mine'
        $sent | Export-IngestReport report.csv -WarningVariable warnings -WarningAction SilentlyContinue
        Get-Content report-1.csv | Should -Be 'mine'
        $warnings | Should -BeLike '*was renamed to*report-1.csv*'
    }

    It 'refuses <Why>, and leaves nothing' -ForEach @(
        @{ Why = 'an unknown format'; Path = 'report.xlsx'; Says = '*.xlsx*'; Error = 'Rejected' }
        @{ Why = 'a name without extension'; Path = 'report'; Says = '*no extension*'; Error = 'Rejected' }
        @{ Why = 'a folder'; Path = 'folder.html'; Says = '*it is a folder*'; Error = 'FileUnreadable' }
        @{ Why = 'a folder that does not exist'; Path = 'none/report.html'; Says = '*its folder does not exist*'; Error = 'FileUnreadable' }
        @{ Why = 'a path outside the file system'; Path = 'env:report.html'; Says = '*Environment*'; Error = 'FileNotFound' }
    ) {
        $null = New-Item -ItemType Directory -Path folder.html
        { $sent | Export-IngestReport $Path } |
            Should -Throw $Says -ErrorId "$Error,IngestTools.PowerShell.Commands.ExportIngestReportCommand"
        (Get-ChildItem -Recurse -Force).Name | Should -Be 'folder.html'
    }

    It 'has each warning once in the session log, without secrets: <Level> and heavier' -ForEach @{ Level = 'Debug' }, @{ Level = 'Warning' } {
        $folder = (New-Item -ItemType Directory 'token=Canary7f3d').FullName
        Set-Content (Join-Path $folder report.csv) 'mine'
        $log = Start-IngestLog (Join-Path $folder 'ingest.jsonl') -Level $Level
        try {
            $sent | Export-IngestReport (Join-Path $folder report.csv) -WarningAction SilentlyContinue
            $env:INGESTTOOLS_JOURNAL = 'off'
            $null = Get-IngestJob -WarningAction SilentlyContinue
        }
        finally {
            $env:INGESTTOOLS_JOURNAL = $null
            Stop-IngestLog
        }

        $warnings = @(Get-Content -LiteralPath $log.FullName | ConvertFrom-Json | Where-Object severity -eq Warning)
        $warnings.source | Should -Be 'Export-IngestReport', 'Get-IngestJob'
        $warnings[0].message | Should -BeLike 'An earlier *token=*was renamed to *token=*'
        $warnings[1].message | Should -BeLike 'The journal is turned off:*'
        Get-Content -LiteralPath $log.FullName -Raw | Should -Not -BeLike '*Canary7f3d*'
    }

    It 'refuses to report nothing' {
        { Export-IngestReport report.html } | Should -Throw 'There is nothing to report.' -ErrorId $id
        Get-ChildItem -Force | Should -BeNullOrEmpty
    }

    It 'writes a report without rows for an empty pipeline, and warns' {
        @() | Export-IngestReport report.html -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -BeLike '*has no rows.'
        Get-Content report.html -Raw | Should -BeLike '*no rows were given*'
    }

    It 'writes no report of a job that the journal does not have' {
        { Export-IngestReport report.html -Job job:999999 } | Should -Throw -ErrorId 'NotFound,*'
        { Export-IngestReport report.html -Job nonsense } | Should -Throw -ErrorId $id
        Get-ChildItem -Force | Should -BeNullOrEmpty
    }

    It 'reports what it does not take, and writes the rest' {
        $sent[0], 42, $sent[1] | Export-IngestReport report.csv -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors.FullyQualifiedErrorId | Should -Be $id
        $errors.TargetObject | Should -Be 42
        (Import-Csv report.csv).Count | Should -Be 2
    }

    It 'leaves no half file where the pipeline ends early' {
        Set-Content report.csv 'mine'
        { $sent | ForEach-Object { $_; throw 'stop' } | Export-IngestReport report.csv } | Should -Throw 'stop'
        Get-Content report.csv | Should -Be 'mine'
        (Get-ChildItem -Force).Name | Should -Be 'report.csv'
    }

    It 'completes -Job' {
        (TabExpansion2 'Export-IngestReport report.html -Job ').CompletionMatches.CompletionText | Should -Contain $job.Id
    }
}
