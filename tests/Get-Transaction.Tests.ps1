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

    It 'refuses what is no id of an import' {
        "$(Get-FirstError { Get-Transaction lakefs:lake/main })" | Should -Match 'repository, branch and import'
    }
}
