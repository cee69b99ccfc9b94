Describe 'Get-Transaction' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $started = New-TestFile $TestDrive 'one.jpg' | Send-IngestFile -Shortcode 0001 | Start-BulkIngest
        $null = $started | Wait-Transaction -PollInterval 0.1
    }

    AfterAll { Stop-IngestSandbox }

    It 'looks once' {
        (Get-Transaction dsp:0001).Status | Should -Be 'Succeeded'
        ($started | Get-Transaction).Completed | Should -Be 1
        (Get-Transaction $started).Id | Should -Be 'dsp:0001'
    }

    It 'tells that a project has no run' {
        (Get-Transaction dsp:00AA).Status | Should -Be 'Unknown'
    }

    It 'uses the connection of the transaction' {
        $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name nowhere -Token (ConvertTo-Secure x) -MaxAttempts 1
        try {
            ($started | Get-Transaction).Connection | Should -Be 'DspIngest'
            (Get-FirstError { [CmdletBinding()] param() Get-Transaction dsp:0001 }).FullyQualifiedErrorId | Should -BeLike 'ConnectionFailed,*'
        }
        finally { Disconnect-IngestService nowhere }
    }

    It 'goes on after an object whose connection is not known' {
        $found = [pscustomobject]@{ Id = 'dsp:0001'; Connection = 'nosuch' }, $started | Get-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue
        $found.Id | Should -Be 'dsp:0001'
        $errors.Count | Should -Be 1
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'NoConnection,*'
        $errors[0].TargetObject | Should -Be 'dsp:0001'
        { $started | Get-Transaction -Connection nosuch -ErrorAction SilentlyContinue } | Should -Throw -ErrorId 'NoConnection,*'
    }

    It 'goes on after an id that is none' {
        $found = 'nonsense', 'dsp:0001' | Get-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue
        $found.Id | Should -Be 'dsp:0001'
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
    }
}

Describe 'Get-Transaction, of what was started from here' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $hierarchy = 'sys.hcs.Provider'
        $book = New-TestWorkbook (Join-Path $TestDrive users.xlsx) -Row @(, ('jane', 'jane@example.org'))
        $connect = {
            $script:password = ConvertTo-SecureString test -AsPlainText -Force
            $null = Connect-IngestService Voss $args[0] -Credential ([pscredential]::new('hcsadmin@sys.hcs', $password)) -NoProxy
        }
        $connectText = "$connect"
    }
    BeforeEach {
        Clear-TestJournal
        $sandbox = Start-IngestSandbox -Connect
        Set-VossOption $sandbox @{ requestsPerSecond = 0 }
    }
    AfterEach {
        Stop-IngestSandbox
        Clear-TestJournal
        Get-IngestConnection | Disconnect-IngestService
        Get-IngestConnection -Saved | Disconnect-IngestService -Saved
    }

    # Fault A6: a closed terminal lost the Id for good, and nothing listed what had been started.
    It 'lists what a session that is closed has started, looked at now' {
        Set-VossOption $sandbox @{ queueMs = 600000 }
        $id = Invoke-Child {
            . ([scriptblock]::Create($args[2])) $args[0]
            (Send-IngestFile $args[1] -Hierarchy sys.hcs.Provider | Start-BulkLoad).Id
        } $sandbox.Uri, $book, $connectText
        $listed = Get-Transaction
        $listed.Id, $listed.Status, $listed.FileName, $listed.Hierarchy, $listed.Server | Should -Be $id, 'Queued', 'users.xlsx', $hierarchy, "$($sandbox.Uri)"
        @(Get-SandboxRequest $sandbox | Where-Object target -Like '*/poll/*').Count | Should -Be 1
    }

    It 'is piped to a wait in a new process' {
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        $import = Start-Import lake main s3://bucket/prefix/ raw/
        $ended = Invoke-Child {
            . ([scriptblock]::Create($args[1])) $args[0]
            $key = [pscredential]::new($args[2], (ConvertTo-SecureString $args[3] -AsPlainText -Force))
            $null = Connect-IngestService LakeFs $args[0] -Credential $key -NoProxy
            Get-Transaction | Wait-Transaction -PollInterval 0.1 | ForEach-Object { "$($_.Id) $($_.Status)" }
        } $sandbox.Uri, $connectText, 'AKIASANDBOX', 'sandbox'
        $ended | Sort-Object | Should -Be ("$($import.Id) Succeeded", "$($load.Id) Succeeded" | Sort-Object)
        Get-Transaction | Should -BeNullOrEmpty
        (Get-Transaction -Last 1).Id | Should -Be $import.Id
        (Get-Transaction -All).Status | Select-Object -Unique | Should -Be Succeeded
        (Get-Transaction -Since (Get-Date).AddHours(-1)).Count | Should -Be 2
        Get-Transaction -Since (Get-Date).AddHours(1) | Should -BeNullOrEmpty
    }

    It 'says that a start is unknown whose process was killed in the middle of it, and what to check' {
        Set-SandboxFault $sandbox 'latency=60s,POST /api/tool/BulkLoad/'
        Invoke-AndKill {
            . ([scriptblock]::Create($args[2])) $args[0]
            Send-IngestFile $args[1] -Hierarchy sys.hcs.Provider | Start-BulkLoad
        } $sandbox.Uri, $book, $connectText -When { (Get-Transaction).Status -eq 'Queued' -and (Get-SandboxConnection $sandbox).requestsInFlight -gt 0 }
        Clear-SandboxFault $sandbox

        $lost = Get-Transaction
        $lost.Id | Should -Match '^start:\d+$'
        $lost.Status, $lost.Kind, $lost.FileName | Should -Be 'Unknown', 'BulkLoad', 'users.xlsx'
        $lost.Message | Should -Match "transaction log for a detail with 'users\.xlsx'"
        (Get-Transaction $lost.Id).Message | Should -Be $lost.Message
        (Get-FirstError { Stop-Transaction $lost.Id }).FullyQualifiedErrorId | Should -BeLike 'CannotCancel,*'
        $waited = $lost | Wait-Transaction -ErrorAction SilentlyContinue -ErrorVariable errors
        $waited.Status, $errors[0].FullyQualifiedErrorId | Should -Be 'Unknown', 'TransactionFailed,IngestTools.PowerShell.Commands.WaitTransactionCommand'

        $failure = Get-FirstError { Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad }
        $failure.FullyQualifiedErrorId | Should -BeLike 'AlreadyDone,*'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'users\.xlsx'
        @(Get-SandboxRequest $sandbox | Where-Object target -Like '*/BulkLoad/*').Count | Should -BeLessOrEqual 1
    }

    It 'shows a transaction as last seen, with one warning, where no connection leads to its server' {
        Set-VossOption $sandbox @{ queueMs = 600000 }
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        $second = Start-BulkLoad users.xlsx -Hierarchy sys.hcs
        $before = @(Get-SandboxRequest $sandbox).Count
        Disconnect-IngestService Voss
        $listed = Get-Transaction -WarningVariable warnings -WarningAction SilentlyContinue
        $listed.Id | Should -Be $second.Id, $load.Id
        $listed.Status | Select-Object -Unique | Should -Be Queued
        $warnings.Count | Should -Be 1
        "$warnings" | Should -Match ([regex]::Escape("Connect-IngestService -Service Voss -Uri $($sandbox.Uri)"))
        @(Get-SandboxRequest $sandbox).Count | Should -Be $before
    }

    It 'finds the connection by its server, under whichever name, and a saved profile' {
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        Disconnect-IngestService Voss
        $env:TEST_VOSS_PASSWORD = 'test'
        try {
            Connect-IngestService Voss $sandbox.Uri -Name other -UserName hcsadmin@sys.hcs -SecretFrom env:TEST_VOSS_PASSWORD -NoProxy -Save | Disconnect-IngestService
            $listed = Get-Transaction
            $listed.Id, $listed.Connection | Should -Be $load.Id, 'other'
        }
        finally { Remove-Item env:TEST_VOSS_PASSWORD }
    }

    It 'reports an error that several transactions have in common once, and shows them as last seen' {
        $loads = @(Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad) + (Start-BulkLoad users.xlsx -Hierarchy sys.hcs)
        $imports = 1..2 | ForEach-Object { Start-Import lake main s3://bucket/prefix/ raw/ }
        Set-SandboxFault $sandbox '403=GET'
        $listed = Get-Transaction -ErrorAction SilentlyContinue -ErrorVariable errors
        $listed.Id | Should -Be $imports[1].Id, $imports[0].Id, $loads[1].Id, $loads[0].Id
        $errors.Count | Should -Be 2
        $errors.FullyQualifiedErrorId | Select-Object -Unique | Should -BeLike 'NotAllowed,*'
    }

    It 'lists the transactions of a server that does not answer as Unknown, and says what to do' {
        Set-VossOption $sandbox @{ queueMs = 600000 }
        $loads = @(Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad) + (Start-BulkLoad users.xlsx -Hierarchy sys.hcs)
        Set-SandboxFault $sandbox 'stall=GET'
        $listed = Get-Transaction -ErrorAction SilentlyContinue -ErrorVariable errors
        $listed.Id | Should -Be $loads[1].Id, $loads[0].Id
        $listed.Status | Select-Object -Unique | Should -Be Unknown
        $listed[0].Message | Should -BeLike "$($sandbox.Uri) did not answer within 10 s.*Get-Transaction -Id $($loads[1].Id).*Clear-IngestJournal -Id $($loads[1].Id)*"
        $errors.Count, $errors[0].FullyQualifiedErrorId | Should -Be 1, 'TimedOut,IngestTools.PowerShell.Commands.GetTransactionCommand'

        Clear-IngestJournal -Id $loads[1].Id -Confirm:$false
        Clear-SandboxFault $sandbox
        $left = Get-Transaction
        $left.Id, $left.Status | Should -Be $loads[0].Id, 'Queued'
    }

    It 'writes those that come down the pipeline in their order' {
        $imports = 1..20 | ForEach-Object { Start-Import lake main s3://bucket/prefix/ "raw$_/" -Confirm:$false }
        Set-SandboxFault $sandbox 'latency=300ms,3,GET'
        ($imports | Get-Transaction).Id | Should -Be $imports.Id
        ($imports.Id | Get-Transaction).Id | Should -Be $imports.Id
    }

    It 'writes one that the server does not know as Unknown, with the error, and lists it no more' {
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        Set-SandboxFault $sandbox '404=GET /api/tool/Transaction/**'
        $seen = Get-Transaction $load.Id -ErrorAction SilentlyContinue -ErrorVariable errors
        $seen.Status, $errors[0].FullyQualifiedErrorId | Should -Be 'Unknown', 'NotFound,IngestTools.PowerShell.Commands.GetTransactionCommand'
        Get-Transaction -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.Count | Should -Be 0
    }

    It 'refuses a transaction of another server than the connection''s' {
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        $credential = [pscredential]::new('hcsadmin@sys.hcs', (ConvertTo-Secure test))
        $other = Connect-IngestService Voss http://127.0.0.1:1/ -NoCheck -Name other -Credential $credential -MaxAttempts 1
        foreach ($cmdlet in 'Get-Transaction', 'Wait-Transaction', 'Stop-Transaction') {
            $failure = Get-FirstError { [CmdletBinding()] param() $load | & $cmdlet -Connection $other }
            $failure.FullyQualifiedErrorId | Should -BeLike 'WrongServer,*'
            "$failure" | Should -Match ([regex]::Escape("$($sandbox.Uri)"))
        }
        ($load | Get-Transaction).Connection | Should -Be Voss
    }

    It 'completes ids of the journal in a new process' {
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        Invoke-Child { (TabExpansion2 'Wait-Transaction voss:' 22).CompletionMatches.CompletionText } | Should -Contain $load.Id
    }

    It 'keeps no record at -NoJournal, and says so where the journal is off' {
        $null = Send-IngestFile $book -Hierarchy $hierarchy -NoJournal | Start-BulkLoad -NoJournal
        $null = Start-Import lake main s3://bucket/prefix/ raw/ -NoJournal
        $null = New-DataId 1 | New-LinkingBatch -ProjectId ([guid]::NewGuid()) -NoJournal
        Get-Transaction -All | Should -BeNullOrEmpty
        $env:INGESTTOOLS_JOURNAL = 'off'
        try {
            Get-Transaction -WarningVariable warnings -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            "$warnings" | Should -Match 'turned off'
        }
        finally { Remove-Item env:INGESTTOOLS_JOURNAL }
    }

    It 'waits on where the journal cannot be used, with one warning, and starts nothing then' {
        $load = Send-IngestFile $book -Hierarchy $hierarchy | Start-BulkLoad
        $journal = Get-ChildItem $env:INGESTTOOLS_HOME -Recurse -Filter journal.db
        Clear-TestJournal
        Set-Content $journal.FullName ('x' * 4096)
        ($load.Id | Wait-Transaction -PollInterval 0.1 -WarningVariable warnings -WarningAction SilentlyContinue).Status | Should -Be Succeeded
        @($warnings | Where-Object { "$_" -match 'journal' }).Count | Should -Be 1
        foreach ($command in { Start-BulkLoad users.xlsx -Hierarchy sys.hcs.Provider }, { Start-Import lake main s3://bucket/prefix/ raw/ }, { New-DataId 1 | New-LinkingBatch -ProjectId ([guid]::NewGuid()) }, { Get-Transaction }) {
            (Get-FirstError $command).FullyQualifiedErrorId | Should -BeLike 'JournalUnavailable,*'
        }
        @(Invoke-Sandbox $sandbox 'voss/transactions').Count | Should -Be 1
    }
}

Describe 'Get-Transaction, of lakeFS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-LakeFsOption $sandbox @{ statusMs = 1; writeMs = 1; importSticks = @('s3://bucket/single/*') }
    }

    AfterAll { Stop-IngestSandbox }

    It 'tells count, commit and metarange of an import that ended' {
        $ended = Start-Import lake main s3://bucket/prefix/ raw/ | Wait-Transaction -PollInterval 0.05
        $seen = Get-Transaction $ended.Id
        $seen.Status, $seen.Completed, $seen.CommitId, $seen.MetaRangeId | Should -Be 'Succeeded', 1000, $ended.CommitId, $ended.MetaRangeId
    }

    It 'tells an import that goes on' {
        $seen = Start-Import lake main s3://bucket/single/ raw/ | Get-Transaction
        $seen.Status, $seen.ServerStatus, $seen.Completed, $seen.Total | Should -Be 'Running', 'in progress', 0, $null
    }

    It 'tells that the server no longer knows an import' {
        (Get-Transaction lakefs:lake/main/cbrk3fq1g7ad5v8m2n10).Status | Should -Be 'Unknown'
    }

    It 'refuses what is not an id of an import' {
        "$(Get-FirstError { Get-Transaction lakefs:lake/main })" | Should -Match 'repository, branch and import'
    }
}

Describe 'Get-Transaction of VOSS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-VossOption $sandbox @{ rowsFail = @('bad => The email is not valid.'); requestsPerSecond = 0 }
        $book = New-TestWorkbook (Join-Path $TestDrive users.xlsx) -Row ('jane', 'jane@example.org'), ('joe', 'bad')
        $load = Send-IngestFile $book -Hierarchy sys.hcs.Provider | Start-BulkLoad | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue
    }
    AfterAll { Stop-IngestSandbox }

    It 'shows the parts, the rows that failed and the log, by its Id alone' {
        $seen = Get-Transaction $load.Id
        $failed = @($seen.SubTransactions | Where-Object Status -EQ Failed)
        $failed.Sheet, $failed.Row, $failed.Message | Should -Be 'Users', 3, 'The email is not valid.'
        $seen.SubTransactions.Action | Should -Contain 'Execute Resource'
        $seen.Log.Message | Should -Contain 'users.xlsx is a valid workbook'
        $seen.Completed, $seen.Total | Should -Be 1, 2
        $seen.CompletedAt.Offset | Should -Be ([timespan]::Zero)
    }

    It 'is shown as a table of rows' {
        $text = (Get-Transaction $load.Id).SubTransactions | Out-String -Width 100
        $text | Should -Match 'Failed\s+Create Users\s+Users\s+3\s+The email is not valid\.'
    }

    It 'says that a transaction does not exist' {
        $failure = Get-FirstError { Get-Transaction voss:0b340a6f-b658-48bb-ac8c-7562adc5572d }
        $failure.FullyQualifiedErrorId | Should -BeLike 'NotFound,*'
        "$failure" | Should -Match '0b340a6f'
    }
}
