Describe 'Start-IngestScheduler' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)

        # A program that is no scheduler.
        function New-Program([string] $Script) {
            $path = Join-Path $TestDrive "program-$((New-Guid).ToString('N')).sh"
            Set-Content -LiteralPath $path -Value "#!/bin/sh`n$Script"
            [System.IO.File]::SetUnixFileMode($path, 'UserRead, UserWrite, UserExecute')
            $path
        }
    }

    BeforeEach { $folder = Join-Path $TestDrive (New-Guid).ToString('N').Substring(0, 8) }
    AfterEach { if ((Get-IngestScheduler -Folder $folder).IsRunning) { Stop-IngestScheduler -Folder $folder } }

    It 'starts it, waits until it answers, and says where its log is' {
        $state = Start-IngestScheduler -Folder $folder
        $state.IsRunning | Should -BeTrue
        (Get-Process -Id $state.ProcessId).HasExited | Should -BeFalse
        $state.LogPath | Should -Be (Join-Path $folder 'scheduler.log')
        Get-BulkLoadSchedule | Should -BeNullOrEmpty
    }

    It 'keeps what it writes from others' -Skip:$IsWindows {
        $null = Start-IngestScheduler -Folder $folder
        foreach ($item in @(Get-Item $folder) + @(Get-ChildItem $folder -Recurse)) {
            "$($item.UnixFileMode)" | Should -Not -Match 'Group|Other' -Because "of $item"
        }
    }

    It 'outlives the session that started it' {
        $id = Invoke-Child -Argument $folder { param($folder) (Start-IngestScheduler -Folder $folder).ProcessId }
        (Get-IngestScheduler -Folder $folder).ProcessId | Should -Be $id
    }

    It 'is out of reach of Ctrl+C: it has a session of its own' -Skip:(-not $IsLinux) {
        $state = Start-IngestScheduler -Folder $folder
        # After the name in parentheses: state, parent, group, session.
        $session = ((Get-Content "/proc/$($state.ProcessId)/stat" -Raw) -replace '^.*\) ' -split ' ')[3]
        $session | Should -Be $state.ProcessId
    }

    It 'says that one runs already, and starts none' {
        $first = Start-IngestScheduler -Folder $folder
        $second = Start-IngestScheduler -Folder $folder -WarningVariable warnings -WarningAction SilentlyContinue
        $second.ProcessId | Should -Be $first.ProcessId
        "$warnings" | Should -Match 'runs already'
    }

    It 'returns the one that another session started in the same moment' -Skip:$IsWindows {
        $real = Join-Path (Split-Path $Manifest) scheduler ingest-scheduler.dll
        # The other one has the store, and begins to answer a little later.
        $program = New-Program ('dotnet "{0}" "$@" </dev/null >/dev/null 2>&1 & exit 75' -f $real)
        $state = Start-IngestScheduler -Folder $folder -Path $program -WarningVariable warnings -WarningAction SilentlyContinue
        $state.IsRunning | Should -BeTrue
        "$warnings" | Should -BeLike "*runs already, as process $($state.ProcessId)*"
    }

    It 'hands on where runs are reported, a file by its full path' -Skip:$IsWindows {
        Push-Location $TestDrive
        try {
            $program = New-Program 'echo "given: $*" >&2; exit 3'
            $failure = Get-FirstError {
                [CmdletBinding()] param()
                Start-IngestScheduler -Folder $folder -Path $program -NotifyUri https://hooks.example.org/in -NotifySecretFrom file:hook
            }
            "$failure" | Should -BeLike "*--notify https://hooks.example.org/in --notify-secret-from file:$TestDrive/hook*"
        }
        finally { Pop-Location }
    }

    It 'refuses an address with a secret in it, which the list of processes would show' {
        $failure = Get-FirstError {
            [CmdletBinding()] param()
            Start-IngestScheduler -Folder $folder -NotifyUri 'https://hooks.example.org/in?key=canary'
        }
        $failure.FullyQualifiedErrorId | Should -Be 'InvalidSchedule,IngestTools.PowerShell.Commands.StartIngestSchedulerCommand'
        "$failure $($failure.ErrorDetails.RecommendedAction)" | Should -BeLike '*hooks.example.org*file:PATH*'
        "$failure" | Should -Not -Match 'canary'
        Test-Path $folder | Should -BeFalse
    }

    It 'starts nothing at -WhatIf' {
        Start-IngestScheduler -Folder $folder -WhatIf | Should -BeNullOrEmpty
        Test-Path $folder | Should -BeFalse
    }

    It 'shows what a program said that ended at once' -Skip:$IsWindows {
        $program = New-Program 'echo "the store is held by process 17" >&2; exit 3'
        $failure = Get-FirstError { [CmdletBinding()] param() Start-IngestScheduler -Folder $folder -Path $program }
        $failure.FullyQualifiedErrorId | Should -Be 'ServerError,IngestTools.PowerShell.Commands.StartIngestSchedulerCommand'
        "$failure" | Should -Match 'held by process 17'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'scheduler\.log'
    }

    It 'shows only what this start said, not what an earlier one left in the log' -Skip:$IsWindows {
        $null = Get-FirstError { [CmdletBinding()] param() Start-IngestScheduler -Folder $folder -Path (New-Program 'echo before') }
        $failure = Get-FirstError { [CmdletBinding()] param() Start-IngestScheduler -Folder $folder -Path (New-Program 'echo after') }
        "$failure" | Should -Match 'after'
        "$failure" | Should -Not -Match 'before'
    }

    It 'says of a program that is not there that it is not' {
        $failure = Get-FirstError { [CmdletBinding()] param() Start-IngestScheduler -Folder $folder -Path (Join-Path $TestDrive 'nothing') }
        $failure.FullyQualifiedErrorId | Should -Match '^(ServerError|FileNotFound),'
        "$failure" | Should -Match 'nothing'
    }

    It 'stops at Ctrl+C, and leaves no half-started process' -Skip:$IsWindows {
        $mark = Join-Path $TestDrive 'pid'
        $program = New-Program "echo `$`$ > '$mark'; exec sleep 600"
        $stopped = Invoke-AndStop -Argument $folder, $program -When { (Test-Path $mark) -and (Get-Content $mark) } {
            param($folder, $program)
            Start-IngestScheduler -Folder $folder -Path $program
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
        Wait-Until { -not (Get-Process -Id (Get-Content $mark) -ErrorAction Ignore) } 'the program ends'
    }
}
