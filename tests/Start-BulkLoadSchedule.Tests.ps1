Describe 'Start-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
    }

    BeforeEach { $shortcode = New-Shortcode }

    AfterEach {
        Set-SandboxOption $sandbox @{ ingestMs = 2; ingestFails = @() }
        Unregister-BulkLoadSchedule *
    }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'runs the load now, and the run is waited for like any transaction' {
        $null = New-TestSchedule nightly $shortcode
        $run = Start-BulkLoadSchedule nightly
        $run.PSObject.TypeNames[0] | Should -Be 'IngestTools.BulkLoadRun'
        $run.Id | Should -Match '^run:\d+$'
        $run.Manual | Should -BeTrue
        $ended = $run | Wait-Transaction -PollInterval 0.1
        $ended.Id | Should -Be $run.Id
        $ended.Kind | Should -Be 'BulkIngest'
        $ended.Status | Should -Be 'Succeeded'
        $ended.Completed | Should -Be 2
        (Get-SandboxProject $sandbox $shortcode).mapping.Count | Should -Be 2
    }

    It 'loads to no other server than the one that it was registered for' {
        $here = "$($sandbox.Uri)"
        $there = $here.Replace('127.0.0.1', 'localhost')
        $before = New-TestSchedule nightly $shortcode
        Save-TestConnection @{ Uri = $there }
        try {
            $failure = Get-FirstError { [CmdletBinding()] param() Start-BulkLoadSchedule nightly }
            $failure.FullyQualifiedErrorId | Should -BeLike 'WrongServer,*'
            "$failure" | Should -BeLike "*$here*$there*"
            $failure.ErrorDetails.RecommendedAction | Should -BeLike '*-Force*'
            $before.Server, (Get-BulkLoadSchedule nightly).Server | Should -Be $here, $here

            $load = @{ Name = 'nightly'; Path = $before.Definition.Load.Path; Shortcode = $shortcode; Connection = 'archive'; Every = 3600 }
            (Register-BulkLoadSchedule @load -Force).Server | Should -Be $there
            foreach ($verb in 'Start', 'Suspend', 'Resume', 'Unregister') {
                $failure = Get-FirstError { [CmdletBinding()] param() $before | & "$verb-BulkLoadSchedule" }
                $failure.FullyQualifiedErrorId | Should -BeLike 'WrongServer,*' -Because $verb
                "$failure" | Should -BeLike "*$here*$there*"
            }
            $failure = Get-FirstError { [CmdletBinding()] param() [pscustomobject]@{ Server = $here } | Register-BulkLoadSchedule @load -Force }
            $failure.FullyQualifiedErrorId | Should -BeLike 'WrongServer,*'
            $failure.ErrorDetails.RecommendedAction | Should -BeLike '*-ExcludeProperty Server*'

            # As a person writes them in a table: with another form of the address, for another server and left out, and with a password.
            $load.Remove('Name')
            $row = [pscustomobject]@{ Name = 'nightly'; Server = $there.TrimEnd('/') }
            ($row | Register-BulkLoadSchedule @load -Force).Server | Should -Be $there
            $row | Suspend-BulkLoadSchedule
            (Get-BulkLoadSchedule nightly).Status | Should -Be Suspended
            $row.Server = $here
            ($row | Select-Object * -ExcludeProperty Server | Register-BulkLoadSchedule @load -Force).Server | Should -Be $there
            $row.Server = 'https://user:canary-3c1f@archive.example/'
            foreach ($failure in (Get-FirstError { [CmdletBinding()] param() $row | Register-BulkLoadSchedule @load -Force }),
                (Get-FirstError { [CmdletBinding()] param() $row | Unregister-BulkLoadSchedule })) {
                $failure.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
                "$failure" | Should -BeLike '*archive.example*'
                "$failure" | Should -Not -BeLike '*canary*'
            }

            $run = Get-BulkLoadSchedule nightly | Start-BulkLoadSchedule
            $run.Server, ($run | Wait-Transaction -PollInterval 0.1).Server, (Get-BulkLoadRun -Id $run.Id).Server | Should -Be $there, $there, $there
        }
        finally { Save-TestConnection $sandbox }
    }

    It 'leaves the times as they are' {
        $before = New-TestSchedule nightly $shortcode
        $null = Start-BulkLoadSchedule nightly | Wait-Transaction -PollInterval 0.1
        $after = Get-BulkLoadSchedule nightly
        $after.NextRun | Should -Be $before.NextRun
        $after.LastRun.Status | Should -Be 'Succeeded'
    }

    It 'gives a run that Wait-, Get- and Stop-Transaction take as an object, by its Id, and by its text' {
        $null = New-TestSchedule nightly $shortcode
        $run = Start-BulkLoadSchedule nightly
        (Wait-Transaction $run -PollInterval 0.1).Status | Should -Be 'Succeeded'
        (Wait-Transaction $run.Id).Status | Should -Be 'Succeeded'
        (Get-Transaction "$run").Status | Should -Be 'Succeeded'
        ($run | ConvertTo-Json -Depth 1 -WarningAction SilentlyContinue | ConvertFrom-Json | Get-Transaction).Status | Should -Be 'Succeeded'
    }

    It 'tells of a run that did not succeed wholly with the reason' {
        Set-SandboxOption $sandbox @{ ingestFails = @('two*') }
        $null = New-TestSchedule nightly $shortcode
        $ended = Start-BulkLoadSchedule nightly | Wait-Transaction -PollInterval 0.1 -ErrorVariable errors -ErrorAction SilentlyContinue
        $ended.Status | Should -Be 'PartlySucceeded'
        $errors[0].FullyQualifiedErrorId | Should -Be 'TransactionFailed,IngestTools.PowerShell.Commands.WaitTransactionCommand'
        "$($errors[0])" | Should -Match ([regex]::Escape($ended.Message))
    }

    It 'says of a run that its service cannot cancel that it goes on' {
        Set-SandboxOption $sandbox @{ ingestMs = 60000 }
        $null = New-TestSchedule nightly $shortcode
        $run = Start-BulkLoadSchedule nightly
        Wait-Until { (Get-BulkLoadRun -Id $run.Id).Status -in 'Submitted', 'Running' }
        $run | Stop-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $errors[0].FullyQualifiedErrorId | Should -Be 'CannotCancel,IngestTools.PowerShell.Commands.StopTransactionCommand'
        (Get-BulkLoadRun -Id $run.Id).IsTerminal | Should -BeFalse
    }

    It 'starts nothing at -WhatIf' {
        $null = New-TestSchedule nightly $shortcode
        $newest = (Get-BulkLoadRun -Newest 1).Id
        Start-BulkLoadSchedule * -WhatIf | Should -BeNullOrEmpty
        (Get-BulkLoadRun -Newest 1).Id | Should -Be $newest
    }

    It 'writes an error for a name that no schedule has' {
        (Get-FirstError { [CmdletBinding()] param() Start-BulkLoadSchedule nothing }).FullyQualifiedErrorId |
            Should -Be 'NotFound,IngestTools.PowerShell.Commands.StartBulkLoadScheduleCommand'
    }
}
