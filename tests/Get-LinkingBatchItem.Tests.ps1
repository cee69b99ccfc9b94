Describe 'Get-LinkingBatchItem' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $project = [guid]::NewGuid().ToString()
        Set-SandboxIca $sandbox @{ linkFails = @(New-DataId 3); linksPartly = @('fol.*') }
        $ids = @(1..5 | ForEach-Object { New-DataId $_ }) + (New-DataId 9 fol)
        $batch = $ids | New-LinkingBatch -ProjectId $project | Wait-Transaction -ErrorAction SilentlyContinue
    }

    AfterEach {
        Clear-SandboxFault $sandbox
        Set-SandboxIca $sandbox @{ cursorEnd = 'Null'; repeatsToken = $false }
    }
    AfterAll { Stop-IngestSandbox }

    It 'writes an item for each id, in their order, with the servers reason' {
        $items = $batch | Get-LinkingBatchItem
        $items.DataId | Should -Be $ids
        $items[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.LinkingBatchItem'
        $items.Status | Should -Be LINKED, LINKED, FAILED, LINKED, LINKED, PARTIALLY_LINKED
        $items[2].Reason | Should -Be 'The data is not available'
        $items[0].ProjectId, $items[0].BatchId, $items[0].Connection | Should -Be $project, $batch.BatchId, 'Ica'
    }

    It 'refuses batches of another server' {
        $other = Connect-IngestService Ica http://127.0.0.1:1/ -NoCheck -Name other -Token (ConvertTo-Secure x) -MaxAttempts 1
        try {
            (Get-FirstError { [CmdletBinding()] param() $batch | Get-LinkingBatchItem -Connection $other }).FullyQualifiedErrorId | Should -BeLike 'WrongServer,*'
            @($batch | Get-LinkingBatchItem).Count | Should -Be 6
        }
        finally { Disconnect-IngestService other }
    }

    It 'writes those of several statuses, in any case' {
        ($batch | Get-LinkingBatchItem -Status failed, Partially_Linked).DataId | Should -Be (New-DataId 3), (New-DataId 9 fol)
    }

    It 'writes one by its id, and by an item' {
        $item = ($batch | Get-LinkingBatchItem)[2]
        $again = Get-LinkingBatchItem -ProjectId $project -BatchId $batch.BatchId -ItemId $item.ItemId
        $again.DataId | Should -Be $item.DataId
        ($item | Get-LinkingBatchItem).ItemId | Should -Be $item.ItemId
    }

    It 'follows pages to the end that is <_>' -ForEach Null, Absent, Empty {
        Set-SandboxIca $sandbox @{ cursorEnd = $_ }
        ($batch | Get-LinkingBatchItem -PageSize 4).DataId | Should -Be $ids
    }

    It 'keeps what came where pages repeat, and says after how many items' {
        Set-SandboxIca $sandbox @{ repeatsToken = $true }
        $items = $batch | Get-LinkingBatchItem -PageSize 2 -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors[0].TargetObject | Should -Be $batch.BatchId
        "$errors" | Should -Match "after $($items.Count) items"
        $errors[0].FullyQualifiedErrorId | Should -Be 'InvalidAnswer,IngestTools.PowerShell.Commands.GetLinkingBatchItemCommand'
        "$errors" | Should -Match 'go round in a circle'
    }

    It 'reads a page again that broke once' {
        Set-SandboxFault $sandbox 'truncated=1,GET /**/items', '502=1,GET /**/items'
        ($batch | Get-LinkingBatchItem).Count | Should -Be 6
    }

    It 'says that a batch is not there, or that its id is none' {
        (Get-FirstError { Get-LinkingBatchItem -ProjectId $project -BatchId ([guid]::NewGuid()) }).FullyQualifiedErrorId | Should -Match '^NotFound,'
        (Get-FirstError { Get-LinkingBatchItem -ProjectId $project -BatchId nonsense }).FullyQualifiedErrorId | Should -Match '^Rejected,'
        (Get-FirstError { $batch | Get-LinkingBatchItem -Status nonsense }).Exception.Message | Should -Match "Invalid status 'NONSENSE'"
    }

    It 'sends what failed again, into the project that it knows' {
        Set-SandboxIca $sandbox @{ linkFails = @() }
        $again = $batch | Get-LinkingBatchItem -Status FAILED | New-LinkingBatch | Wait-Transaction
        $again.ProjectId, $again.Status, $again.Completed | Should -Be $project, 'Succeeded', 1
    }

    It 'is shown in a table with the reason' {
        ($batch | Get-LinkingBatchItem -Status PARTIALLY_LINKED | Format-Table | Out-String -Width 100) | Should -Match 'fol\.\S+\s+PARTIALLY_LINKED\s+Some of'
    }

    It 'completes statuses' {
        (TabExpansion2 'Get-LinkingBatchItem -Status fa').CompletionMatches.CompletionText | Should -Be 'FAILED'
    }
}

Describe 'Transactions of linking batches' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $project = [guid]::NewGuid().ToString()
        function New-Batch([int] $Count = 4) { 1..$Count | ForEach-Object { New-DataId $_ } | New-LinkingBatch -ProjectId $project }
    }

    AfterEach { Set-SandboxIca $sandbox @{ saysOfJobs = ''; hidesJob = $false; stopsAfter = 0 } }
    AfterAll { Stop-IngestSandbox }

    It 'are found again by text' {
        $id = (New-Batch).Id
        $found = Wait-Transaction $id -PollInterval 0.1
        $found.Status, $found.Completed, $found.Total, $found.Kind | Should -Be 'Succeeded', 4, 4, 'LinkingBatch'
        ($id | Get-Transaction).ServerStatus | Should -Be 'SUCCEEDED'
    }

    It 'go on in a state that nobody knows, which is warned about once' {
        Set-SandboxIca $sandbox @{ saysOfJobs = 'PAUSED' }
        $seen = New-Batch | Wait-Transaction -Timeout 1 -PollInterval 0.1 -ErrorVariable errors -ErrorAction SilentlyContinue -WarningVariable warnings -WarningAction SilentlyContinue
        $seen.Status, $seen.ServerStatus | Should -Be 'Running', 'PAUSED'
        $errors[0].FullyQualifiedErrorId | Should -Match '^WaitTimedOut,'
        $warnings.Count | Should -Be 1
    }

    It 'end without a job when their items have' {
        Set-SandboxIca $sandbox @{ hidesJob = $true }
        (New-Batch | Wait-Transaction -PollInterval 0.1).Status | Should -Be 'Succeeded'
    }

    It 'name what a stopped job left' {
        Set-SandboxIca $sandbox @{ stopsAfter = 2 }
        $seen = New-Batch | Wait-Transaction -PollInterval 0.1 -ErrorVariable errors -ErrorAction SilentlyContinue
        $seen.Status, $seen.ServerStatus | Should -Be 'Canceled', 'STOPPED'
        $errors.TargetObject | Should -Be (New-DataId 3), (New-DataId 4)
        "$($errors[0])" | Should -Match 'left it RUNNING'
    }

    It 'tell the first hundred that failed, and how to list all' {
        Set-SandboxIca $sandbox @{ linkFails = @('*') }
        $batch = New-Batch 150
        $null = $batch | Wait-Transaction -PollInterval 0.1 -ErrorVariable errors -ErrorAction SilentlyContinue
        Set-SandboxIca $sandbox @{ linkFails = @() }
        $errors.Count | Should -Be 101
        $command = $errors[100].ErrorDetails.RecommendedAction -replace '^All of them: '
        @([scriptblock]::Create($command).Invoke()).Count | Should -Be 150
    }

    It 'cannot be canceled' {
        $batch = New-Batch
        $failed = Get-FirstError { Stop-Transaction $batch.Id }
        $failed.FullyQualifiedErrorId | Should -Match '^CannotCancel,'
        $failed.CategoryInfo.Category | Should -Be 'InvalidOperation'
    }

    It 'show their whole Id in a narrow terminal' {
        $batch = New-Batch
        $batch | Format-Table | Out-String -Width 100 | Should -Match ([regex]::Escape($batch.Id))
    }

    It 'are tested by their project' {
        (Test-IngestService -ProjectId $project).Service | Should -Be 'Ica'
        (Test-IngestService -Service Ica -ProjectId $project).Allowed | Should -BeTrue
        Set-SandboxIca $sandbox @{ forbids = @('*') }
        $report = Test-IngestService -ProjectId $project
        Set-SandboxIca $sandbox @{ forbids = @() }
        $report.Ok, $report.SignedIn, $report.Allowed | Should -Be $false, $true, $false
    }
}
