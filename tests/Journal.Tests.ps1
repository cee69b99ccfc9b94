BeforeAll {
    . "$PSScriptRoot/common.ps1"
    . "$PSScriptRoot/PowerShell.ps1"

    function New-Scans([string] $Name, [int] $Count) {
        $folder = New-Item -ItemType Directory -Path (Join-Path $TestDrive $Name)
        foreach ($i in 1..$Count) { Set-Content -LiteralPath (Join-Path $folder "page $i.txt") -Value "page $i of $Name" }
        $folder.FullName
    }

    # Runs a script in a session of its own, with the journal of this one.
    function Invoke-Session([string] $Text) {
        $script = Join-Path $TestDrive "session-$([guid]::NewGuid().ToString('N')).ps1"
        Set-Content -LiteralPath $script -Value @"
`$ErrorActionPreference = 'Stop'
`$ProgressPreference = 'SilentlyContinue'
`$PSStyle.OutputRendering = 'PlainText'
Import-Module '$script:Manifest'
`$credential = [pscredential]::new('root@example.com', (ConvertTo-SecureString 'test' -AsPlainText -Force))
`$null = Connect-IngestService DspIngest '$($sandbox.Uri)' -AuthenticationUri '$($sandbox.Uri)' -Credential `$credential -NoProxy
$Text
"@
        Invoke-PowerShell -NoProfile -NonInteractive -File $script
    }
}

Describe 'The journal' {
    BeforeAll { $sandbox = Start-IngestSandbox -Connect }
    AfterAll { Stop-IngestSandbox }

    It 'lets the same line in a new session send and ingest nothing' {
        $folder = New-Scans 'twice' 5
        $line = "Send-IngestFile '$folder' -Shortcode 0101 -WarningAction SilentlyContinue | Start-BulkIngest | Wait-Transaction | ForEach-Object { `"`$(`$_.Status) `$(`$_.Completed) `$(`$_.Total)`" }"

        Invoke-Session $line | Should -Be 'Succeeded 5 5'
        Invoke-Session $line | Should -Be 'Succeeded 5 5'

        $project = Get-SandboxProject $sandbox 0101
        $project.runs | Should -Be 1
        ($project.files | Where-Object { $_.uploads -ne 1 -or $_.ingests -ne 1 }) | Should -BeNullOrEmpty
    }

    It 'sends and ingests the new files of a folder, and says what it skipped once' {
        $folder = New-Scans 'grown' 20
        Send-IngestFile $folder -Shortcode 0102 | Start-BulkIngest | Wait-Transaction | Out-Null
        1..3 | ForEach-Object { Set-Content -LiteralPath (Join-Path $folder "new $_.txt") -Value "new $_" }

        $results = Send-IngestFile $folder -Shortcode 0102 -WarningVariable warnings -WarningAction SilentlyContinue
        $run = $results | Start-BulkIngest | Wait-Transaction

        @($results | Where-Object Status -EQ Uploaded).Count | Should -Be 3
        $warnings | Should -Be '20 files were skipped: 20 had been ingested. Use -Again to send them again.'
        "$($run.Status) $($run.Completed) $($run.Total)" | Should -Be 'Succeeded 23 23'
        $mapping = Get-IngestMapping 0102 -Uploaded $results -Verify
        @($mapping | Where-Object { $_.Ingested -and $_.Verified }).Count | Should -Be 23
    }

    It 'continues after a call that was stopped' {
        $folder = New-Scans 'stopped' 200
        Set-SandboxFault $sandbox 'latency=50ms'
        $first = [powershell]::Create().AddScript({
                param($Manifest, $Connection, $Folder)
                Import-Module $Manifest
                Send-IngestFile $Folder -Shortcode 0103 -Connection $Connection
            }).AddArgument($script:Manifest).AddArgument((Get-IngestConnection DspIngest)).AddArgument($folder)
        $running = $first.BeginInvoke()
        try {
            Wait-Until { @((Get-SandboxProject $sandbox 0103).files).Count -gt 20 }
            $first.Stop()
            Clear-SandboxFault $sandbox
        }
        finally {
            Clear-SandboxFault $sandbox
            $first.Dispose()
        }

        $results = Send-IngestFile $folder -Shortcode 0103 -WarningAction SilentlyContinue
        $results | Start-BulkIngest | Wait-Transaction | Out-Null

        $skipped = @($results | Where-Object Reason -EQ AlreadySent).Count
        $skipped | Should -BeGreaterThan 15
        $files = (Get-SandboxProject $sandbox 0103).files
        @($files | Where-Object ingests -EQ 1).Count | Should -Be 200
    }

    It 'refuses one name from two local files, also without a journal' {
        $first = New-Scans 'box1' 1
        $second = New-Scans 'box2' 1

        $results = $first, $second | ForEach-Object { Send-IngestFile $_ -Shortcode 0104 -NoJournal }
        $results | Start-BulkIngest -NoJournal -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty

        $problem[0].FullyQualifiedErrorId | Should -BeLike 'NameCollision,*'
        "$($problem[0])" | Should -BeLike "*$first*$second*"
        (Get-SandboxProject $sandbox 0104).runs | Should -Be 0
    }

    It 'sends nothing with a journal that cannot be used, and continues with -NoJournal' {
        $folder = New-Scans 'damaged' 2
        $saved = $env:INGESTTOOLS_HOME
        $env:INGESTTOOLS_HOME = (New-Item -ItemType Directory -Path (Join-Path $TestDrive 'damaged-home')).FullName
        if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($env:INGESTTOOLS_HOME, 'UserRead, UserWrite, UserExecute') }
        try {
            $journal = Join-Path $env:INGESTTOOLS_HOME 'journal.db'
            Set-Content -LiteralPath $journal -Value ('this is not a database, ' * 500)
            if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($journal, 'UserRead, UserWrite') }

            { Send-IngestFile $folder -Shortcode 0105 -ErrorAction Stop } | Should -Throw -ErrorId 'JournalUnavailable*' -ExpectedMessage "*$journal*"
            @((Get-SandboxProject $sandbox 0105).files).Count | Should -Be 0

            @(Send-IngestFile $folder -Shortcode 0105 -NoJournal | Where-Object Status -EQ Uploaded).Count | Should -Be 2
            $env:INGESTTOOLS_JOURNAL = 'off'
            @(Send-IngestFile $folder -Shortcode 0105 | Where-Object Status -EQ Uploaded).Count | Should -Be 2
        }
        finally {
            $env:INGESTTOOLS_JOURNAL = $null
            $env:INGESTTOOLS_HOME = $saved
        }
    }

    It 'lets the nightly example send what is new, and finalize only on a night on which no file failed' {
        $folder = New-Scans 'nightly' 3
        $example = Join-Path $PSScriptRoot '..' 'examples' '04-nightly-ingest.ps1'
        $log = Join-Path $TestDrive 'nightly-log'
        $bad = Join-Path $folder 'draft#1.txt'
        $env:DSP_PASSWORD = 'test'
        $arguments = @{
            Folder = $folder; Shortcode = '0106'; Uri = $sandbox.Uri; AuthenticationUri = $sandbox.Uri; UserName = 'root@example.com'
            SecretFrom = 'env:DSP_PASSWORD'; LogFolder = $log
        }
        $given = $arguments.GetEnumerator() | ForEach-Object { "-$($_.Key)"; "$($_.Value)" }
        $modules = $env:PSModulePath
        try {
            # The example asks for the module by its name.
            $env:PSModulePath = "$(Split-Path (Split-Path (Split-Path $script:Manifest)))$([System.IO.Path]::PathSeparator)$env:PSModulePath"
            # Nothing new on the second night; on the third, a file of a name that the server refuses, besides a new one.
            foreach ($night in @{ Code = 0; Finalized = $true }, @{ Code = 0; Finalized = $true }, @{ Code = 1; Finalized = $false; New = 'new.txt', 'draft#1.txt' }, @{ Code = 0; Finalized = $true; New = 'last.txt' }) {
                if (Test-Path -LiteralPath $bad) { Remove-Item -LiteralPath $bad }
                foreach ($name in $night.New) { Set-Content -LiteralPath (Join-Path $folder $name) -Value $name }
                Invoke-PowerShell -NoProfile -NonInteractive -File $example @given | Out-Null
                $LASTEXITCODE | Should -Be $night.Code -Because (Get-Content -LiteralPath (Join-Path $log 'ingest-0106.log') -Raw)
                [bool](Get-SandboxProject $sandbox 0106).mapping | Should -Be (-not $night.Finalized)
            }

            $given[$given.IndexOf('-Folder') + 1] = Join-Path $TestDrive 'nowhere'
            Invoke-PowerShell -NoProfile -NonInteractive -File $example @given | Out-Null
            $LASTEXITCODE | Should -Be 2
        }
        finally {
            $env:PSModulePath = $modules
            $env:DSP_PASSWORD = $null
        }

        $text = Get-Content -LiteralPath (Join-Path $log 'ingest-0106.log') -Raw
        $text | Should -Match 'Files sent: 3, unchanged: 0, failed: 0\.'
        $text | Should -Match 'Files sent: 0, unchanged: 3, failed: 0\.'
        $text | Should -Match 'Files sent: 1, unchanged: 3, failed: 1\.'
        $text | Should -Match 'Files sent: 1, unchanged: 4, failed: 0\.'
        $files = (Get-SandboxProject $sandbox 0106).files
        @($files | Where-Object { $_.uploads -eq 1 -and $_.ingests -eq 1 }).Count | Should -Be 5
        @(Get-ChildItem $log -Filter 'mapping-*.csv').Count | Should -Be 3
    }
}

Describe 'A load that is killed' -Skip:$IsWindows {
    It 'is finished by the same line, every file ingested once: <_>' -ForEach 'one process', 'two processes' {
        $pair = $_ -eq 'two processes'

        $result = & (Join-Path $PSScriptRoot 'bench' 'kills.ps1') -Module $script:Manifest -Points ($pair ? 3 : 6) -Files 100 -Pair:$pair

        $result.Failures | Should -Be 0
        $result.Killed | Should -BeGreaterThan 0
    }
}
