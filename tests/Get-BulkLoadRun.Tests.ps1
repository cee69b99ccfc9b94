Describe 'Get-BulkLoadRun' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $null = Start-TestScheduler
        Save-TestConnection $sandbox
        'nightly', 'hourly', 'never' | ForEach-Object { $null = New-TestSchedule $_ }
        $begin = [DateTimeOffset]::Now
        $first = Start-BulkLoadSchedule nightly | Wait-Transaction -PollInterval 0.1
        Set-SandboxOption $sandbox @{ ingestFails = @('two*') }
        $second = Start-BulkLoadSchedule hourly | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue
        Set-SandboxOption $sandbox @{ ingestFails = @() }
        $third = Start-BulkLoadSchedule nightly | Wait-Transaction -PollInterval 0.1
    }

    AfterAll {
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'lists all, newest first, without their logs' {
        $runs = Get-BulkLoadRun
        $runs.Id | Should -Be ($third.Id, $second.Id, $first.Id)
        $runs[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.BulkLoadRun'
        $runs.Log | Where-Object { $_ } | Should -BeNullOrEmpty
    }

    It 'lists those of a schedule, by name and by pattern' {
        (Get-BulkLoadRun nightly).Id | Should -Be ($third.Id, $first.Id)
        (Get-BulkLoadRun [h]ourl*).Id | Should -Be $second.Id
        (Get-BulkLoadSchedule hourly | Get-BulkLoadRun).Id | Should -Be $second.Id
    }

    It 'lists no more than asked for' {
        (Get-BulkLoadRun -Newest 2).Id | Should -Be ($third.Id, $second.Id)
        (Get-BulkLoadRun [n]ight* -Newest 1).Id | Should -Be $third.Id
    }

    It 'lists those that stand there' {
        (Get-BulkLoadRun -Status PartlySucceeded).Id | Should -Be $second.Id
        (Get-BulkLoadRun -Status PartlySucceeded, Failed, Succeeded).Count | Should -Be 3
        Get-BulkLoadRun -Status Missed | Should -BeNullOrEmpty
    }

    It 'lists those that were due since' {
        @(Get-BulkLoadRun -Since $begin).Count | Should -Be 3
        Get-BulkLoadRun -Since (Get-Date).AddHours(1) | Should -BeNullOrEmpty
    }

    It 'gives one with its log, its transactions and its message' {
        $run = Get-BulkLoadRun -Id $second.Id
        $run.Status | Should -Be 'PartlySucceeded'
        $run.TransactionIds | Should -Match '^dsp:'
        $run.Message | Should -Not -BeNullOrEmpty
        $run.Completed | Should -Be 1
        $run.Total | Should -Be 2
        $run.Log.Count | Should -BeGreaterThan 1
        $run.Log[0].Message | Should -Not -BeNullOrEmpty
        ($run.TransactionIds | Get-Transaction -Connection archive).Status | Should -Be 'Succeeded'
    }

    It 'takes runs and transactions from the pipeline, and their numbers' {
        (Get-BulkLoadRun nightly -Newest 1 | Get-BulkLoadRun).Log | Should -Not -BeNullOrEmpty
        ($third | Get-BulkLoadRun).Id | Should -Be $third.Id
        (Get-BulkLoadRun -Id ($third.Id -replace 'run:')).Id | Should -Be $third.Id
    }

    It 'tells a schedule that has not run from one that is not there' {
        Get-BulkLoadRun never | Should -BeNullOrEmpty
        (Get-FirstError { [CmdletBinding()] param() Get-BulkLoadRun nothing }).FullyQualifiedErrorId | Should -Match '^NotFound,'
    }

    It 'writes an error for a run that is not there, and for what is no run' {
        (Get-FirstError { [CmdletBinding()] param() Get-BulkLoadRun -Id run:99999 }).FullyQualifiedErrorId | Should -Match '^NotFound,'
        (Get-FirstError { [CmdletBinding()] param() Get-BulkLoadRun -Id dsp:0001 }).FullyQualifiedErrorId | Should -Match '^Rejected,'
    }
}
