Describe 'Register-BulkLoadSchedule' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-VossOption $sandbox @{ requestsPerSecond = 0 }
        $book = New-TestWorkbook (Join-Path $TestDrive users.xlsx) -Row @(, ('jane', 'jane@example.org'))
        function Get-Schedule([string] $FileName) { Invoke-Sandbox $sandbox 'voss/schedules' | ForEach-Object { $_ } | Where-Object fileName -EQ $FileName }
    }
    BeforeEach { $sent = Send-IngestFile $book -Hierarchy sys.hcs.Provider -UniqueName }
    AfterAll { Stop-IngestSandbox }

    It 'registers wall time in a zone, and tells it in local time, in UTC and in the server''s terms' {
        $made = $sent | Register-BulkLoadSchedule -At '2040-12-01 02:30' -TimeZone Asia/Kathmandu
        $schedule = Get-Schedule $sent.FileName
        $schedule.executeDate, $schedule.executeTime, $schedule.executeTimezone | Should -Be '2040-12-01', '02:30:00', '345'
        $made.Kind, $made.ScheduledFor | Should -Be 'Schedule', ([datetimeoffset]'2040-12-01T02:30:00+05:45')
        $made.Message | Should -Be ('Runs at 2040-12-01 02:30:00 +05:45 (Asia/Kathmandu), 2040-11-30 20:45:00 UTC; ' +
            'sent as execute_date 2040-12-01, execute_time 02:30:00, execute_timezone 345.')
        ($made | Wait-Transaction -PollInterval 0.1).Status | Should -Be Succeeded
    }

    It 'sends <At> of <Zone> as <Terms>' -ForEach @(
        @{ At = '2040-07-15 02:30'; Zone = 'Australia/Lord_Howe'; Terms = '2040-07-15 02:30:00 630' }
        @{ At = '2040-01-15 02:30'; Zone = 'Australia/Lord_Howe'; Terms = '2040-01-15 02:30:00 660' }
        @{ At = '2040-01-15 02:30'; Zone = 'America/St_Johns'; Terms = '2040-01-15 02:30:00 -210' }
        @{ At = '2040-07-15T00:30:00Z'; Zone = 'W. Europe Standard Time'; Terms = '2040-07-15 02:30:00 120' }
    ) {
        $null = Register-BulkLoadSchedule $sent.FileName -Hierarchy sys.hcs.Provider -At $At -TimeZone $Zone
        $schedule = Get-Schedule $sent.FileName
        "$($schedule.executeDate) $($schedule.executeTime) $($schedule.executeTimezone)" | Should -Be $Terms
    }

    It 'takes date objects: of a kind as that instant, of none as wall time' {
        $utc = [datetime]::new(2040, 7, 15, 0, 30, 0, [DateTimeKind]::Utc)
        ($sent | Register-BulkLoadSchedule -At $utc -TimeZone Europe/Zurich).ScheduledFor | Should -Be ([datetimeoffset] $utc)
        ($sent | Register-BulkLoadSchedule -At ([datetime] '2040-07-15 02:30') -TimeZone Europe/Zurich).ScheduledFor | Should -Be ([datetimeoffset] $utc)
        ($sent | Register-BulkLoadSchedule -At (Get-Date).AddHours(1)).ScheduledFor | Should -BeGreaterThan ([datetimeoffset]::Now.AddMinutes(59))
    }

    It 'refuses <What>, and takes it with -Force' -ForEach @(
        @{ What = 'a time that the clocks pass over'; At = '2040-03-11 02:30'; Zone = 'America/New_York'; Said = 'put forward over it'; Forced = '2040-03-11T07:30:00Z' }
        @{ What = 'a time that comes twice'; At = '2040-11-04 01:30'; Zone = 'America/New_York'; Said = 'comes twice'; Forced = '2040-11-04T05:30:00Z' }
        @{ What = 'a time that has passed'; At = '2020-01-01 00:00'; Zone = 'UTC'; Said = 'has passed'; Forced = '2020-01-01T00:00:00Z' }
    ) {
        $failure = Get-FirstError { $sent | Register-BulkLoadSchedule -At $At -TimeZone $Zone }
        $failure.FullyQualifiedErrorId | Should -BeLike 'InvalidSchedule,*'
        "$failure" | Should -Match $Said
        $failure.ErrorDetails.RecommendedAction | Should -Match '-Force'
        ($sent | Register-BulkLoadSchedule -At $At -TimeZone $Zone -Force).ScheduledFor | Should -Be ([datetimeoffset] $Forced)
    }

    It 'refuses <_> as a time' -ForEach 'tomorrow', '12/01/2040 02:30', '2040-02-30 02:30' {
        (Get-FirstError { $sent | Register-BulkLoadSchedule -At $_ }).FullyQualifiedErrorId | Should -BeLike 'InvalidSchedule,*'
    }

    It 'refuses an unknown zone' {
        "$(Get-FirstError { $sent | Register-BulkLoadSchedule -At '2040-12-01 02:30' -TimeZone Europe/Nowhere })" | Should -Match 'does not know the time zone'
    }

    It 'writes the server''s own calendar under <_>' -ForEach 'tr-TR', 'ar-SA', 'fa-IR', 'th-TH' {
        $before = [cultureinfo]::CurrentCulture
        try {
            [cultureinfo]::CurrentCulture = $_
            $made = $sent | Register-BulkLoadSchedule -At '2040-12-01 02:30' -TimeZone Asia/Kolkata
            $made.Message | Should -BeLike 'Runs at 2040-12-01 02:30:00 +05:30*'
            (Get-Schedule $sent.FileName).executeDate | Should -Be '2040-12-01'
        }
        finally { [cultureinfo]::CurrentCulture = $before }
    }

    It 'says at -WhatIf when it would run, and makes nothing' {
        $said = $sent | Register-BulkLoadSchedule -At '2040-12-01 02:30' -TimeZone Asia/Kathmandu -WhatIf
        $said | Should -BeNullOrEmpty
        Get-Schedule $sent.FileName | Should -BeNullOrEmpty
    }

    It 'is gone from the server once it ran, and is then a load of its own' {
        $null = $sent | Register-BulkLoadSchedule -At '2040-12-01 02:30' -TimeZone UTC
        $null = Invoke-Sandbox $sandbox 'voss/schedules/run' Post
        Get-Schedule $sent.FileName | Should -BeNullOrEmpty
        $ran = Invoke-Sandbox $sandbox 'voss/transactions' | ForEach-Object { $_ } | Where-Object { $_.action -eq 'Execute Schedule' -and $_.fileName -eq $sent.FileName }
        (Get-Transaction "voss:$($ran.pkid)").Completed | Should -Be 1
    }

    It 'completes time zones' {
        $text = 'Register-BulkLoadSchedule x.xlsx -TimeZone Asia/Kathm'
        (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Contain 'Asia/Kathmandu'
        $text = 'Register-BulkLoadSchedule x.xlsx -TimeZone kathm'
        (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Contain 'Asia/Kathmandu'
    }
}
