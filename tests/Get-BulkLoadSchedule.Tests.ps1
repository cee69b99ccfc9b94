Describe 'Get-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
        'nightly', 'night [2]', 'hourly' | ForEach-Object { $null = New-TestSchedule $_ }
    }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'lists all, each with its next times in local time and in UTC' {
        $all = Get-BulkLoadSchedule
        $all.Name | Sort-Object | Should -Be ('hourly', 'night [2]', 'nightly')
        $all[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.BulkLoadSchedule'
        $all[0].Status | Should -Be 'Active'
        $all[0].NextRun | Should -BeGreaterThan ([DateTimeOffset]::Now.AddDays(360))
        $all[0].NextRun.Offset | Should -Be ([TimeZoneInfo]::Local.GetUtcOffset($all[0].NextRun))
        $all[0].NextRunUtc.Offset | Should -Be ([timespan]::Zero)
        $all[0].Definition.Load.Connection | Should -Be 'archive'
        $all[0].RegisteredBy | Should -Match '@'
    }

    It 'takes wildcards of every kind, and any case: <Pattern>' -ForEach @(
        @{ Pattern = 'NIGHT*'; Expected = 'night [2]', 'nightly' }
        @{ Pattern = '[g-i]ourly'; Expected = 'hourly' }
        @{ Pattern = 'night `[2`]'; Expected = 'night [2]' }
        @{ Pattern = 'nightl?'; Expected = 'nightly' }
        @{ Pattern = 'none*'; Expected = @() }
    ) {
        @((Get-BulkLoadSchedule $Pattern).Name | Sort-Object) | Should -Be $Expected
    }

    It 'writes an error for each name that no schedule has, and goes on' {
        $found = 'nothing', 'hourly' | Get-BulkLoadSchedule -ErrorVariable errors -ErrorAction SilentlyContinue
        $found.Name | Should -Be 'hourly'
        $errors.Count | Should -Be 1
        $errors[0].FullyQualifiedErrorId | Should -Be 'NotFound,IngestTools.PowerShell.Commands.GetBulkLoadScheduleCommand'
        $errors[0].TargetObject | Should -Be 'nothing'
    }

    It 'shows of one that is broken why, and nothing that is not known' {
        # As the scheduler tells one that its store cannot give any more: without a definition.
        $type = (Get-BulkLoadSchedule hourly).GetType()
        $broken = [Activator]::CreateInstance($type)
        $known = @{ Name = 'lost'; Status = [enum]::Parse($type.GetProperty('Status').PropertyType, 'Broken'); Reason = 'The store cannot give it.' }
        foreach ($property in $known.Keys) { $type.GetProperty($property).SetValue($broken, $known[$property]) }
        $table = $broken | Format-Table | Out-String
        $table | Should -Match 'lost +Broken'
        $list = $broken | Format-List | Out-String
        $list | Should -Match 'Reason +: The store cannot give it'
        $list | Should -Not -Match 'When|Load|MissedRun|Overlap'
    }

    It 'completes names, also in a session that has seen none' {
        $completed = Invoke-Child -Argument (Get-IngestScheduler).Socket {
            param($socket)
            $env:INGESTTOOLS_SCHEDULER_SOCKET = $socket
            # What a session loads once, a busy machine may not load within the time that completion has.
            $null = Get-BulkLoadRun -Newest 1
            $text = 'Suspend-BulkLoadSchedule ni'
            [System.Management.Automation.CommandCompletion]::CompleteInput($text, $text.Length, $null).CompletionMatches.CompletionText
        }
        $completed | Sort-Object | Should -Be ("'night [2]'", 'nightly')
    }

    It 'ends with one error and the way to start it where none runs' {
        $said = Invoke-Child {
            $env:INGESTTOOLS_SCHEDULER_SOCKET = Join-Path ([System.IO.Path]::GetTempPath()) 'nobody.sock'
            try { 'a', 'b' | Get-BulkLoadSchedule } catch { $_.FullyQualifiedErrorId; $_.ErrorDetails.RecommendedAction; $Error.Count }
        }
        $said[0] | Should -Be 'SchedulerNotRunning,IngestTools.PowerShell.Commands.GetBulkLoadScheduleCommand'
        $said[1] | Should -Match 'Start-IngestScheduler'
        $said[2] | Should -Be 1
    }
}
