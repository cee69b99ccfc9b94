Describe 'Register-BulkLoadSchedule, by the scheduler' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
        $folder = Join-Path $TestDrive 'scans'
        $null = New-TestFile $folder 'one.jpg', 'two.jpg', 'box 1/three.jpg'
        $load = @{ Path = $folder; Shortcode = '0001'; Connection = 'archive' }
        function Get-RegisterError([hashtable] $Argument) {
            Get-FirstError { [CmdletBinding()] param() Register-BulkLoadSchedule @Argument }
        }
    }

    AfterEach { Unregister-BulkLoadSchedule * }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'gives the schedule, with its next five times' {
        $schedule = Register-BulkLoadSchedule -Name nightly @load -Cron '15 2 * * *' -TimeZone Asia/Kathmandu
        $schedule.PSObject.TypeNames[0] | Should -Be 'IngestTools.BulkLoadSchedule'
        $schedule.Name, $schedule.Status | Should -Be 'nightly', 'Active'
        $schedule.NextRuns.Count | Should -Be 5
        $schedule.NextRuns | ForEach-Object { $_.ToString('HH:mm zzz') } | Should -Be (@('02:15 +05:45') * 5)
        $schedule.NextRunUtc.ToString('HH:mm') | Should -Be '20:30'
        $schedule.Definition.Load.Kind, $schedule.Definition.Load.Path | Should -Be 'BulkIngest', $folder
    }

    It 'runs the load at its time, and keeps the mapping' {
        $shortcode = New-Shortcode
        $mapping = Join-Path $TestDrive 'kept.csv'
        $null = Register-BulkLoadSchedule -Name soon -Path $folder -Recurse -Shortcode $shortcode -MappingPath $mapping -Connection archive -At (Get-Date).AddSeconds(1)
        Wait-Until { Get-BulkLoadRun soon } 'the run is planned'
        $ended = Get-BulkLoadRun soon | Wait-Transaction -PollInterval 0.1
        $ended.Status | Should -Be 'Succeeded'
        (Import-Csv $mapping).Count | Should -Be 3
        (Get-BulkLoadRun soon).Manual | Should -BeFalse
        (Get-BulkLoadSchedule soon).Status | Should -Be 'Ended'
    }

    It 'runs it again and again' {
        $null = Register-BulkLoadSchedule -Name often -Path $folder -Shortcode (New-Shortcode) -Connection archive -Every 1
        Wait-Until { @(Get-BulkLoadRun often -Status Succeeded).Count -ge 2 } 'two runs'
    }

    It 'takes <What> of -At as the cmdlet for the server does' -ForEach @(
        @{ What = 'wall time'; At = '2040-07-15 02:30'; Expected = '2040-07-15T00:30:00Z' }
        @{ What = 'an instant'; At = '2040-07-15T02:30:00Z'; Expected = '2040-07-15T02:30:00Z' }
        @{ What = 'a date of no kind'; At = [datetime] '2040-07-15 02:30'; Expected = '2040-07-15T00:30:00Z' }
        @{ What = 'a date of a kind'; At = [datetime]::new(2040, 7, 15, 2, 30, 0, [DateTimeKind]::Utc); Expected = '2040-07-15T02:30:00Z' }
    ) {
        (Register-BulkLoadSchedule -Name once @load -At $At -TimeZone Europe/Zurich).NextRun | Should -Be ([datetimeoffset] $Expected)
    }

    It 'takes the path from where the session is' {
        Push-Location $TestDrive
        try { (Register-BulkLoadSchedule -Name here -Path scans -Shortcode 0001 -Connection archive -Every 3600).Definition.Load.Path | Should -Be $folder }
        finally { Pop-Location }
    }

    It 'shows the next five times at -WhatIf, and registers nothing' {
        $said = Invoke-Child -Argument (Get-IngestScheduler).Socket, $folder {
            param($socket, $folder)
            $env:INGESTTOOLS_SCHEDULER_SOCKET = $socket
            Register-BulkLoadSchedule -Name nightly -Path $folder -Shortcode 0001 -Connection archive -Cron '15 2 * * *' -TimeZone UTC -WhatIf
        }
        @($said -match '02:15:00 UTC').Count | Should -Be 5
        $said -join ' ' | Should -Match 'nightly'
        Get-BulkLoadSchedule | Should -BeNullOrEmpty
    }

    It 'shows them in the zone of the schedule, where clock changes are seen' {
        $said = Invoke-Child -Argument (Get-IngestScheduler).Socket, $folder {
            param($socket, $folder)
            $env:INGESTTOOLS_SCHEDULER_SOCKET = $socket
            $load = @{ Path = $folder; Shortcode = '0001'; Connection = 'archive' }
            Register-BulkLoadSchedule -Name gap @load -Cron '30 2 31 3 *' -TimeZone Europe/Zurich -WhatIf
            Register-BulkLoadSchedule -Name once @load -At '2040-10-28 02:30' -TimeZone Europe/Zurich -Force -WhatIf
            Register-BulkLoadSchedule -Name kathmandu @load -Cron '15 2 * * *' -TimeZone Asia/Kathmandu | Format-List
        }
        # The last Sunday of March 2030 and 2041 is a 31st: what the clocks pass over is run when they have.
        @($said -match '03-31 0(2:30:00 \+02:00 \(00:30|3:00:00 \+02:00 \(01:00):00 UTC\)').Count | Should -Be 5
        $said -join ' ' | Should -Match '2040-10-28 02:30:00 \+02:00 \(00:30:00 UTC\)'
        @($said -match '02:15:00 \+05:45 \(20:30:00 UTC\)').Count | Should -Be 5
    }

    It 'runs a time that had passed once, however often the same is registered with -Force' {
        $once = @{ Path = $folder; Shortcode = New-Shortcode; Connection = 'archive'; At = '2020-01-01 00:00'; Force = $true }
        $null = Register-BulkLoadSchedule -Name script @once
        Wait-Until { Get-BulkLoadRun script -Status Succeeded } 'it has run'
        $again = Register-BulkLoadSchedule -Name script @once
        $again.Status, $again.LastRun.Status | Should -Be 'Ended', 'Succeeded'
        @(Get-BulkLoadRun script).Count | Should -Be 1
    }

    It 'takes the default profile where none is named, and says what is missing where there is none' {
        $without = @{ Path = $folder; Shortcode = '0001'; Every = 3600; Name = 'x' }
        $failure = Get-RegisterError $without
        $failure.FullyQualifiedErrorId | Should -Be 'NoConnection,IngestTools.PowerShell.Commands.RegisterBulkLoadScheduleCommand'
        $failure.ErrorDetails.RecommendedAction | Should -Match '-Save'
        $login = @{ UserName = 'root@example.com'; SecretFrom = "file:$(Join-Path $TestDrive password)"; AuthenticationUri = $sandbox.Uri; NoProxy = $true }
        Connect-IngestService -Service DspIngest -Uri $sandbox.Uri -Name usual @login -Save -Default | Disconnect-IngestService
        try { (Register-BulkLoadSchedule @without).Definition.Load.Connection | Should -Be 'usual' }
        finally { Disconnect-IngestService usual -Saved }
    }

    It 'refuses a name in use, and replaces it with -Force' {
        $null = Register-BulkLoadSchedule -Name nightly @load -Every 3600
        (Get-RegisterError (@{ Name = 'NIGHTLY'; Every = 60 } + $load)).FullyQualifiedErrorId | Should -BeLike 'NameInUse,*'
        (Register-BulkLoadSchedule -Name nightly @load -Every 60 -Force).Definition.Every | Should -Be ([timespan]::FromMinutes(1))
        @(Get-BulkLoadSchedule).Count | Should -Be 1
    }

    It 'refuses <What> with the error <Id>' -ForEach @(
        @{ What = 'no time'; More = @{}; Id = 'InvalidSchedule' }
        @{ What = 'two times'; More = @{ Every = 60; Cron = '* * * * *' }; Id = 'InvalidSchedule' }
        @{ What = 'a bad cron text'; More = @{ Cron = '61 * * * *' }; Id = 'InvalidSchedule' }
        @{ What = 'a cron text of four fields'; More = @{ Cron = '1 2 3 4' }; Id = 'InvalidSchedule' }
        @{ What = 'a zone that does not exist'; More = @{ Cron = '1 2 * * *'; TimeZone = 'Europe/Nowhere' }; Id = 'InvalidSchedule' }
        @{ What = 'a time that does not exist'; More = @{ At = '2040-03-11 02:30'; TimeZone = 'America/New_York' }; Id = 'InvalidSchedule' }
        @{ What = 'a time that has passed'; More = @{ At = '2020-01-01 00:00' }; Id = 'InvalidSchedule' }
        @{ What = 'a path that is not there'; More = @{ Every = 60; Path = '/nowhere/at/all' }; Id = 'FileNotFound' }
        @{ What = 'a connection that is not saved'; More = @{ Every = 60; Connection = 'nobody' }; Id = 'NoConnection' }
        @{ What = 'a name that is none'; More = @{ Every = 60; Name = 'a/b' }; Id = 'InvalidSchedule' }
    ) {
        $argument = $load.Clone()
        $argument.Name = 'bad'
        foreach ($key in $More.Keys) { $argument[$key] = $More[$key] }
        $failure = Get-RegisterError $argument
        $failure.FullyQualifiedErrorId | Should -Be "$Id,IngestTools.PowerShell.Commands.RegisterBulkLoadScheduleCommand"
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        Get-BulkLoadSchedule | Should -BeNullOrEmpty
    }

    It 'takes a time that has passed with -Force, and runs at once' {
        $null = Register-BulkLoadSchedule -Name late -Path $folder -Shortcode (New-Shortcode) -Connection archive -At '2020-01-01 00:00' -Force
        Wait-Until { Get-BulkLoadRun late -Status Succeeded } 'it has run'
    }

    It 'takes the rows of a table, each with times of its own' {
        $table = Join-Path $TestDrive 'schedules.csv'
        Set-Content $table @(
            'Name,Path,Shortcode,Connection,Cron,Every'
            "first,$folder,0001,archive,15 2 * * *,"
            "second,$folder,0002,archive,,01:00:00"
        )
        $made = Import-Csv $table | Register-BulkLoadSchedule
        $made.Name | Should -Be 'first', 'second'
        $made[0].Definition.Cron | Should -Be '15 2 * * *'
        $made[1].Definition.Every | Should -Be ([timespan]::FromHours(1))
    }

    It 'takes objects of every kind of load for what they are: <Expected>' -ForEach @(
        @{ Object = @{ Path = 'x.xlsx'; Hierarchy = 'sys.hcs' }; Expected = 'Voss' }
        @{ Object = @{ Path = 'x'; Shortcode = '0001' }; Expected = 'DspIngest' }
        @{ Object = @{ Source = 's3://b/'; Repository = 'r'; Branch = 'main' }; Expected = 'LakeFs' }
        @{ Object = @{ DataIdPath = 'ids.csv'; ProjectId = 'p' }; Expected = 'Ica' }
    ) {
        $failure = Get-FirstError { [CmdletBinding()] param() [pscustomobject]($Object + @{ Name = 'x'; Every = '01:00:00' }) | Register-BulkLoadSchedule }
        # Without a connection the error tells which service it would have been.
        "$failure" | Should -Match "connection to $Expected"
    }

    It 'takes an hour off nobody: 3600, 01:00:00 and a time span are the same' {
        foreach ($every in 3600, '01:00:00', [timespan]::FromHours(1)) {
            (Register-BulkLoadSchedule -Name hourly @load -Every $every -Force).Definition.Every | Should -Be ([timespan]::FromHours(1))
        }
    }
}
