Describe 'Start-BulkIngest' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $files = New-TestFile $TestDrive (1..5 | ForEach-Object { "f$_.jpg" })
        function Get-Start([string] $Shortcode) {
            Get-EndedRequest $sandbox | Where-Object { $_.method -eq 'POST' -and $_.target -eq "/projects/$Shortcode/bulk-ingest" }
        }
    }

    BeforeEach { $shortcode = New-Shortcode }
    AfterEach { Clear-SandboxFault $sandbox }
    AfterAll { Stop-IngestSandbox }

    It 'starts a project once, after all its uploads' {
        $transaction = $files | Send-IngestFile -Shortcode $shortcode | Start-BulkIngest
        $transaction.PSObject.TypeNames[0] | Should -Be 'IngestTools.Transaction'
        $transaction.Id | Should -Be "dsp:$shortcode"
        $transaction.Shortcode | Should -Be $shortcode
        $transaction.Connection | Should -Be 'DspIngest'
        @(Get-Start $shortcode).Count | Should -Be 1
    }

    It 'starts each of several projects' {
        $other = New-Shortcode
        $ids = & { Send-IngestFile $files[0, 1] -Shortcode $shortcode; Send-IngestFile $files[2] -Shortcode $other } | Start-BulkIngest | Wait-Transaction -PollInterval 0.1
        $ids.Id | Sort-Object | Should -Be "dsp:$shortcode", "dsp:$other"
    }

    It 'starts just the project that is named' {
        $other = New-Shortcode
        $results = & { Send-IngestFile $files[0] -Shortcode $shortcode; Send-IngestFile $files[1] -Shortcode $other }
        ($results | Start-BulkIngest -Shortcode $other.ToLowerInvariant() -Wait).Shortcode | Should -Be $other
        Get-Start $shortcode | Should -BeNullOrEmpty
    }

    It 'starts a project by its shortcode, as text and as a property' {
        $null = Send-IngestFile $files[0] -Shortcode $shortcode
        (Start-BulkIngest $shortcode -Wait).Status | Should -Be 'Succeeded'
        $null = Send-IngestFile $files[1] -Shortcode $shortcode
        ($shortcode | Start-BulkIngest -Wait).Status | Should -Be 'Succeeded'
        $null = Send-IngestFile $files[2] -Shortcode $shortcode
        ([pscustomobject]@{ Shortcode = $shortcode; Remark = 'x' } | Start-BulkIngest -Wait).Status | Should -Be 'Succeeded'
    }

    It 'does not start where an upload failed, unless forced' {
        $results = $files[0], (Join-Path $TestDrive 'missing.jpg') | Send-IngestFile -Shortcode $shortcode -ErrorAction SilentlyContinue
        $null = $results | Start-BulkIngest -ErrorVariable errors -ErrorAction SilentlyContinue
        Get-Start $shortcode | Should -BeNullOrEmpty
        $errors[0].FullyQualifiedErrorId | Should -Be 'Rejected,IngestTools.PowerShell.Commands.StartBulkIngestCommand'
        $errors[0].TargetObject | Should -Be $shortcode
        "$($errors[0])" | Should -Match '1 of its uploads failed.*missing\.jpg'
        $run = $results | Start-BulkIngest -Force -Wait -WarningVariable warnings -WarningAction SilentlyContinue
        $run.Status, $run.Total | Should -Be 'Succeeded', 1
        # One of one is not all that was given, so the start says what is missing.
        "$warnings" | Should -Match 'started without all files: 1 of its uploads failed.*missing\.jpg'
    }

    It 'does not start where a path that was given leads nowhere' {
        $results = Send-IngestFile $files[0], 'NoDrive:/nope.txt' -Shortcode $shortcode -ErrorAction SilentlyContinue
        $null = $results | Start-BulkIngest -ErrorVariable errors -ErrorAction SilentlyContinue
        Get-Start $shortcode | Should -BeNullOrEmpty
        "$errors" | Should -Match '1 of its uploads failed.*NoDrive:/nope\.txt'
    }

    It 'knows uploads that were read from a file: <_>' -ForEach 'Clixml', 'Csv', 'Json' {
        $missing = Join-Path $TestDrive 'missing.jpg'
        $results = $files[0, 1] + $missing | Send-IngestFile -Shortcode $shortcode -ErrorAction SilentlyContinue
        $read = Use-File $results $_
        $null = $read | Start-BulkIngest -ErrorVariable errors -ErrorAction SilentlyContinue
        Get-Start $shortcode | Should -BeNullOrEmpty
        "$errors" | Should -Match '1 of its uploads failed.*missing\.jpg'
        ($read | Where-Object Path -NE $missing | Start-BulkIngest -Wait).Total | Should -Be 2
    }

    It 'does not start where nothing was uploaded' {
        $null = New-TestFile $TestDrive '.hidden.jpg' | Send-IngestFile -Shortcode $shortcode | Start-BulkIngest -WarningVariable warnings -WarningAction SilentlyContinue
        Get-Start $shortcode | Should -BeNullOrEmpty
        "$warnings" | Should -Match 'nothing was uploaded'
        @() | Start-BulkIngest | Should -BeNullOrEmpty
    }

    It 'says what to give where nothing is given' {
        { Start-BulkIngest } | Should -Throw -ErrorId 'Rejected,*'
    }

    It 'says that nothing was uploaded where the server says so' {
        $failure = Get-FirstError { [CmdletBinding()] param() Start-BulkIngest $shortcode }
        $failure.FullyQualifiedErrorId | Should -Be 'NotFound,IngestTools.PowerShell.Commands.StartBulkIngestCommand'
        $failure.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $failure.TargetObject | Should -Be $shortcode
    }

    It 'sends nothing at -WhatIf' {
        $results = Send-IngestFile $files[0] -Shortcode $shortcode
        $before = @(Get-SandboxRequest $sandbox).number
        $results | Start-BulkIngest -WhatIf | Should -BeNullOrEmpty
        Get-SandboxRequest $sandbox | Where-Object number -NotIn $before | Should -BeNullOrEmpty
    }

    It 'stops at Ctrl+C while others hold the project, and starts nothing' {
        $null = Send-IngestFile $files[0] -Shortcode $shortcode
        Set-SandboxFault $sandbox 'lock=60s'
        $stopped = Invoke-AndStop -Argument @($sandbox.Uri, (Get-SandboxToken $sandbox), $shortcode) -When { @(Get-SandboxRequest $sandbox | Where-Object status -EQ 409).Count -gt 0 } {
            param($uri, $token, $shortcode)
            $null = Connect-IngestService DspIngest $uri -Token (ConvertTo-SecureString $token -AsPlainText -Force)
            Start-BulkIngest $shortcode
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
        (Get-SandboxProject $sandbox $shortcode).runs | Should -Be 0
    }
}
