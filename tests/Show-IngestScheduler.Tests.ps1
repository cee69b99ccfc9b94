Describe 'Show-IngestScheduler' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $folder = Join-Path $TestDrive 'scheduler'
    }

    It 'says how to start a scheduler that does not run' {
        { Show-IngestScheduler -Folder (Join-Path $TestDrive nobody) -ErrorAction Stop } | Should -Throw -ErrorId 'SchedulerNotRunning*'
    }

    Context 'A scheduler with its page' {
        BeforeAll {
            $displays = @{}
            foreach ($name in 'DISPLAY', 'WAYLAND_DISPLAY') {
                $displays[$name] = [Environment]::GetEnvironmentVariable($name)
                [Environment]::SetEnvironmentVariable($name, $null)
            }
            $started = Start-IngestScheduler -Folder $folder -Page
        }

        AfterAll {
            Stop-IngestScheduler -Folder $folder
            foreach ($name in $displays.Keys) { [Environment]::SetEnvironmentVariable($name, $displays[$name]) }
        }

        It 'writes an address that opens the page once, whose token the owner alone can read' {
            $written = Show-IngestScheduler -PassThru
            $written | Should -BeOfType string
            [uri] $address = $written
            $address.GetLeftPart('Path') | Should -Be $started.PageUri.AbsoluteUri
            (Invoke-WebRequest $address).Content | Should -Match '<title>IngestTools scheduler'
            $session = [uri]::new($address, 'api/session')
            $ticket = @{ Authorization = "Ticket $($address.Fragment.Substring(1))" }
            $token = (Invoke-RestMethod $session -Headers $ticket).token
            Get-Content -LiteralPath $started.PageTokenPath | Should -BeExactly $token
            if (-not $IsWindows) { (Get-Item $started.PageTokenPath).UnixFileMode | Should -Be ([System.IO.UnixFileMode] 'UserRead, UserWrite') }
            { Invoke-RestMethod $session -Headers $ticket } | Should -Throw
            $overview = [uri]::new($address, 'api/overview')
            (Invoke-RestMethod $overview -Headers @{ Authorization = "Bearer $token" }).state.processId | Should -Be $started.ProcessId
        }

        It 'writes the address where the session has no display' -Skip:(-not $IsLinux) {
            [uri] $address = Show-IngestScheduler -Folder $folder -WarningVariable warnings -WarningAction SilentlyContinue
            $address.Fragment.Length | Should -BeGreaterThan 40
            "$warnings" | Should -BeLike '*no browser*once, within ten minutes*'
        }

        It 'names the page in the state, without what opens it' {
            (Get-IngestScheduler | Format-List | Out-String) | Should -Match 'PageUri +: http://127\.0\.0\.1:\d+/?\s'
        }

        It 'says how to have a page where the scheduler runs without one' {
            Stop-IngestScheduler -Folder $folder
            $null = Start-IngestScheduler -Folder $folder
            $failure = { Show-IngestScheduler -ErrorAction Stop } | Should -Throw -ErrorId 'NotFound*' -PassThru
            $failure.ErrorDetails.RecommendedAction | Should -BeLike '*Start-IngestScheduler -Page*'
            $null = Start-IngestScheduler -Folder $folder -Page -WarningVariable warnings -WarningAction SilentlyContinue
            "$warnings" | Should -BeLike '*runs already*serves no page*'
        }
    }
}
