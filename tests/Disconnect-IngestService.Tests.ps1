Describe 'Disconnect-IngestService' {
    BeforeAll { . (Join-Path $PSScriptRoot common.ps1) }

    BeforeEach {
        foreach ($name in 'alpha', 'beta') { $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name $name -SecretFrom env:NOTHING -Save }
    }

    AfterEach {
        Disconnect-IngestService *
        Disconnect-IngestService * -Saved
    }

    It 'closes a connection by its name' {
        Disconnect-IngestService -Name alpha
        (Get-IngestConnection).Name | Should -Be 'beta'
    }

    It 'closes connections that come down the pipeline' {
        Get-IngestConnection | Disconnect-IngestService
        Get-IngestConnection | Should -BeNullOrEmpty
    }

    It 'leaves saved profiles alone, and connections with -Saved' {
        Disconnect-IngestService alpha
        (Get-IngestConnection -Saved).Name | Should -Be 'alpha', 'beta'
        Disconnect-IngestService beta -Saved
        (Get-IngestConnection -Saved).Name | Should -Be 'alpha'
        (Get-IngestConnection).Name | Should -Be 'beta'
    }

    It 'changes nothing at -WhatIf' {
        Disconnect-IngestService * -WhatIf
        Disconnect-IngestService * -Saved -WhatIf
        @(Get-IngestConnection).Count | Should -Be 2
        @(Get-IngestConnection -Saved).Count | Should -Be 2
    }

    It 'writes an error for a name that nothing has' {
        (Get-FirstError { [CmdletBinding()] param() Disconnect-IngestService gamma }).FullyQualifiedErrorId | Should -BeLike 'NoConnection,*'
        (Get-FirstError { [CmdletBinding()] param() Disconnect-IngestService gamma -Saved }).FullyQualifiedErrorId | Should -BeLike 'NoConnection,*'
    }
}
