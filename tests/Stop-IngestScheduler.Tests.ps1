Describe 'Stop-IngestScheduler' {
    BeforeAll { . (Join-Path $PSScriptRoot common.ps1) }
    AfterEach { if ((Get-IngestScheduler).IsRunning) { Stop-IngestScheduler } }

    It 'ends it, and has waited until its store is free' {
        $state = Start-TestScheduler
        Stop-IngestScheduler
        Get-Process -Id $state.ProcessId -ErrorAction Ignore | Should -BeNullOrEmpty
        (Get-IngestScheduler).IsRunning | Should -BeFalse
        (Start-TestScheduler).ProcessId | Should -Not -Be $state.ProcessId
    }

    It 'ends nothing at -WhatIf' {
        $null = Start-TestScheduler
        Stop-IngestScheduler -WhatIf
        (Get-IngestScheduler).IsRunning | Should -BeTrue
    }

    It 'says that none runs' {
        Stop-IngestScheduler -Folder (Join-Path $TestDrive 'nobody') -WarningVariable warnings -WarningAction SilentlyContinue
        "$warnings" | Should -Match 'does not run'
    }
}
