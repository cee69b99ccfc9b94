Describe 'New-LinkingBatch' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        function Get-Start { Get-EndedRequest $sandbox | Where-Object { $_.method -eq 'POST' -and $_.target -like '*/dataLinkingBatch' } }
        function Get-MyBatch { Get-SandboxBatch $sandbox | Where-Object projectId -EQ $project }
    }

    BeforeEach { $project = [guid]::NewGuid().ToString() }
    AfterEach {
        Clear-SandboxFault $sandbox
        Set-SandboxIca $sandbox @{ linkFails = @(); isNotShared = @(); isMissing = @(); forbids = @(); saysOfJobs = '' }
    }
    AfterAll { Stop-IngestSandbox }

    It 'links sixty thousand ids of a file in three batches, and names each of the seven that fail' {
        Set-SandboxIca $sandbox @{ linkFails = @('fil.dead*') }
        $bad = 0..6 | ForEach-Object { 'fil.dead{0:x28}' -f $_ }
        $path = Join-Path $TestDrive ids.csv
        & {
            'DataId,Remark'
            foreach ($number in 0..59999) { $number % 9000 -eq 5 ? "$($bad[$number / 9000]),x" : "$(New-DataId $number)," }
        } | Set-Content $path

        $items = Import-Csv $path | New-LinkingBatch -ProjectId $project | Tee-Object -Variable batches |
            Wait-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue | Get-LinkingBatchItem -Status FAILED

        $batches.Count | Should -Be 3
        $batches.Total | Should -Be 25000, 25000, 10000
        $batches[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.Transaction'
        $batches[0].Id | Should -Be "ica:$project/$($batches[0].BatchId)"
        $items.Count | Should -Be 7
        $items.DataId | Sort-Object | Should -Be $bad
        $items[0].Reason | Should -Be 'The data is not available'
        $errors.Count | Should -Be 7
        $errors.TargetObject | Sort-Object | Should -Be $bad
        $errors[0].FullyQualifiedErrorId | Should -Be 'ItemFailed,IngestTools.PowerShell.Commands.WaitTransactionCommand'
        "$($errors[0])" | Should -Match 'fil\.dead.*The data is not available'
        @(Get-Start).Count | Should -Be 3
    }

    It 'writes each transaction at once, while ids still come' {
        $seen = [System.Collections.Generic.List[int]]::new()
        $script:read = 0
        & { foreach ($number in 1..60) { $script:read = $number; if ($number -eq 41) { Wait-Until { @(Get-MyBatch).Count -ge 2 } }; New-DataId $number } } |
            New-LinkingBatch -ProjectId $project -BatchSize 20 | ForEach-Object { $seen.Add($script:read) }
        $seen.Count | Should -Be 3
        $seen[0] | Should -BeLessOrEqual 42
    }

    It 'takes text, objects with DataId or Id, and arrays' {
        $ids = 1..6 | ForEach-Object { New-DataId $_ }
        $ids[0], [pscustomobject]@{ Id = $ids[1] }, [pscustomobject]@{ DataId = $ids[2]; Id = 'not this' }, $ids[3] | New-LinkingBatch -ProjectId $project | Should -HaveCount 1
        New-LinkingBatch $ids -ProjectId $project | Should -HaveCount 1
        (Get-MyBatch).items | Should -Be 4, 6
    }

    It 'sends each object to the project that it names' {
        $other = [guid]::NewGuid().ToString()
        $batches = 1..4 | ForEach-Object { [pscustomobject]@{ DataId = New-DataId $_; ProjectId = $_ % 2 ? $project : $other } } | New-LinkingBatch
        $batches.ProjectId | Should -Be $project, $other
        $batches.Total | Should -Be 2, 2
    }

    It 'takes the project of ICAV2_PROJECT_ID, and says so where there is none' {
        (Get-FirstError { New-LinkingBatch (New-DataId 1) }).Exception.Message | Should -Match 'project .* is not known'
        $env:ICAV2_PROJECT_ID = $project
        try { (New-LinkingBatch (New-DataId 1)).ProjectId | Should -Be $project }
        finally { $env:ICAV2_PROJECT_ID = $null }
    }

    It 'sends nothing for empty input' {
        $before = @(Get-Start).Count
        @() | New-LinkingBatch -ProjectId $project | Should -BeNullOrEmpty
        New-LinkingBatch -DataId @() -ProjectId $project | Should -BeNullOrEmpty
        @(Get-Start).Count | Should -Be $before
    }

    It 'makes a blank id an error of its own and links the others' {
        $batch = (New-DataId 1), '', $null, "`t", ' fil.a b', "  $(New-DataId 2) ", (New-DataId 1) |
            New-LinkingBatch -ProjectId $project -ErrorVariable errors -ErrorAction SilentlyContinue
        $batch.Total | Should -Be 2
        $errors.Count | Should -Be 4
        $errors[0].FullyQualifiedErrorId | Should -Be 'Rejected,IngestTools.PowerShell.Commands.NewLinkingBatchCommand'
        $errors[0].CategoryInfo.Category | Should -Be 'InvalidData'
        "$($errors[0])" | Should -Be 'Id number 2 is blank.'
        $errors[3].TargetObject | Should -Be 'fil.a b'
    }

    It 'warns about an id of an unusual form, and sends it' {
        $batch = 'urn:x', (New-DataId 1) | New-LinkingBatch -ProjectId $project -WarningVariable warnings -WarningAction SilentlyContinue
        $batch.Total | Should -Be 2
        "$warnings" | Should -Match '^urn:x does not look like an id of data'
    }

    It 'tells how many ids came again' {
        $verbose = (New-DataId 1), (New-DataId 1) | New-LinkingBatch -ProjectId $project -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }
        "$verbose" | Should -Match 'came again, and were sent once: 1\.'
    }

    It 'names each id of a project that does not share its data' {
        Set-SandboxIca $sandbox @{ isNotShared = @(New-DataId 2) }
        $null = 1..3 | ForEach-Object { New-DataId $_ } | New-LinkingBatch -ProjectId $project |
            Wait-Transaction -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors.Count | Should -Be 1
        $errors[0].TargetObject | Should -Be (New-DataId 2)
        "$errors" | Should -Match 'Data sharing is not enabled'
    }

    It 'leaves out what is not eligible, when it is asked to look' {
        Set-SandboxIca $sandbox @{ isNotShared = @(New-DataId 2); isMissing = @(New-DataId 3) }
        $batch = 1..4 | ForEach-Object { New-DataId $_ } |
            New-LinkingBatch -ProjectId $project -CheckEligible -ErrorVariable errors -ErrorAction SilentlyContinue
        $batch.Total | Should -Be 2
        $errors.TargetObject | Should -Be (New-DataId 2), (New-DataId 3)
        "$($errors[0])" | Should -Match 'does not list it as eligible'
    }

    It 'says what would be done' {
        New-LinkingBatch (New-DataId 1) -ProjectId $project -WhatIf | Should -BeNullOrEmpty
        Get-MyBatch | Should -BeNullOrEmpty
    }

    It 'finds a batch whose answer was lost, and does not send it again' {
        $before = @(Get-Start).Count
        Set-SandboxFault $sandbox 'lost=1,POST /**/dataLinkingBatch'
        $batch = New-LinkingBatch (New-DataId 1) -ProjectId $project -WarningAction SilentlyContinue
        $batch.BatchId | Should -Be (Get-MyBatch).id
        $batch.Message | Should -Match 'answer to the start was lost'
        @(Get-Start).Count | Should -Be ($before + 1)
    }

    It 'tells the ids of a batch that was not started, and starts the others' {
        Set-SandboxFault $sandbox '400=1,POST /**/dataLinkingBatch'
        $batches = 1..5 | ForEach-Object { New-DataId $_ } | New-LinkingBatch -ProjectId $project -BatchSize 2 -ErrorVariable errors -ErrorAction SilentlyContinue
        $batches.Total | Should -Be 2, 1
        $errors.Count | Should -Be 1
        $errors[0].TargetObject | Should -Be (New-DataId 1), (New-DataId 2)
        ($errors.TargetObject | New-LinkingBatch -ProjectId $project).Total | Should -Be 2
    }

    It 'tells the words of a problem with members that nobody documented' {
        Set-SandboxIca $sandbox @{ forbids = @($project) }
        $failed = Get-FirstError { New-LinkingBatch (New-DataId 1) -ProjectId $project }
        $failed.FullyQualifiedErrorId | Should -Match '^NotAllowed,'
        $failed.CategoryInfo.Category | Should -Be 'PermissionDenied'
        "$failed" | Should -Match "You have no access to project $project"
        $failed.Exception.Code | Should -Be 'Forbidden'
        $failed.ErrorDetails.RecommendedAction | Should -Match 'role'
    }

    It 'survives an HTML 502 while it signs in, and a token that has ended' {
        $null = Invoke-Sandbox $sandbox 'ica/tokens/expire' Post
        Set-SandboxFault $sandbox '502=1,POST /**/tokens'
        (New-LinkingBatch (New-DataId 1) -ProjectId $project).Total | Should -Be 1
    }

    It 'keeps the key out of what -Debug tells' {
        $key = 'canary-9a1c'
        $connection = Connect-IngestService Ica (Get-IngestConnection Ica).Uri -NoCheck -Name wrong -ApiKey (ConvertTo-Secure $key) -NoProxy
        try {
            $told = New-LinkingBatch (New-DataId 1) -ProjectId $project -Connection $connection -Debug -Verbose -ErrorVariable failed -ErrorAction SilentlyContinue *>&1 | Out-String
        }
        finally { Disconnect-IngestService wrong }
        $failed[0].FullyQualifiedErrorId | Should -Match '^NotSignedIn,'
        $told | Should -Match 'api/tokens'
        $told + ($failed | Format-List * -Force | Out-String) | Should -Not -Match $key
    }

    It 'ends at once when it is stopped, and its server is not left waiting' {
        Set-SandboxFault $sandbox 'stall=POST /**/dataLinkingBatch'
        $stopped = Invoke-AndStop -Argument $sandbox.Uri, $project -When { (Get-SandboxConnection $sandbox).requestsInFlight -eq 1 } {
            param($uri, $project)
            $null = Connect-IngestService Ica "${uri}ica/rest" -ApiKey (ConvertTo-SecureString test -AsPlainText -Force) -NoProxy
            'fil.00000000000000000000000000000001' | New-LinkingBatch -ProjectId $project
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
        Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 }
    }

    It 'does what comes after it in the pipeline stops early' {
        $first = 1..50 | ForEach-Object { New-DataId $_ } | New-LinkingBatch -ProjectId $project -BatchSize 5 | Select-Object -First 1
        $first.Total | Should -Be 5
    }

    It 'is in an example that writes over no file of an earlier run' {
        $example = Join-Path $PSScriptRoot '..' 'examples' '05-link-data.ps1'
        $path = Join-Path $TestDrive 'example.txt'
        New-DataId 1 | Set-Content $path
        $run = @{ Path = $path; ProjectId = $project; BatchPath = Join-Path $TestDrive 'example batches.txt'; ReportPath = Join-Path $TestDrive 'example report.csv' }
        $null = & $example @run 6>$null
        $kept = Get-Content $run.BatchPath
        $kept | Should -BeLike "ica:$project/*"

        { & $example @run } | Should -Throw "*example batches.txt' exists*"
        Get-Content $run.BatchPath | Should -Be $kept
        Remove-Item $run.BatchPath
        { & $example @run } | Should -Throw "*example report.csv' exists*"
        @(Get-MyBatch).Count | Should -Be 1
    }

    It 'completes the projects that were used' {
        $null = New-LinkingBatch (New-DataId 1) -ProjectId $project
        (TabExpansion2 "New-LinkingBatch -ProjectId $($project.Substring(0, 6))").CompletionMatches.CompletionText | Should -Contain $project
    }
}

Describe 'New-LinkingBatch, of what is no id' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
    }
    AfterAll { Stop-IngestSandbox }

    It 'refuses an object without an id by itself, and sends the others' {
        $good = [pscustomobject]@{ Id = New-DataId 1 }, [pscustomobject]@{ DataId = New-DataId 2 }, (New-DataId 3)
        $bad = [pscustomobject]@{ data_id = New-DataId 4 }, @{ a = 1 }, [pscustomobject]@{ Id = 12 }
        $started = $good[0], $bad[0], $good[1], $bad[1], $good[2], $bad[2] | New-LinkingBatch -ProjectId demo -ErrorAction SilentlyContinue -ErrorVariable failed
        $started.Total | Should -Be 3
        $failed.FullyQualifiedErrorId | Should -Be (@('Rejected,IngestTools.PowerShell.Commands.NewLinkingBatchCommand') * 3)
        "$($failed[0])" | Should -Match 'Object number 2'
    }

    It 'refuses a row of a project that cannot be by itself, and sends the others' {
        $rows = 'demo', 'a b', 'demo' | ForEach-Object { $i = 10 } { [pscustomobject]@{ DataId = New-DataId ($i++); ProjectId = $_ } }
        $started = $rows | New-LinkingBatch -ErrorAction SilentlyContinue -ErrorVariable failed
        $started.Total | Should -Be 2
        $failed.Count | Should -Be 1
        "$($failed[0])" | Should -Match (New-DataId 11)
    }
}
