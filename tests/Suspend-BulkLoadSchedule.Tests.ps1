Describe 'Suspend-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
        $null = New-TestSchedule 'nightly'
    }

    AfterEach { Get-BulkLoadSchedule | Where-Object Status -EQ Suspended | Resume-BulkLoadSchedule | Out-Null }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'takes the times away, and keeps the reason' {
        $suspended = Suspend-BulkLoadSchedule nightly -Reason 'the server is upgraded'
        $suspended.Status | Should -Be 'Suspended'
        $suspended.NextRuns | Should -BeNullOrEmpty
        $suspended.Reason | Should -Match 'the server is upgraded'
        $suspended.Reason | Should -Match ([regex]::Escape([System.Environment]::UserName))
        (Get-BulkLoadSchedule nightly).Reason | Should -Be $suspended.Reason
        (Get-IngestScheduler).Suspended | Should -Be 1
    }

    It 'takes schedules by the object too' {
        (Suspend-BulkLoadSchedule (Get-BulkLoadSchedule nightly)).Status | Should -Be 'Suspended'
    }

    It 'changes nothing at -WhatIf' {
        Suspend-BulkLoadSchedule * -WhatIf
        (Get-BulkLoadSchedule nightly).Status | Should -Be 'Active'
    }

    It 'runs nothing at its times, but still when it is started by hand' {
        $often = Register-BulkLoadSchedule -Name often -Path (Join-Path $TestDrive 'files of nightly') -Shortcode (New-Shortcode) -Connection archive -Every 3
        $null = Suspend-BulkLoadSchedule often
        Wait-Until { [DateTimeOffset]::Now -gt $often.NextRun.AddSeconds(1) } 'its time passes'
        Get-BulkLoadRun often | Should -BeNullOrEmpty
        (Start-BulkLoadSchedule often | Wait-Transaction -PollInterval 0.1).Status | Should -Be 'Succeeded'
        @(Get-BulkLoadRun often).Manual | Should -Be $true
        Unregister-BulkLoadSchedule often
    }
}
