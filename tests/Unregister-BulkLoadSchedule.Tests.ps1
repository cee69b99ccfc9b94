Describe 'Unregister-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
    }

    BeforeEach { 'a1', 'a2', 'b1' | ForEach-Object { $null = New-TestSchedule $_ } }
    AfterEach { Unregister-BulkLoadSchedule * }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'removes those that are named, by names and by patterns' {
        Unregister-BulkLoadSchedule A*
        (Get-BulkLoadSchedule).Name | Should -Be 'b1'
    }

    It 'takes schedules from the pipeline' {
        Get-BulkLoadSchedule b1 | Unregister-BulkLoadSchedule
        (Get-BulkLoadSchedule).Name | Sort-Object | Should -Be ('a1', 'a2')
    }

    It 'removes nothing at -WhatIf' {
        Unregister-BulkLoadSchedule * -WhatIf
        @(Get-BulkLoadSchedule).Count | Should -Be 3
    }

    It 'writes an error for a name that no schedule has, and goes on' {
        Unregister-BulkLoadSchedule nothing, b1 -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors[0].FullyQualifiedErrorId | Should -Be 'NotFound,IngestTools.PowerShell.Commands.UnregisterBulkLoadScheduleCommand'
        (Get-BulkLoadSchedule).Name | Should -Not -Contain 'b1'
    }

    It 'removes a schedule whose name has brackets, and not the one that they match' {
        $null = New-TestSchedule 'a[1]'
        (Get-BulkLoadSchedule 'a[1]').Name | Should -Contain 'a[1]'
        Unregister-BulkLoadSchedule 'a[1]'
        (Get-BulkLoadSchedule).Name | Sort-Object | Should -Be ('a1', 'a2', 'b1')
        Unregister-BulkLoadSchedule 'a[1]'
        (Get-BulkLoadSchedule).Name | Sort-Object | Should -Be ('a2', 'b1')
    }

    It 'leaves the history' {
        $run = Start-BulkLoadSchedule a1 | Wait-Transaction -PollInterval 0.1
        Unregister-BulkLoadSchedule a1
        (Get-BulkLoadRun a1).Id | Should -Contain $run.Id
    }
}
