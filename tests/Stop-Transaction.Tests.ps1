Describe 'Stop-Transaction' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $started = New-TestFile $TestDrive 'one.jpg' | Send-IngestFile -Shortcode 0001 | Start-BulkIngest
    }

    AfterAll { Stop-IngestSandbox }

    It 'says that DSP-INGEST cannot stop a run' {
        $null = $started | Stop-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors[0].FullyQualifiedErrorId | Should -Be 'CannotCancel,IngestTools.PowerShell.Commands.StopTransactionCommand'
        $errors[0].TargetObject.Id | Should -Be 'dsp:0001'
        $errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'does nothing at -WhatIf' {
        Stop-Transaction dsp:0001 -WhatIf | Should -BeNullOrEmpty
    }
}

Describe 'Stop-Transaction, of lakeFS: <Dialect>' -ForEach @{ Dialect = 'Released'; Version = '1.84.0' }, @{ Dialect = 'Legacy'; Version = '0.100.0' } {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-LakeFsOption $sandbox @{ version = $Version; dialect = $Dialect; statusMs = 1; writeMs = 1; importSticks = @('s3://bucket/single/*') }
        function Get-Import([string] $Id) { (Get-LakeFsRepository $sandbox).imports | Where-Object id -EQ $Id }
    }

    AfterAll { Stop-IngestSandbox }

    It 'cancels an import, and leaves the branch as it was' {
        $head = ((Get-LakeFsRepository $sandbox).branches | Where-Object name -EQ main).commitId
        $started = Start-Import lake main s3://bucket/single/ x/ -Dialect $Dialect
        ($started | Stop-Transaction).Status | Should -Be 'Canceled'
        (Stop-Transaction $started.Id).Status | Should -Be 'Canceled'
        (Get-Import $started.ImportId).cancellations | Should -Be 1
        ((Get-LakeFsRepository $sandbox).branches | Where-Object name -EQ main).commitId | Should -Be $head
    }

    It 'leaves an import alone that has completed' {
        $ended = Start-Import lake main s3://bucket/prefix/ x/ -Dialect $Dialect | Wait-Transaction -PollInterval 0.05
        $stopped = $ended | Stop-Transaction
        $stopped.Status, $stopped.CommitId | Should -Be 'Succeeded', $ended.CommitId
        (Get-Import $ended.ImportId).error | Should -BeNullOrEmpty
    }

    It 'does not write over the error of an import that has failed' {
        $failed = Start-Import lake main s3://nowhere/ x/ -Dialect $Dialect | Wait-Transaction -PollInterval 0.05 -ErrorAction SilentlyContinue
        ($failed | Stop-Transaction).Message | Should -Match 'NoSuchBucket'
        (Get-Import $failed.ImportId).error | Should -Match 'NoSuchBucket'
    }

    It 'does nothing at -WhatIf' {
        $started = Start-Import lake main s3://bucket/single/ x/ -Dialect $Dialect
        $started | Stop-Transaction -WhatIf | Should -BeNullOrEmpty
        (Get-Import $started.ImportId).cancellations | Should -Be 0
    }
}

Describe 'Stop-Transaction of VOSS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $book = New-TestWorkbook (Join-Path $TestDrive users.xlsx) -Row (1..500 | ForEach-Object { , ("user$_", "user$_@example.org") })
    }
    BeforeEach { Set-VossOption $sandbox @{ rowMs = 200; requestsPerSecond = 0; offersCancel = $true } }
    AfterAll { Stop-IngestSandbox }

    It 'cancels a load by the action that it offers' {
        $load = Send-IngestFile $book -Hierarchy sys.hcs.Provider | Start-BulkLoad
        $ended = $load | Stop-Transaction | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue
        $ended.Status, $ended.ServerStatus | Should -Be 'Canceled', 'Fail'
    }

    It 'says so where the server offers none' {
        Set-VossOption $sandbox @{ offersCancel = $false }
        $load = Send-IngestFile $book -Hierarchy sys.hcs.Provider | Start-BulkLoad
        (Get-FirstError { $load | Stop-Transaction }).FullyQualifiedErrorId | Should -BeLike 'CannotCancel,*'
    }
}
