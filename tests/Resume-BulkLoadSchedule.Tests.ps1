Describe 'Resume-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
        $null = New-TestSchedule 'nightly'
    }

    BeforeEach { $null = Suspend-BulkLoadSchedule nightly -Reason x }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'gives the next time back, and takes the reason away' {
        $resumed = Resume-BulkLoadSchedule night*
        $resumed.Status | Should -Be 'Active'
        $resumed.Reason | Should -BeNullOrEmpty
        $resumed.NextRun | Should -BeGreaterThan ([DateTimeOffset]::Now)
    }

    It 'changes nothing at -WhatIf' {
        Resume-BulkLoadSchedule nightly -WhatIf
        (Get-BulkLoadSchedule nightly).Status | Should -Be 'Suspended'
    }

    It 'writes an error for a name that no schedule has' {
        (Get-FirstError { [CmdletBinding()] param() Resume-BulkLoadSchedule nothing }).FullyQualifiedErrorId |
            Should -Be 'NotFound,IngestTools.PowerShell.Commands.ResumeBulkLoadScheduleCommand'
    }
}
