# Ctrl+C, typed at a real terminal: the keyboard's signal takes another way through PowerShell than a pipeline that is stopped from code.
Describe 'Ctrl+C at a terminal' -Skip:(-not (Get-Command tmux -CommandType Application -ErrorAction Ignore)) {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $terminal = @('-L', "ingesttools-$PID", '-f', '/dev/null')
        $prompt = 'READY>'
        $folder = Join-Path $TestDrive 'files'
        $null = New-TestFile $folder (1..20 | ForEach-Object { "$_.jpg" })

        function Get-Screen { (tmux @terminal capture-pane -p -t 0) -join "`n" }
        function Send-Line([string] $Line) {
            tmux @terminal send-keys -t 0 -l $Line
            tmux @terminal send-keys -t 0 Enter
        }
        # The screen shows the prompt last while nothing runs.
        function Test-Prompt { (Get-Screen).TrimEnd().EndsWith($prompt) }
        # Presses Ctrl+C and tells how long the prompt took to come back.
        function Measure-Interrupt {
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            tmux @terminal send-keys -t 0 C-c
            Wait-Until { Test-Prompt } 'the prompt after Ctrl+C'
            $clock.Elapsed
        }

        $start = Get-PowerShell
        $pwsh = (@($start.Program) + $start.Arguments | ForEach-Object { "'$_'" }) -join ' '
        tmux @terminal new-session -d -x 160 -y 50 "INGESTTOOLS_HOME='$env:INGESTTOOLS_HOME' $pwsh -NoProfile -NoLogo"
        Wait-Until { (Get-Screen) -match 'PS .*>' } 'the first prompt'
        # The line editor paints the screen in its own way. A progress bar, of any cmdlet, makes PowerShell ask the terminal for the cursor's place; an
        # interrupt in that moment can lose the answer, and PowerShell then hangs. That is not what is tested here.
        Send-Line "Remove-Module PSReadLine -ErrorAction Ignore; `$ProgressPreference = 'SilentlyContinue'; function prompt { 'READY' + '> ' }; Import-Module '$script:Manifest'; `$sandbox = Start-IngestSandbox -Connect"
        Wait-Until { Test-Prompt } 'the module and its sandbox'
        Send-Line 'Clear-Host; "at $($sandbox.Uri)"'
        Wait-Until { (Get-Screen) -match 'at (http\S+)' } 'the address of the sandbox'
        $sandbox = [pscustomobject]@{ Uri = [regex]::Match((Get-Screen), 'at (http\S+)').Groups[1].Value }
    }

    AfterAll { if ($terminal) { tmux @terminal kill-server 2>$null } }

    AfterEach { Clear-SandboxFault $sandbox }

    It 'brings the prompt back while <What>' -ForEach @(
        @{ What = 'uploads hang'; Command = 'Send-IngestFile {0} -Shortcode 0001' }
        @{ What = 'a chain waits for its uploads'; Command = 'Send-IngestFile {0} -Shortcode 0001 | Start-BulkIngest | Wait-Transaction' }
    ) {
        Set-SandboxFault $sandbox 'stall=POST /projects/**'
        Send-Line "Clear-Host; $($Command -f "'$folder'")"
        Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -gt 0 } 'a request that hangs'
        Measure-Interrupt | Should -BeLessThan $script:StopLimit
    }

    It 'leaves a session that goes on, and a sandbox that lives' {
        Send-Line "Clear-Host; `"sent `$(@(Send-IngestFile '$folder' -Shortcode 0002 | Where-Object Status -EQ Uploaded).Count) of them`""
        Wait-Until { (Get-Screen) -match 'sent 20 of them' } 'the files sent after Ctrl+C'
    }
}
