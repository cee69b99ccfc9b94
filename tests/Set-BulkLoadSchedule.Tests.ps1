Describe 'Set-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $scheduler = Start-TestScheduler
        Save-TestConnection $sandbox
        $before = New-TestSchedule 'nightly'
        $null = New-TestSchedule 'weekly'
    }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'changes what is named, and leaves the rest' {
        $changed = Set-BulkLoadSchedule nightly -Exclude Thumbs.db, '*.tmp' -ContinueOnFailure -RetryFailed 3 -RetryAfter 1800 -Overlap Queue
        $changed.PSObject.TypeNames[0] | Should -Be 'IngestTools.BulkLoadSchedule'
        $load = $changed.Definition.Load
        $load.Exclude | Should -Be 'Thumbs.db', '*.tmp'
        $load.ContinueOnFailure, $load.Path, $load.Shortcode | Should -Be $true, $before.Definition.Load.Path, $before.Definition.Load.Shortcode
        $changed.Definition.RetryFailed, $changed.Definition.RetryAfter, $changed.Definition.Overlap | Should -Be 3, ([timespan]::FromMinutes(30)), 'Queue'
        $changed.NextRun | Should -Be $before.NextRun
        $changed | Format-List | Out-String | Should -Match 'RetryFailed +: 3 times, 00:30:00 after the failure'

        $changed = Set-BulkLoadSchedule nightly -Exclude @() -ContinueOnFailure:$false -RetryFailed 0
        $changed.Definition.Load.Exclude | Should -BeNullOrEmpty
        $changed.Definition.Load.ContinueOnFailure | Should -BeFalse
        $changed.Definition.RetryFailed, $changed.Definition.RetryAfter | Should -Be $null, $null
    }

    It 'reports failed runs where the schedule says, until that is removed' {
        $sh = (Get-Command sh).Source
        $report = Join-Path $TestDrive 'report.json'
        $changed = Set-BulkLoadSchedule nightly -NotifyUri file:/nowhere -ErrorAction SilentlyContinue -ErrorVariable refused
        $changed | Should -BeNullOrEmpty
        $refused[0].FullyQualifiedErrorId | Should -BeLike 'SecretUnavailable,*'
        Set-BulkLoadSchedule nightly -NotifyUri https://h.example.org/?sig=canary-7d1 -ErrorAction SilentlyContinue -ErrorVariable refused
        "$refused" | Should -BeLike '*may be secret*'
        "$refused" | Should -Not -BeLike '*canary*'

        $changed = Set-BulkLoadSchedule nightly -NotifyUri https://127.0.0.1:1/hook -NotifyCommand $sh, -c, 'cat > "$0"', $report
        $changed.Definition.NotifyUri | Should -Be 'https://127.0.0.1:1/hook'
        $changed.Definition.NotifyCommand | Should -Be $sh, '-c', 'cat > "$0"', $report
        $changed | Format-List | Out-String | Should -Match 'NotifyUri +: https://127.0.0.1:1/hook'

        $changed = Set-BulkLoadSchedule nightly -NotifyUri '' -NotifyCommand @()
        $changed.Definition.NotifyUri, $changed.Definition.NotifyCommand | Should -Be $null, $null
        $null = Set-BulkLoadSchedule nightly -NotifyUri https://127.0.0.1:1/hook -NotifyCommand $sh
        $changed = Set-BulkLoadSchedule nightly -NotifyUri $null -NotifyCommand $null
        $changed.Definition.NotifyUri, $changed.Definition.NotifyCommand | Should -Be $null, $null
    }

    It 'takes schedules by the object, and plans the next time anew where the time changed' {
        $changed = Get-BulkLoadSchedule | Set-BulkLoadSchedule -Cron '15 2 * * *' -TimeZone Asia/Kathmandu
        $changed.Name | Sort-Object | Should -Be 'nightly', 'weekly'
        $changed.NextRunUtc | ForEach-Object { $_.ToString('HH:mm') | Should -Be '20:30' }
        (Set-BulkLoadSchedule weekly -At '2040-07-15 02:30').NextRunUtc | Should -Be ([datetimeoffset] '2040-07-14T20:45:00Z')
    }

    It 'refuses <What>, and changes nothing' -ForEach @(
        @{ What = 'no change'; With = @{}; Id = 'InvalidSchedule' }
        @{ What = 'two times'; With = @{ Every = 60; Cron = '* * * * *' }; Id = 'InvalidSchedule' }
        @{ What = 'a property of another kind'; With = @{ Source = 's3://bucket/' }; Id = 'InvalidSchedule' }
        @{ What = 'a zone that does not exist'; With = @{ TimeZone = 'Europe/Nowhere'; Cron = '0 5 * * *' }; Id = 'InvalidSchedule' }
        @{ What = 'a connection that is not saved'; With = @{ Connection = 'nobody' }; Id = 'NoConnection' }
        @{ What = 'a pattern with a folder'; With = @{ Include = 'a/b' }; Id = 'ParameterArgumentValidationError' }
        @{ What = 'a name that no schedule has'; With = @{ Name = 'nothing'; Cron = '0 5 * * *' }; Id = 'NotFound' }
    ) {
        $was = Get-BulkLoadSchedule nightly | ConvertTo-Json -Depth 5
        $argument = @{ Name = 'nightly' }
        foreach ($key in $With.Keys) { $argument[$key] = $With[$key] }
        $failure = Get-FirstError { [CmdletBinding()] param() Set-BulkLoadSchedule @argument }
        $failure.FullyQualifiedErrorId | Should -BeLike "$Id*"
        Get-BulkLoadSchedule nightly | ConvertTo-Json -Depth 5 | Should -Be $was
    }

    It 'starts once more what was ingested, with Start-BulkLoadSchedule -Again' {
        $null = Start-BulkLoadSchedule nightly | Wait-Transaction -PollInterval 0.1
        (Start-BulkLoadSchedule nightly | Wait-Transaction -PollInterval 0.1).Message | Should -BeLike '*had been ingested before*'
        $again = Start-BulkLoadSchedule nightly -Again | Wait-Transaction -PollInterval 0.1
        $again.Status, $again.Completed | Should -Be 'Succeeded', 2
    }

    It 'leaves schedules and runs to be read when the scheduler is stopped' {
        $folder = Split-Path $scheduler.Socket
        $runs = @(Get-BulkLoadRun nightly).Id
        Stop-IngestScheduler -Folder $folder
        try {
            $down = Get-BulkLoadSchedule nightly -WarningVariable warnings -WarningAction SilentlyContinue
            "$warnings" | Should -BeLike '*does not run*Start-IngestScheduler*'
            $down.IsSchedulerRunning | Should -BeFalse
            $down.Definition.Cron | Should -Be '15 2 * * *'
            (Get-BulkLoadRun nightly -WarningAction SilentlyContinue).Id | Should -Be $runs
            (Get-BulkLoadRun -Id $runs[0] -WarningAction SilentlyContinue).Log | Should -Not -BeNullOrEmpty
            $state = Get-IngestScheduler -Folder $folder
            $state.IsRunning, $state.Active, $state.LogPath | Should -Be $false, 2, (Join-Path $folder scheduler.log)
            $failure = Get-FirstError { [CmdletBinding()] param() Set-BulkLoadSchedule nightly -Cron '0 5 * * *' }
            $failure.FullyQualifiedErrorId | Should -Be 'SchedulerNotRunning,IngestTools.PowerShell.Commands.SetBulkLoadScheduleCommand'
        }
        finally { $null = Start-IngestScheduler -Folder $folder }
        (Get-BulkLoadSchedule nightly).IsSchedulerRunning | Should -BeTrue
    }
}
