Describe 'Start-Import' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $quick = @{ version = '1.84.0'; dialect = 'Released'; statusMs = 1; recordMs = 1; writeMs = 1; walkFails = ''; hookAborts = ''; importSticks = @(); supportsImport = $true }
        Set-LakeFsOption $sandbox $quick
        $source = 's3://bucket/prefix/'
        function New-Branch([string[]] $Key = @('raw/2022.parquet', 'raw-archive/2019.parquet', 'rawdata.csv', 'reports/summary.csv')) {
            $script:branches++
            Set-LakeFsBranch $sandbox "b$script:branches" @{ keys = $Key }
            "b$script:branches"
        }
        function Get-Branch([string] $Name) { (Get-LakeFsRepository $sandbox).branches | Where-Object name -EQ $Name }
        function Get-Start { @(Get-EndedRequest $sandbox | Where-Object { $_.method -eq 'POST' -and $_.target -match '/import$' }).Count }
    }

    BeforeEach { $branch = New-Branch }
    AfterEach { Set-LakeFsOption $sandbox $quick; Clear-SandboxFault $sandbox }
    AfterAll { Stop-IngestSandbox }

    It 'runs the chain of the manual as it stands, with nobody there to be asked' {
        $result = Invoke-Child -Argument $sandbox.Uri {
            param($uri)
            $null = Connect-IngestService LakeFs $uri -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force)))
            $ended = Start-Import -Repository lake -Branch main -Source s3://bucket/prefix/ -Destination raw/ -Message 'nightly' | Wait-Transaction
            "$($ended.Status) $($ended.Completed) $($ended.CommitId)"
        }
        $main = Get-Branch main
        $result | Should -Be "Succeeded 1000 $($main.commitId)"
        $main.message | Should -Be 'nightly'
    }

    It 'writes a transaction that is known by its id in another session' {
        $transaction = Start-Import lake $branch $source raw/
        $transaction.PSObject.TypeNames[0] | Should -Be 'IngestTools.Transaction'
        $transaction.Id | Should -Match "^lakefs:lake/$branch/[0-9a-v]{20}$"
        $transaction.Kind, $transaction.Unit, $transaction.Repository, $transaction.Branch | Should -Be 'Import', 'objects', 'lake', $branch
        $ended = Wait-Transaction $transaction.Id -PollInterval 0.05
        $ended.Status | Should -Be 'Succeeded'
        $ended.CommitId | Should -Be (Get-Branch $branch).commitId
        $ended.MetaRangeId | Should -Not -BeNullOrEmpty
    }

    It 'makes one import of all sources that come down the pipeline' {
        Add-LakeFsObject $sandbox @{ addresses = @('s3://many/a/1', 's3://many/b/2', 's3://many/c/3.csv') }
        $before = Get-Start
        's3://many/a/', 's3://many/b/' | Start-Import lake $branch -Destination in/ -Message m | Wait-Transaction -PollInterval 0.05 | Should -HaveCount 1
        (Get-Start) - $before | Should -Be 1
        (Get-Branch $branch).keys -like 'in/*' | Should -Be 'in/1', 'in/2'
    }

    It 'takes sources, destinations and types from a table, an import for each branch' {
        Add-LakeFsObject $sandbox @{ addresses = @('s3://table/a/1', 's3://table/c/3.csv') }
        $other = New-Branch
        $csv = Join-Path $TestDrive 'sources.csv'
        "Source,Destination,SourceType,Branch", "s3://table/a/,x/,CommonPrefix,$branch", "s3://table/c/3.csv,y/,Object,$branch", "s3://table/a/,z/,,$other" | Set-Content $csv
        $ended = Import-Csv $csv | Start-Import -Repository lake | Wait-Transaction -PollInterval 0.05
        $ended.Branch | Sort-Object | Should -Be ($branch, $other | Sort-Object)
        (Get-Branch $branch).keys -match '^[xy]/' | Should -Be 'x/1', 'y/3.csv'
        (Get-Branch $other).keys | Should -Contain 'z/1'
    }

    It 'sends message and metadata, and no metadata where there is none' {
        $null = Start-Import lake $branch $source raw/ -Message 'für März' -Metadata @{ job = 7; by = 'me' } | Wait-Transaction -PollInterval 0.05
        $head = Get-Branch $branch
        $head.message, $head.metadata.job, $head.metadata.by | Should -Be 'für März', '7', 'me'
        $null = Start-Import lake $branch $source raw/ -Metadata @{} | Wait-Transaction -PollInterval 0.05
        $head = Get-Branch $branch
        $head.message | Should -Be 'Import objects'
        $head.metadata | Should -BeNullOrEmpty
    }

    It 'says with -WhatIf what would go, and changes nothing' {
        $before = Get-Start
        $said = Invoke-PowerShell -NoProfile -NonInteractive -c "Import-Module '$Manifest'; `$null = Connect-IngestService LakeFs $($sandbox.Uri) -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force))); 'raw', 'raw/' | ForEach-Object { Start-Import lake $branch $source `$_ -WhatIf }; Start-Import lake $branch $source -WhatIf"
        $said[0] | Should -BeLike "What if: Import '$source' into lake/$branch at $($sandbox.Uri). This deletes all that begins with 'raw' (3 objects), and with it 'raw-archive/', 'rawdata.csv'*"
        $said[1] | Should -BeLike "*deletes all under 'raw/' (1 object)."
        $said[2] | Should -BeLike '*deletes everything on the branch (4 objects).'
        (Get-Start) - $before | Should -Be 0
    }

    It 'fails where nothing replaced something, and says how to get it back' {
        $before = (Get-Branch $branch).commitId
        $ended = Start-Import lake $branch s3://bucket/prefx/ raw/ | Wait-Transaction -PollInterval 0.05 -ErrorAction SilentlyContinue -ErrorVariable failed
        $ended.Status | Should -Be 'Failed'
        "$($failed[0])" | Should -BeLike "*It brought no object. It deleted 1 object on lake/$branch.*$before*lakectl branch revert lakefs://lake/$branch *"
        (Start-Import lake $branch s3://bucket/prefx/ empty/ | Wait-Transaction -PollInterval 0.05).Status | Should -Be 'Succeeded'
    }

    It 'fails below -MinimumObjects, and never where that is 0' {
        $null = Start-Import lake $branch $source raw/ -MinimumObjects 1001 | Wait-Transaction -PollInterval 0.05 -ErrorAction SilentlyContinue -ErrorVariable failed
        "$($failed[0])" | Should -BeLike '*It brought 1,000 objects, and 1,001 are the minimum*'
        (Start-Import lake $branch s3://bucket/prefx/ raw/ -MinimumObjects 0 | Wait-Transaction -PollInterval 0.05).Status | Should -Be 'Succeeded'
    }

    It 'merges a staged import only where it brought enough' {
        $before = (Get-Branch $branch).commitId
        $refused = Start-Import lake $branch s3://bucket/prefx/ raw/ -Staged -ErrorAction SilentlyContinue -ErrorVariable failed
        $refused.Status | Should -Be 'Failed'
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'TransactionFailed,*'
        "$($failed[0])" | Should -BeLike "*it brought 0 objects, and 1 are the minimum. lake/$branch is as it was."
        (Get-Branch $branch).commitId | Should -Be $before
        $merged = Start-Import lake $branch $source raw/ -Staged -Message 'staged'
        $merged.Status, $merged.Branch, $merged.CommitId | Should -Be 'Succeeded', $branch, (Get-Branch $branch).commitId
        (Get-Branch $branch).message | Should -Be 'staged'
        (Get-LakeFsRepository $sandbox).branches.name -like 'ingesttools-*' | Should -BeNullOrEmpty
    }

    It 'understands a destination exactly, or refuses it: <Destination>' -ForEach @(
        @{ Destination = 'lakefs://lake/{0}/x/'; Key = 'x/00000000.parquet' }
        @{ Destination = '/x/' }
        @{ Destination = ' x/' }
        @{ Destination = 'lakefs://lake/other/x/' }
    ) {
        $to = $Destination -f $branch
        if ($Key) {
            $null = Start-Import lake $branch $source $to | Wait-Transaction -PollInterval 0.05
            (Get-Branch $branch).keys ?? @() | Should -Not -Contain '/x/00000000.parquet'
            return
        }
        $starts = Get-Start
        $failed = Get-FirstError { Start-Import lake $branch $source $to }
        $failed.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
        $failed.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        Get-Start | Should -Be $starts
    }

    It 'writes times of the metadata in ISO 8601 with their offset' {
        $when = [DateTimeOffset]::new(2026, 3, 1, 2, 30, 0, [timespan]::FromHours(2))
        $null = Start-Import lake $branch $source raw/ -Metadata @{ when = $when; utc = $when.UtcDateTime } | Wait-Transaction -PollInterval 0.05
        # As it came: ConvertFrom-Json makes times of such texts.
        $text = (Invoke-WebRequest "$($sandbox.Uri)sandbox/lakefs/repositories/lake" -NoProxy).Content
        $text | Should -Match ([regex]::Escape('"when":"2026-03-01T02:30:00+02:00"'))
        $text | Should -Match ([regex]::Escape('"utc":"2026-03-01T00:30:00+00:00"'))
    }

    It 'does not start without an answer where <What> would go' -ForEach @(
        @{ What = 'the whole branch'; Destination = '' }
        @{ What = 'siblings'; Destination = 'raw' }
    ) {
        $said = Invoke-Child -Argument $sandbox.Uri, $branch, $Destination {
            param($uri, $branch, $destination)
            $null = Connect-IngestService LakeFs $uri -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force)))
            $null = Start-Import lake $branch s3://bucket/prefix/ $destination -ErrorAction SilentlyContinue -ErrorVariable failed
            "$($failed[0].FullyQualifiedErrorId) $($failed[0])"
            (Start-Import lake $branch s3://bucket/prefix/ $destination -Force | Wait-Transaction -PollInterval 0.05).Status
            (Start-Import lake $branch s3://bucket/prefix/ $destination -Confirm:$false | Wait-Transaction -PollInterval 0.05).Status
        }
        $said[0] | Should -BeLike 'Rejected,IngestTools.PowerShell.Commands.StartImportCommand The import was not started*this session cannot ask*'
        $said[1, 2] | Should -Be 'Succeeded', 'Succeeded'
        (Get-Branch $branch).count | Should -Be ($Destination ? 1001 : 1000)
    }

    It 'takes Enter for a no' {
        $said = 'n', '' | ForEach-Object {
            $answer = $_
            $text = "Import-Module '$Manifest'; `$null = Connect-IngestService LakeFs $($sandbox.Uri) -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force))); " +
                "`$null = Start-Import lake $branch $source raw; 'done'"
            "$answer`n" | Invoke-PowerShell -NoProfile -EncodedCommand ([Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text)))
        }
        $said -match '^done$' | Should -HaveCount 2
        $said -match 'default is "N"' | Should -HaveCount 2
        (Get-Branch $branch).count | Should -Be 4
    }

    It 'tells that nobody is there where the input is at its end' {
        $text = "Import-Module '$Manifest'; `$null = Connect-IngestService LakeFs $($sandbox.Uri) -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force))); " +
            "`$null = Start-Import lake $branch $source raw -ErrorAction SilentlyContinue -ErrorVariable failed; `$failed[0].FullyQualifiedErrorId"
        $said = $null | Invoke-PowerShell -NoProfile -EncodedCommand ([Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text)))
        $said[-1] | Should -Match 'Rejected,'
        (Get-Branch $branch).count | Should -Be 4
    }

    It 'does not ask again what $ConfirmPreference <_> had asked' -ForEach 'Low', 'Medium' {
        $text = "Import-Module '$Manifest'; `$null = Connect-IngestService LakeFs $($sandbox.Uri) -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force))) -Confirm:`$false; " +
            "`$ConfirmPreference = '$_'; (Start-Import lake $branch $source raw).Status"
        $said = 'y' | Invoke-PowerShell -NoProfile -EncodedCommand ([Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text)))
        $said[-1] | Should -Match 'Queued$'
    }

    It 'does not ask where nothing unnamed would go: <_>' -ForEach 'raw/', 'new', 'reports' {
        (Start-Import lake $branch $source $_ | Wait-Transaction -PollInterval 0.05).Status | Should -Be 'Succeeded'
    }

    It 'asks nobody on a branch that is empty' {
        $empty = New-Branch @()
        (Start-Import lake $empty $source | Wait-Transaction -PollInterval 0.05).Completed | Should -Be 1000
    }

    It 'tells every source that cannot be right, and imports none' {
        $before = Get-Start
        $null = $source, 'nonsense', 'gs://bucket/x/' | Start-Import lake $branch -Destination x/ -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed | Should -HaveCount 2
        $failed.TargetObject | Should -Be 'nonsense', 'gs://bucket/x/'
        $failed.FullyQualifiedErrorId | Sort-Object -Unique | Should -Be 'Rejected,IngestTools.PowerShell.Commands.StartImportCommand'
        (Get-Start) - $before | Should -Be 0
    }

    It 'imports nothing where a row cannot be used: <What>' -ForEach @(
        @{ What = 'an empty source'; Row = @{ Source = '' }; Words = 'source is empty' }
        @{ What = 'a source that is missing'; Row = @{ Source = $null }; Words = 'source is empty' }
        @{ What = 'no sources'; Row = @{ Source = @() }; Words = 'source is empty' }
        @{ What = 'no branch'; Row = @{ Branch = '' }; Words = 'has no branch' }
        @{ What = 'no repository'; Row = @{ Repository = '' }; Words = 'has no repository' }
        @{ What = 'a connection that is none'; Row = @{ Connection = 'typo' }; Words = 'typo' }
        @{ What = 'a type that is none'; Row = @{ SourceType = 'Objekt' }; Words = "'Objekt' is not a type" }
        @{ What = 'the number of a type'; Row = @{ SourceType = '1' }; Words = "'1' is not a type" }
    ) {
        $before = Get-Start
        $good = @{ Repository = 'lake'; Branch = $branch; Source = $source; Destination = 'x/'; SourceType = ''; Connection = $null }
        $bad = $good.Clone()
        foreach ($name in $Row.Keys) { $bad[$name] = $Row[$name] }
        [pscustomobject] $good, [pscustomobject] $bad | Start-Import -ErrorAction SilentlyContinue -ErrorVariable failed -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        $failed | Should -HaveCount 1
        "$failed" | Should -Match $Words
        (Get-Start) - $before | Should -Be 0
    }

    It 'refuses a type that is none at once where it is for all' {
        $failed = Get-FirstError { 's3://a/', 's3://b/' | Start-Import lake $branch -SourceType Objekt }
        $failed.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
        { Start-Import lake $branch $source x/ -SourceType Objekt } | Should -Throw '*is not a type of source*'
    }

    It 'goes on with the other branch where one is missing' {
        $rows = foreach ($name in 'missing', $branch) { [pscustomobject]@{ Source = $source; Destination = 'x/'; Branch = $name } }
        $started = $rows | Start-Import -Repository lake -ErrorAction SilentlyContinue -ErrorVariable failed
        $started.Branch | Should -Be $branch
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'NotFound,*'
        $failed[0].TargetObject | Should -Be 'lake/missing'
        "$($failed[0])" | Should -Match "no branch 'missing'"
        $failed[0].ErrorDetails.RecommendedAction | Should -Match '-Branch'
    }

    It 'tells before the start: <What>' -ForEach @(
        @{ What = 'no such repository'; Option = @{}; Repository = 'none'; Words = "no repository 'none'" }
        @{ What = 'no import support'; Option = @{ supportsImport = $false }; Repository = 'lake'; Words = 'cannot import from its storage' }
        @{ What = 'an old version'; Option = @{ version = '0.99.1'; dialect = 'Legacy' }; Repository = 'lake'; Words = 'older than v0\.101\.0' }
        @{ What = 'a read-only repository'; Option = @{}; Repository = 'closed'; Words = 'is read-only' }
    ) {
        $null = Invoke-Sandbox $sandbox 'lakefs/repositories/closed' Post @{ readOnly = $true }
        Set-LakeFsOption $sandbox $Option
        $failed = Get-FirstError { Start-Import $Repository main $source x/ }
        "$failed" | Should -Match $Words
        Set-LakeFsOption $sandbox $quick
        (Start-Import closed main $source x/ -AllowReadOnly | Wait-Transaction -PollInterval 0.05).Status | Should -Be 'Succeeded'
    }

    It 'tells what failed later as one error in the servers own words: <What>' -ForEach @(
        @{ What = 'a source'; Option = @{ walkFails = 'AccessDenied: no' }; Words = 'AccessDenied: no' }
        @{ What = 'a hook'; Option = @{ hookAborts = 'format check' }; Words = 'pre-commit hook aborted, format check' }
        @{ What = 'a dirty branch'; Option = @{}; Staged = @('half-done'); Words = 'dirty branch' }
    ) {
        Set-LakeFsOption $sandbox $Option
        if ($Staged) { Set-LakeFsBranch $sandbox $branch @{ staged = $Staged } }
        $ended = Start-Import lake $branch $source raw/ | Wait-Transaction -PollInterval 0.05 -ErrorAction SilentlyContinue -ErrorVariable failed
        $ended.Status | Should -Be 'Failed'
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'TransactionFailed,*'
        "$failed" | Should -Match $Words
    }

    It 'speaks the legacy dialect where it is named' {
        Set-LakeFsOption $sandbox @{ version = '0.100.0'; dialect = 'Legacy' }
        $ended = Start-Import lake $branch $source raw/ -Dialect Legacy -Message legacy | Wait-Transaction -PollInterval 0.05
        $ended.Id | Should -BeLike 'lakefs-legacy:*'
        $ended.Status, $ended.Completed | Should -Be 'Succeeded', 1000
        $ended.Message | Should -Match "_${branch}_imported"
        (Get-Branch "_${branch}_imported").message | Should -Be 'legacy'
        (Get-Branch $branch).count | Should -Be 4
    }

    It 'tells the bodys word for what a proxy does to the legacy dialect' {
        Set-LakeFsOption $sandbox @{ version = '0.100.0'; dialect = 'Legacy'; refusesGetWithBody = $true }
        try {
            $started = Start-Import lake $branch $source raw/ -Dialect Legacy
            "$(Get-FirstError { $started | Get-Transaction })" | Should -Match 'refuses a GET with a body'
        }
        finally { Set-LakeFsOption $sandbox @{ refusesGetWithBody = $false } }
    }

    It 'warns of a source without a slash at its end' {
        $null = Start-Import lake $branch s3://bucket/pre in/ -WarningVariable warned -WarningAction SilentlyContinue | Wait-Transaction -PollInterval 0.05
        "$warned" | Should -Match 'does not end with a slash'
        (Get-Branch $branch).keys | Should -Contain 'in/prefix/00000000.parquet'
    }

    It 'does not start twice when the answer is lost' {
        Set-SandboxFault $sandbox 'lost=1,POST /api/v1/repositories/*/branches/*/import'
        $imports = (Get-LakeFsRepository $sandbox).imports.Count
        $failed = Get-FirstError { Start-Import lake $branch $source raw/ }
        $failed.FullyQualifiedErrorId | Should -BeLike 'OutcomeUnknown,*'
        (Get-LakeFsRepository $sandbox).imports.Count - $imports | Should -Be 1
    }

    It 'serves the example script for scheduled tasks, also its exit code' {
        $csv = Join-Path $TestDrive 'table.csv'
        $example = Join-Path $PSScriptRoot '..' 'examples' '07-import-into-lakefs.ps1'
        foreach ($case in @{ Source = $source; Code = 0 }, @{ Source = 's3://nowhere/'; Code = 1 }, @{ Source = 'nonsense'; Code = 2 }) {
            "Source,Destination", "$($case.Source),raw/" | Set-Content $csv
            $null = Invoke-Child -Argument $sandbox.Uri, $example, $csv, $branch {
                param($uri, $example, $csv, $branch)
                $ErrorActionPreference = 'Continue'
                $null = Connect-IngestService LakeFs $uri -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force)))
                & $example -Table $csv -Repository lake -Branch $branch
                exit $LASTEXITCODE
            } 2>$null
            $LASTEXITCODE | Should -Be $case.Code
        }
    }

    It 'completes repositories and branches that were used' {
        $null = Start-Import lake $branch $source raw/
        (TabExpansion2 'Start-Import la' 15).CompletionMatches.CompletionText | Should -Contain 'lake'
        (TabExpansion2 'Start-Import lake b' 19).CompletionMatches.CompletionText | Should -Contain $branch
        $text = 'Register-BulkLoadSchedule -Name x -Source s3://bucket/ -Repository la'
        (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Contain 'lake'
        $text = 'Register-BulkLoadSchedule -Name x -Source s3://bucket/ -Repository lake -Branch b'
        (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Contain $branch
    }

    It 'asks a server that refuses the secret once for all that press Tab' {
        function Get-ListCount { @(Get-EndedRequest $sandbox | Where-Object target -match '/repositories(\?|$)').Count }
        $before = Get-ListCount
        $wrong = [pscredential]::new('AKIASANDBOX', (ConvertTo-Secure 'wrong'))
        $null = Connect-IngestService LakeFs $sandbox.Uri -Name wrong -Credential $wrong -NoCheck
        try {
            $text = 'Start-Import -Connection wrong -Repository '
            1..3 | ForEach-Object { $null = TabExpansion2 $text $text.Length }
            Wait-Until { (Get-ListCount) -gt $before }
        }
        finally { Disconnect-IngestService wrong -WarningAction SilentlyContinue }
        Get-ListCount | Should -Be ($before + 1)
    }

    It 'stops within two seconds of Ctrl+C' {
        Set-SandboxFault $sandbox 'stall=/api/v1/config/version'
        $stopped = Invoke-AndStop -Argument $sandbox.Uri, $branch -When { (Get-SandboxConnection $sandbox).requestsInFlight -gt 0 } -Script {
            param($uri, $branch)
            $null = Connect-IngestService LakeFs $uri -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force)))
            Start-Import lake $branch s3://bucket/prefix/ raw/
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
    }
}
