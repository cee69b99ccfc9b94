Describe 'Start-BulkLoad' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $hierarchy = 'sys.hcs.Provider'
        $good = New-TestWorkbook (Join-Path $TestDrive good.xlsx) -Row @(, ('jane', 'jane@example.org'))
        $mixed = New-TestWorkbook (Join-Path $TestDrive mixed.xlsx) -Row ('jane', 'jane@example.org'), ('joe', 'bad'), ('jill', 'jill@example.org')
    }
    BeforeEach {
        Clear-TestJournal
        $sandbox = Start-IngestSandbox -Connect
        Set-VossOption $sandbox @{ rowsFail = @('bad => The email is not valid.'); requestsPerSecond = 0 }
    }
    AfterEach { Stop-IngestSandbox }

    It 'runs the chain, and the errors name sheet, row and reason' {
        $errors = @()
        $load = Send-IngestFile $mixed -Hierarchy $hierarchy | Start-BulkLoad | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue -ErrorVariable errors
        $load.Status | Should -Be PartlySucceeded
        $load.Completed, $load.Total, $load.Unit | Should -Be 2, 3, 'rows'
        $errors.Count | Should -Be 1
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'ItemFailed,*'
        $errors[0].TargetObject | Should -Be 'Sheet Users, row 3'
        "$($errors[0])" | Should -Be "Sheet Users, row 3 failed in $($load.Id): The email is not valid."
    }

    It 'writes the transaction at once' {
        Set-VossOption $sandbox @{ queueMs = 600000 }
        $load = Send-IngestFile $good -Hierarchy $hierarchy | Start-BulkLoad
        $load.PSObject.TypeNames[0] | Should -Be 'IngestTools.Transaction'
        $load.Kind, $load.Status, $load.Hierarchy, $load.FileName | Should -Be 'BulkLoad', 'Queued', $hierarchy, 'good.xlsx'
        $load.Id | Should -Be "voss:$((Invoke-Sandbox $sandbox 'voss/transactions').pkid)"
    }

    It 'takes names and a hierarchy' {
        $null = Send-IngestFile $good, $mixed -Hierarchy $hierarchy
        $loads = 'good.xlsx', 'mixed.xlsx' | Start-BulkLoad -Hierarchy 'sys.hcs.Provider.Customer.Main Site - North'
        $loads.FileName | Should -Be 'good.xlsx', 'mixed.xlsx'
        (Invoke-Sandbox $sandbox 'voss/transactions').hierarchy | Select-Object -Unique | Should -Be 'sys.hcs.Provider.Customer.Main Site - North'
    }

    It 'takes results that were kept in a <_> file' -ForEach 'Clixml', 'Csv', 'Json' {
        $sent = Send-IngestFile $good -Hierarchy $hierarchy -UniqueName
        $load = Use-File $sent $_ | Start-BulkLoad
        $load.FileName | Should -Be $sent.FileName
    }

    It 'starts what was sent, and is an error for what was not' {
        $text = New-TestFile $TestDrive 'text.xlsx'
        $errors = @()
        $loads = Send-IngestFile $text, $good -Hierarchy $hierarchy -ErrorAction SilentlyContinue | Start-BulkLoad -ErrorAction SilentlyContinue -ErrorVariable errors
        $loads.FileName | Should -Be 'good.xlsx'
        "$errors" | Should -Match 'text\.xlsx.* is not loaded: its upload failed'
    }

    It 'starts nothing at -WhatIf' {
        $sent = Send-IngestFile $good -Hierarchy $hierarchy
        $sent | Start-BulkLoad -WhatIf | Should -BeNullOrEmpty
        Invoke-Sandbox $sandbox 'voss/transactions' | Should -BeNullOrEmpty
    }

    It 'says what is wrong with <What>' -ForEach @(
        @{ What = 'a hierarchy that cannot be'; Hierarchy = 'sys..hcs'; Id = 'Rejected'; Said = 'node 2 of 3 is empty' }
        @{ What = 'a hierarchy that is not there'; Hierarchy = 'sys.nowhere'; Id = 'Rejected'; Said = 'sys.nowhere does not exist' }
        @{ What = 'a file that is not there'; Hierarchy = 'sys'; Id = 'Rejected'; Said = 'no.xlsx does not exist' }
    ) {
        $failure = Get-FirstError { Start-BulkLoad no.xlsx -Hierarchy $Hierarchy }
        $failure.FullyQualifiedErrorId | Should -BeLike "$Id,*"
        "$failure" | Should -Match ([regex]::Escape($Said))
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'says that there is nothing to load' {
        (Get-FirstError { Start-BulkLoad }).ErrorDetails.RecommendedAction | Should -Match 'Send-IngestFile -Hierarchy'
    }

    It 'tells a missing right' {
        Set-VossOption $sandbox @{ userHierarchy = $hierarchy }
        $failure = Get-FirstError { Start-BulkLoad good.xlsx -Hierarchy sys }
        $failure.CategoryInfo.Category | Should -Be PermissionDenied
    }

    It 'asks once, and names the file to look for, when the answer is lost' {
        $sent = Send-IngestFile $good -Hierarchy $hierarchy -UniqueName
        Set-SandboxFault $sandbox 'lost=POST /api/tool/BulkLoad/'
        $failure = Get-FirstError { $sent | Start-BulkLoad }
        $failure.FullyQualifiedErrorId | Should -BeLike 'OutcomeUnknown,*'
        "$failure" | Should -Match ([regex]::Escape($sent.FileName))
        @(Get-EndedRequest $sandbox | Where-Object target -Like '*/BulkLoad/*').Count | Should -Be 1
    }

    # Fault A5: b was loaded twice, and a never.
    It 'loads no workbook in place of another that had its name' {
        $a = New-TestWorkbook (Join-Path $TestDrive a x.xlsx) -Row @(, ('jane', 'a@example.org'))
        $b = New-TestWorkbook (Join-Path $TestDrive b x.xlsx) -Row @(, ('jane', 'b@example.org'))
        $u = $a, $b | ForEach-Object { Send-IngestFile $_ -Hierarchy sys.hcs -Again }
        $loads = $u | Start-BulkLoad -ErrorAction SilentlyContinue -ErrorVariable errors
        $errors.Count | Should -Be 1
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'NameCollision,*'
        "$($errors[0])" | Should -Match ([regex]::Escape($a))
        "$($errors[0])" | Should -Match ([regex]::Escape($b))
        $errors[0].ErrorDetails.RecommendedAction | Should -Match '-UniqueName'
        @(Invoke-Sandbox $sandbox 'voss/transactions').pkid | Should -Be $loads.TransactionId

        $unique = $a, $b | ForEach-Object { Send-IngestFile $_ -Hierarchy sys.hcs -UniqueName }
        ($unique | Select-Object -First 1 | Start-BulkLoad).FileName | Should -Be $unique[0].FileName
    }

    It 'loads nothing in place of another where the line is typed as it was in the fault' {
        $a = New-TestWorkbook (Join-Path $TestDrive a y.xlsx) -Row @(, ('jane', 'a@example.org'))
        $b = New-TestWorkbook (Join-Path $TestDrive b y.xlsx) -Row @(, ('jane', 'b@example.org'))
        foreach ($off in $false, $true) {
            $u = $a, $b | ForEach-Object { Send-IngestFile $_ -Hierarchy sys.hcs -NoJournal:$off -ErrorAction SilentlyContinue }
            $loads = @($u | Start-BulkLoad -NoJournal:$off -ErrorAction SilentlyContinue -ErrorVariable errors)
            $loads.Count, $errors.Count | Should -Be 1, 1
        }
    }

    It 'loads a workbook once when the line is typed twice, and again with -Again' {
        $first = Send-IngestFile $good -Hierarchy $hierarchy | Start-BulkLoad | Wait-Transaction -PollInterval 0.1
        $failure = Get-FirstError { Send-IngestFile $good -Hierarchy $hierarchy -WarningAction SilentlyContinue | Start-BulkLoad }
        $failure.FullyQualifiedErrorId | Should -BeLike 'AlreadyDone,*'
        $failure.CategoryInfo.Category | Should -Be ResourceExists
        "$failure" | Should -Match $first.Id
        $failure.ErrorDetails.RecommendedAction | Should -Match '-Again'
        @(Invoke-Sandbox $sandbox 'voss/transactions').Count | Should -Be 1
        $again = Send-IngestFile $good -Hierarchy $hierarchy -WarningAction SilentlyContinue | Start-BulkLoad -Again
        $again.Id | Should -Not -Be $first.Id
        (Send-IngestFile $good -Hierarchy $hierarchy -UniqueName | Start-BulkLoad -ErrorAction SilentlyContinue) | Should -BeNullOrEmpty
    }

    It 'repeats a load that failed' {
        Set-VossOption $sandbox @{ rowsFail = @('jane => no') }
        (Send-IngestFile $good -Hierarchy $hierarchy | Start-BulkLoad | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue).Status | Should -Be Failed
        Set-VossOption $sandbox @{ rowsFail = @() }
        (Send-IngestFile $good -Hierarchy $hierarchy | Start-BulkLoad | Wait-Transaction -PollInterval 0.1).Status | Should -Be Succeeded
    }

    It 'takes a result that was skipped as what it is, and refuses one of another server' {
        $null = Send-IngestFile $good -Hierarchy $hierarchy | Start-BulkLoad | Wait-Transaction -PollInterval 0.1
        $skipped = Send-IngestFile $good -Hierarchy $hierarchy -WarningAction SilentlyContinue
        $skipped.Status, $skipped.Reason | Should -Be 'Skipped', 'AlreadyIngested'
        $other = Connect-IngestService Voss http://127.0.0.1:1/ -NoCheck -Name other -Credential ([pscredential]::new('u', (ConvertTo-Secure p))) -MaxAttempts 1
        try { (Get-FirstError { $skipped | Start-BulkLoad -Connection $other }).FullyQualifiedErrorId | Should -BeLike 'WrongServer,*' }
        finally { Disconnect-IngestService other }
        (Use-File $skipped Csv | Start-BulkLoad -Again).FileName | Should -Be good.xlsx
    }

    It 'completes hierarchies, in quotes where there are spaces' {
        $text = "Start-BulkLoad x.xlsx -Hierarchy sys.hcs.Provider.Cust"
        $matched = (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText
        $matched | Should -Contain 'sys.hcs.Provider.Customer'
        $matched | Should -Contain "'sys.hcs.Provider.Customer.Main Site - North'"
    }

    It 'makes no difference of <_>' -ForEach 'tr-TR', 'ar-SA', 'fa-IR', 'th-TH' {
        $before = [cultureinfo]::CurrentCulture
        try {
            [cultureinfo]::CurrentCulture = $_
            $errors = @()
            $load = Send-IngestFile $mixed -Hierarchy $hierarchy | Start-BulkLoad | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue -ErrorVariable errors
            $load.Status, $errors[0].TargetObject | Should -Be 'PartlySucceeded', 'Sheet Users, row 3'
            ([datetimeoffset]::UtcNow - $load.SubmittedAt).Duration() | Should -BeLessThan ([timespan]::FromMinutes(5))
        }
        finally { [cultureinfo]::CurrentCulture = $before }
    }
}

Describe 'The nightly load' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $script = Join-Path $PSScriptRoot '..' 'examples' '06-nightly-bulk-load.ps1'
        function Get-Night([string] $Folder, [string] $Password = 'test', [string] $First = '') {
            "Import-Module '$Manifest'; `$env:VOSS_PASSWORD = '$Password'; $First; & '$script' -Folder '$Folder' -Hierarchy sys.hcs.Provider " +
                "-Uri '$($sandbox.Uri)' -UserName hcsadmin@sys.hcs -SecretFrom env:VOSS_PASSWORD -LogFolder '$Folder/log'; exit `$LASTEXITCODE"
        }
        function Invoke-Night([string] $Folder, [string] $Password = 'test', [string] $First = '') {
            $null = Invoke-PowerShell -NoProfile -NonInteractive -Command (Get-Night @PSBoundParameters)
            $LASTEXITCODE
        }
    }
    BeforeEach {
        Clear-TestJournal
        $sandbox = Start-IngestSandbox
        Set-VossOption $sandbox @{ rowsFail = @('bad => The email is not valid.') }
        $folder = Join-Path $TestDrive ([guid]::NewGuid())
        $null = New-TestWorkbook (Join-Path $folder good.xlsx) -Row @(, ('jane', 'jane@example.org'))
    }
    AfterEach { Stop-IngestSandbox }

    It 'ends with 0 where every row was loaded, and loads no workbook twice' {
        Invoke-Night $folder | Should -Be 0
        Invoke-Night $folder | Should -Be 0
        @(Invoke-Sandbox $sandbox 'voss/transactions').Count | Should -Be 1
        @(Get-ChildItem $folder/succeeded).Count | Should -Be 1
    }

    It 'ends with 1 where rows failed, and lists them' {
        $null = New-TestWorkbook (Join-Path $folder mixed.xlsx) -Row ('joe', 'bad'), ('jill', 'jill@example.org')
        Invoke-Night $folder | Should -Be 1
        $failed = Import-Csv (Get-Item $folder/log/*.failed.csv)
        $failed.Sheet, $failed.Row, $failed.Message | Should -Be 'Users', '2', 'The email is not valid.'
        Get-Content $folder/log/voss-load.log -Raw | Should -Match 'Sheet Users, row 2 failed'
    }

    It 'ends with 2 where it cannot sign in' {
        Invoke-Night $folder 'wrong' | Should -Be 2
        Test-Path (Join-Path $folder good.xlsx) | Should -BeTrue
    }

    It 'ends with 3 where it is not known whether a load was started, and leaves it to a person' {
        Set-SandboxFault $sandbox 'lost=POST /api/tool/BulkLoad/'
        Invoke-Night $folder | Should -Be 3
        @(Get-ChildItem $folder/unknown).Count | Should -Be 1
    }
    It 'loads no workbook twice where it was killed while it waited' {
        Set-VossOption $sandbox @{ queueMs = 600000 }
        $encoded = [Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes((Get-Night $folder)))
        $start = Get-PowerShell
        $night = [System.Diagnostics.Process]::Start($start.Program, [string[]]@($start.Arguments + '-NoProfile' + '-NonInteractive' + '-EncodedCommand' + $encoded))
        Wait-Until { @(Get-SandboxRequest $sandbox | Where-Object target -Like '*/poll/*').Count -gt 0 }
        $night.Kill()
        $night.WaitForExit()
        Invoke-Night $folder | Should -Be 0
        @(Invoke-Sandbox $sandbox 'voss/transactions').Count | Should -Be 1
        @(Get-ChildItem $folder/running).Count | Should -Be 1
    }

    It 'loads no workbook twice, and goes on with the others, where <What>' -ForEach @(
        @{ What = 'a look at what failed fails'; First = 'function Get-Transaction { throw "500" }'; Left = 'partlysucceeded' }
        @{ What = 'a workbook cannot be moved'; First = '$null = New-Item -Force (Join-Path $folder partlysucceeded)'; Left = 'running' }
    ) {
        $null = New-TestWorkbook (Join-Path $folder a-mixed.xlsx) -Row ('joe', 'bad'), ('jill', 'jill@example.org')
        $first = $First.Replace('$folder', "'$folder'")
        Invoke-Night $folder -First $first | Should -Be 1
        Invoke-Night $folder | Should -Be 0
        @(Get-EndedRequest $sandbox | Where-Object target -Like '*/BulkLoad/*').Count | Should -Be 2
        @(Get-ChildItem $folder/$Left).Name | Should -BeLike 'a-mixed*'
        @(Get-ChildItem $folder/succeeded).Name | Should -BeLike 'good*'
    }

    It 'takes a workbook again whose start was refused' {
        Set-SandboxFault $sandbox '403=POST /api/tool/BulkLoad/'
        Invoke-Night $folder | Should -Be 1
        Test-Path (Join-Path $folder good.xlsx) | Should -BeTrue
        Clear-SandboxFault $sandbox
        Invoke-Night $folder | Should -Be 0
        @(Get-ChildItem $folder/succeeded).Count | Should -Be 1
    }
}
