# README shows Linux: on Windows a session is typed in another way, and some answers of the system have other words.
Describe 'README.md' -Skip:$IsWindows {
    BeforeDiscovery {
        . (Join-Path $PSScriptRoot readme.ps1)
        $readme = Join-Path $PSScriptRoot '..' 'README.md'
        $blocks = @(Get-ReadmeBlock $readme)
        $typed = @($blocks | Where-Object Kind -In Session, Typed | ForEach-Object { Get-ReadmeStep $_ })
        $shown = @($typed | Where-Object { $null -ne $_.Shown } |
                ForEach-Object { @{ Line = $_.Line; Command = $_.Typed[0] } })
        $quiet = @($typed | Where-Object { $null -eq $_.Shown } | ForEach-Object { @{ Line = $_.Line } })
        $checked = @($blocks | Where-Object Kind -EQ Checked | ForEach-Object { @{ Line = $_.Line; Text = $_.Text -join "`n" } })
        $others = @($blocks | Where-Object Kind -EQ Other | ForEach-Object { @{ Line = $_.Line; Text = @($_.Text) } })
        $links = @([regex]::Matches([System.IO.File]::ReadAllText($readme), '\]\(([^):]+)\)') |
                ForEach-Object { @{ Link = $_.Groups[1].Value } })
    }

    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        . (Join-Path $PSScriptRoot readme.ps1)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
        # A short path: the scheduler's socket lies below it.
        $folder = (New-Item -ItemType Directory (Join-Path ([System.IO.Path]::GetTempPath()) "ingest-readme-$PID")).FullName
        $ran = @{}
        Invoke-Readme (Join-Path $root README.md) $folder | ForEach-Object { $ran[$_.Step.Line] = $_ }
    }

    AfterAll { if ($folder) { Remove-Item $folder -Recurse -Force } }

    It 'shows in line <Line> what is printed after: <Command>' -ForEach $shown {
        $one = $ran[$Line]
        $printed = "the command printed:`n$($one.Printed -join "`n")`n"
        ConvertTo-Comparable $one.Printed $folder | Should -BeExactly (ConvertTo-Comparable $one.Step.Shown $folder) -Because $printed
    }

    It 'types the block after line <Line> without an error' -ForEach $quiet {
        $ran[$Line].Errors | Should -BeNullOrEmpty
    }

    It 'has commands with the right parameters in the block after line <Line>' -ForEach $checked {
        Get-CommandFault $Text $root | Should -BeNullOrEmpty
    }

    It 'names files that exist in the block after line <Line>' -ForEach $others {
        $paths = @($Text -match '^\S' -replace ' {2,}.*' -split ' ' -match '[/.]')
        $paths | Should -Not -BeNullOrEmpty
        $paths | Where-Object { -not (Test-Path (Join-Path $root $_)) } | Should -BeNullOrEmpty
    }

    It 'links to <Link>, which exists' -ForEach $links { Join-Path $root $Link | Should -Exist }

    It 'leaves nothing in the home folder but its own files' {
        Get-ChildItem $folder -Exclude '.*' | Should -BeNullOrEmpty
    }
}

Describe 'The comparison with README.md' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        . (Join-Path $PSScriptRoot readme.ps1)
        $table = '', 'Status     Rate RemoteName', '------     ---- ----------', 'Uploaded 1.5 KiB/s a.jpg', 'Failed             b#.jpg'
    }

    It 'takes <What> for the same' -ForEach @(
        @{ What = 'another order of rows'; One = '---', 'a', 'b'; Other = '---', 'b', 'a' }
        @{ What = 'another port'; One = 'at http://127.0.0.1:44597/'; Other = 'at http://127.0.0.1:5555/' }
        @{ What = 'another time'; One = 'Elapsed : 2.69 s'; Other = 'Elapsed : 12.01 s' }
        @{ What = 'another asset'; One = 'a.jpg yBZPdmvzgzp-i3GBeoaRas4.jpx'; Other = 'a.jpg v7lKh2SLQ1S-9YTEasuFJjy.jpx' }
        @{ What = 'another place of a line break in a list'; One = 'Log : one tw', '      o three'; Other = 'Log : one', '      two three' }
        @{ What = 'another moment at a line break'; One = 'Log : at 2026-11-26', '      10:50:50Z, 0.1 s late'
            Other = 'Log : at 2026-11-27 11:00:00Z, 0.0', '      s late' }
        @{ What = 'another order of errors'; One = 'Get-X: a', '  Recommendation: b', 'Get-X: c'
            Other = 'Get-X: c', 'Get-X: a', '  Recommendation: b' }
        @{ What = 'another id in a view'; One = 'voss:10e…-e38e7aaa5075 Succeeded'; Other = 'voss:49e…-440311114bb3 Succeeded' }
    ) {
        ConvertTo-Comparable $One /home/x | Should -BeExactly (ConvertTo-Comparable $Other /home/x)
    }

    It 'sees <What>' -ForEach @(
        @{ What = 'another status'; From = 'Uploaded'; To = 'Skipped' }
        @{ What = 'another name of a column'; From = 'RemoteName'; To = 'Name' }
        @{ What = 'a file that is missing'; From = 'Failed             b#.jpg'; To = '' }
        @{ What = 'an error that was not there'; From = 'Status     Rate'; To = "Get-X: a`nStatus     Rate" }
        @{ What = 'another name'; From = 'a.jpg'; To = 'A.jpg' }
    ) {
        ConvertTo-Comparable ($table.Replace($From, $To)) /home/x | Should -Not -BeExactly (ConvertTo-Comparable $table /home/x)
    }

    It 'finds <What>' -ForEach @(
        @{ What = 'a command that does not exist'; Text = 'Connect-IngestServer https://x.example.org'; Fault = 'Connect-IngestServer*' }
        @{ What = 'a parameter that does not exist'; Text = 'Connect-IngestService Ica -SecretIn env:X'; Fault = '*SecretIn*' }
        @{ What = 'a text that is no command'; Text = 'Connect-IngestService ('; Fault = '*' }
    ) {
        Get-CommandFault $Text . | Should -BeLike $Fault
    }
}
