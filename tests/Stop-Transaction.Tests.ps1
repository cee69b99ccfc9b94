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
