Describe 'Wait-Transaction' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $files = New-TestFile $TestDrive 'one.jpg', 'two.jpg', 'broken.jpg'
        function Start-Slowly([string] $Shortcode) {
            Set-SandboxOption $sandbox @{ ingestMs = 60000 }
            Send-IngestFile $files[0] -Shortcode $Shortcode | Start-BulkIngest
        }
    }

    BeforeEach { $shortcode = New-Shortcode }
    AfterEach { Set-SandboxOption $sandbox @{ ingestMs = 2; ingestFails = @() } }
    AfterAll { Stop-IngestSandbox }

    It 'writes each transaction when it ends' {
        $other = New-Shortcode
        $started = & { Send-IngestFile $files[0, 1] -Shortcode $shortcode; Send-IngestFile $files[0] -Shortcode $other } | Start-BulkIngest
        $ended = $started | Wait-Transaction -PollInterval 0.1
        $ended.Status | Should -Be 'Succeeded', 'Succeeded'
        ($ended | Where-Object Shortcode -EQ $shortcode).Completed | Should -Be 2
    }

    It 'takes ids, as text and as a property' {
        $null = Send-IngestFile $files[0] -Shortcode $shortcode | Start-BulkIngest -Wait
        (Wait-Transaction "dsp:$shortcode").Status | Should -Be 'Succeeded'
        ("dsp:$shortcode" | Wait-Transaction).Status | Should -Be 'Succeeded'
        ([pscustomobject]@{ Id = "dsp:$shortcode"; Remark = 'x' } | Wait-Transaction).Status | Should -Be 'Succeeded'
        (Get-Transaction "dsp:$shortcode" | ConvertTo-Json | ConvertFrom-Json | Wait-Transaction).Status | Should -Be 'Succeeded'
    }

    It 'writes an error for each file that was left over' {
        Set-SandboxOption $sandbox @{ ingestFails = @('broken*') }
        $ended = $files | Send-IngestFile -Shortcode $shortcode | Start-BulkIngest | Wait-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue
        $ended.Status | Should -Be 'PartlySucceeded'
        $errors.Count | Should -Be 1
        $errors[0].FullyQualifiedErrorId | Should -Be 'ItemFailed,IngestTools.PowerShell.Commands.WaitTransactionCommand'
        $errors[0].TargetObject | Should -Be 'broken.jpg'
    }

    It 'writes an error and the transaction when time is up, and leaves the run alone' {
        $ended = Start-Slowly $shortcode | Wait-Transaction -Timeout 0.5 -PollInterval 0.1 -ErrorVariable errors -ErrorAction SilentlyContinue
        $ended.Status | Should -Be 'Running'
        $errors[0].FullyQualifiedErrorId | Should -Be 'WaitTimedOut,IngestTools.PowerShell.Commands.WaitTransactionCommand'
        $errors[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        (Get-Transaction "dsp:$shortcode").Status | Should -Be 'Running'
    }

    It 'ends with the first that ends at -Any' {
        $slow = Start-Slowly $shortcode
        Set-SandboxOption $sandbox @{ ingestMs = 2 }
        $quick = Send-IngestFile $files[0] -Shortcode (New-Shortcode) | Start-BulkIngest
        ($slow, $quick | Wait-Transaction -Any -PollInterval 0.1).Id | Should -Be $quick.Id
    }

    It 'takes no time that is none' {
        { Wait-Transaction dsp:0001 -Timeout 0 } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,*'
    }

    It 'writes an error for what is no id' {
        $failure = Get-FirstError { [CmdletBinding()] param() Wait-Transaction nonsense }
        $failure.FullyQualifiedErrorId | Should -Be 'Rejected,IngestTools.PowerShell.Commands.WaitTransactionCommand'
        $failure.TargetObject | Should -Be 'nonsense'
    }

    It 'stops at Ctrl+C, and leaves the run alone' {
        $started = Start-Slowly $shortcode
        $seen = @(Get-SandboxRequest $sandbox).Count
        $stopped = Invoke-AndStop -Argument @($sandbox.Uri, (Get-SandboxToken $sandbox), $started.Id) -When { @(Get-SandboxRequest $sandbox).Count -gt $seen } {
            param($uri, $token, $id)
            $null = Connect-IngestService DspIngest $uri -Token (ConvertTo-SecureString $token -AsPlainText -Force)
            Wait-Transaction $id
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
        (Get-Transaction $started).Status | Should -Be 'Running'
    }

    It 'completes the ids that this session has seen' {
        $null = Get-Transaction "dsp:$shortcode"
        $text = 'Wait-Transaction dsp:'
        [System.Management.Automation.CommandCompletion]::CompleteInput($text, $text.Length, $null).CompletionMatches.CompletionText | Should -Contain "dsp:$shortcode"
    }
}

Describe 'Wait-Transaction, of lakeFS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-LakeFsOption $sandbox @{ statusMs = 1; writeMs = 1; importSticks = @('s3://bucket/single/*') }
    }

    AfterAll { Stop-IngestSandbox }

    It 'waits out that the server does not know the import yet' {
        Set-LakeFsOption $sandbox @{ version = '1.73.0'; recordMs = 500 }
        try { (Start-Import lake main s3://bucket/prefix/ a/ | Wait-Transaction -PollInterval 0.05).Status | Should -Be 'Succeeded' }
        finally { Set-LakeFsOption $sandbox @{ version = '1.84.0' } }
    }

    It 'waits for many at once' {
        foreach ($i in 1..10) { Set-LakeFsBranch $sandbox "many$i" @{ keys = @() } }
        $ended = 1..10 | ForEach-Object { Start-Import lake "many$_" s3://bucket/prefix/ x/ } | Wait-Transaction -PollInterval 0.05
        $ended.Status | Should -Be (@('Succeeded') * 10)
    }

    It 'leaves an import that stands still alone when time is up' {
        $started = Start-Import lake main s3://bucket/single/ x/
        $seen = $started | Wait-Transaction -Timeout 0.5 -PollInterval 0.1 -ErrorAction SilentlyContinue -ErrorVariable failed
        $seen.Status | Should -Be 'Running'
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'WaitTimedOut,*'
        @(Get-SandboxRequest $sandbox | Where-Object method -EQ DELETE) | Should -BeNullOrEmpty
    }
}

Describe 'Wait-Transaction of VOSS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-VossOption $sandbox @{ requestsPerSecond = 0 }
        $book = New-TestWorkbook (Join-Path $TestDrive users.xlsx) -Row @(, ('jane', 'jane@example.org'))
        $sent = Send-IngestFile $book -Hierarchy sys.hcs.Provider
    }
    AfterAll { Stop-IngestSandbox }

    It 'looks at all in one request' {
        Set-VossOption $sandbox @{ queueMs = 1500 }
        $loads = 1..5 | ForEach-Object { $sent | Start-BulkLoad -Again }
        $ended = $loads.Id | Wait-Transaction -PollInterval 0.2
        $ended.Status | Select-Object -Unique | Should -Be Succeeded
        $polls = @(Get-SandboxRequest $sandbox | Where-Object target -Like '*/poll/*')
        @($polls | Where-Object { ($_.target -split ',').Count -eq 5 }) | Should -Not -BeNullOrEmpty
    }

    It 'leaves a load alone when its time is up' {
        Set-VossOption $sandbox @{ queueMs = 600000 }
        $errors = @()
        $seen = $sent | Start-BulkLoad -Again | Wait-Transaction -Timeout 0.5 -ErrorAction SilentlyContinue -ErrorVariable errors
        $seen.Status | Should -Be Queued
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'WaitTimedOut,*'
    }
}
