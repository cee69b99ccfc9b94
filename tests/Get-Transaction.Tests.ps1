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
        $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -Name nowhere -Token (ConvertTo-Secure x) -MaxAttempts 1
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
