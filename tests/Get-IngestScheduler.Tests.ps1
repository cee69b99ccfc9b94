Describe 'Get-IngestScheduler' {
    BeforeAll { . (Join-Path $PSScriptRoot common.ps1) }

    It 'says of one that does not run that it does not' {
        $state = Get-IngestScheduler -Folder (Join-Path $TestDrive 'nobody')
        $state.PSObject.TypeNames[0] | Should -Be 'IngestTools.SchedulerState'
        $state.IsRunning | Should -BeFalse
        $state.Socket | Should -Not -BeNullOrEmpty
    }

    It 'finds one by the environment variable, from another session' {
        $socket = Join-Path $TestDrive 'elsewhere.sock'
        $said = Invoke-Child -Argument $socket { param($socket) $env:INGESTTOOLS_SCHEDULER_SOCKET = $socket; (Get-IngestScheduler).Socket }
        $said | Should -Be $socket
    }

    Context 'While one runs' {
        BeforeAll { $started = Start-TestScheduler }
        AfterAll { Stop-IngestScheduler }

        It 'tells how it does' {
            $state = Get-IngestScheduler
            $state.IsRunning | Should -BeTrue
            $state.ProcessId | Should -Be $started.ProcessId
            $state.Active | Should -Be 0
            $state.Store | Should -Not -BeNullOrEmpty
            $state.Trouble | Should -BeNullOrEmpty
        }

        It 'means the one that was started last, and any other by its folder' {
            (Get-IngestScheduler).IsRunning | Should -BeTrue
            (Get-IngestScheduler -Folder (Join-Path $TestDrive 'nobody')).IsRunning | Should -BeFalse
            (Invoke-Child -Argument (Join-Path $TestDrive 'scheduler') { param($folder) (Get-IngestScheduler -Folder $folder).ProcessId }) | Should -Be $started.ProcessId
        }
    }
}
