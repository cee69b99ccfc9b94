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
