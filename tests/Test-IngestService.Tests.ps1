Describe 'Test-IngestService' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
    }

    AfterEach { Clear-SandboxFault $sandbox }
    AfterAll { Stop-IngestSandbox }

    It 'tells that all is well' {
        $report = Test-IngestService -Service DspIngest -Shortcode 0001
        $report.PSObject.TypeNames[0] | Should -Be 'IngestTools.Connections.ServiceReport'
        $report.Ok, $report.Reachable, $report.SignedIn, $report.Allowed | Should -Be $true, $true, $true, $true
        $report.Version | Should -Not -BeNullOrEmpty
        $report.Details.Count | Should -BeGreaterThan 2
    }

    It 'takes connections, their names, and reports from the pipeline' {
        (Get-IngestConnection | Test-IngestService).Ok | Should -Not -Contain $false
        ('DspIngest' | Test-IngestService | Test-IngestService).Ok | Should -BeTrue
        (Test-IngestService -Service DspIngest).Ok | Should -BeTrue
    }

    It 'tells of lakeFS its version, and whether a repository can be used' {
        $report = Test-IngestService LakeFs -Repository lake
        $report.Ok, $report.Version, $report.SignedIn | Should -Be $true, '1.84.0', $true
        "$($report.Details)" | Should -Match 'no ranges and metaranges'
        (Test-IngestService LakeFs -Repository none).Allowed | Should -BeFalse
        $null = Invoke-Sandbox $sandbox 'lakefs/repositories/closed' Post @{ readOnly = $true }
        "$((Test-IngestService LakeFs -Repository closed).Details)" | Should -Match '-AllowReadOnly'
    }

    It 'tells that nobody is signed in' {
        $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -Name stranger -Token (ConvertTo-Secure 'x.y.z')
        try {
            $report = Test-IngestService stranger
            $report.Reachable | Should -BeTrue
            $report.SignedIn | Should -BeFalse
            $report.Ok | Should -BeFalse
        }
        finally { Disconnect-IngestService stranger }
    }

    It 'tells that the server is not there' {
        $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name nowhere -Token (ConvertTo-Secure x) -MaxAttempts 1
        try {
            $report = Test-IngestService nowhere
            $report.Reachable | Should -BeFalse
            $report.Ok | Should -BeFalse
        }
        finally { Disconnect-IngestService nowhere }
    }

    It 'writes an error where there is no connection' {
        $said = Invoke-Child { try { Test-IngestService -Service LakeFs -ErrorAction Stop } catch { $_.FullyQualifiedErrorId } }
        $said | Should -Be 'NoConnection,IngestTools.PowerShell.Commands.TestIngestServiceCommand'
        (Get-FirstError { [CmdletBinding()] param() Test-IngestService nobody }).FullyQualifiedErrorId | Should -BeLike 'NoConnection,*'
    }

    It 'stops at Ctrl+C while the server does not answer' {
        Set-SandboxFault $sandbox 'latency=60s'
        $stopped = Invoke-AndStop -Argument @($sandbox.Uri) -When { (Get-SandboxConnection $sandbox).requestsInFlight -gt 0 } {
            param($uri)
            $null = Connect-IngestService DspIngest $uri -NoCheck -Token (ConvertTo-SecureString x -AsPlainText -Force)
            Test-IngestService
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
    }
}

Describe 'Test-IngestService of VOSS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        Set-VossOption $sandbox @{ takesBasic = $false; userHierarchy = 'sys.hcs' }
        $credential = [pscredential]::new('hcsadmin@sys.hcs', (ConvertTo-Secure 'test'))
    }
    AfterAll { Stop-IngestSandbox }

    It 'signs in for a session where the address to do so is given' {
        $connection = Connect-IngestService Voss $sandbox.Uri -AuthenticationUri $sandbox.Uri -Credential $credential -NoProxy
        $report = Test-IngestService $connection -Hierarchy sys.hcs.Provider
        $report.Ok, $report.SignedIn, $report.Allowed | Should -Be $true, $true, $true
        (Test-IngestService $connection -Hierarchy sys).Allowed | Should -BeFalse
        (Test-IngestService $connection -Hierarchy sys.hcs.Nowhere).Ok | Should -BeFalse
    }

    It 'says that Basic is not taken' {
        $connection = Connect-IngestService Voss $sandbox.Uri -NoCheck -Credential $credential -NoProxy
        $report = Test-IngestService $connection
        $report.Ok, $report.Reachable, $report.SignedIn | Should -Be $false, $true, $false
    }
}
