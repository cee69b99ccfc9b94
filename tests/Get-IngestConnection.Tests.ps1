Describe 'Get-IngestConnection' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        foreach ($name in 'alpha', 'beta', 'alpine') { $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name $name -Token (ConvertTo-Secure x) }
    }

    AfterAll { Get-IngestConnection | Disconnect-IngestService }

    It 'lists the connections of the session, newest first' {
        (Get-IngestConnection).Name | Should -Be 'alpine', 'beta', 'alpha'
    }

    It 'lists those whose name matches' {
        (Get-IngestConnection al*).Name | Should -Be 'alpine', 'alpha'
        (Get-IngestConnection BETA).Name | Should -Be 'beta'
    }

    It 'lists those of a service' {
        Get-IngestConnection -Service Ica | Should -BeNullOrEmpty
        @(Get-IngestConnection -Service DspIngest, Ica).Count | Should -Be 3
    }

    It 'writes an error for a name that nothing has' {
        $failure = Get-FirstError { [CmdletBinding()] param() Get-IngestConnection gamma }
        $failure.FullyQualifiedErrorId | Should -Be 'NoConnection,IngestTools.PowerShell.Commands.GetIngestConnectionCommand'
        $failure.TargetObject | Should -Be 'gamma'
    }

    It 'writes nothing for a pattern that nothing matches' {
        Get-IngestConnection g* | Should -BeNullOrEmpty
    }

    It 'lists saved profiles' {
        $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name saved -SecretFrom env:SOME_TOKEN -Save
        try { (Get-IngestConnection -Saved).SecretFrom | Should -Be 'env:SOME_TOKEN' }
        finally {
            Disconnect-IngestService saved -Saved
            Disconnect-IngestService saved
        }
    }
}
