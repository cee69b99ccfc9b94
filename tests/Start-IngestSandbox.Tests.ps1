Describe 'Start-IngestSandbox' {
    BeforeAll { . (Join-Path $PSScriptRoot common.ps1) }
    AfterEach { Stop-IngestSandbox }

    It 'listens, and connects the session to it' {
        $sandbox = Start-IngestSandbox -Connect
        $sandbox.PSObject.TypeNames[0] | Should -Be 'IngestTools.IngestSandbox'
        $sandbox.IsRunning | Should -BeTrue
        $sandbox.Connections.Name | Should -Be 'DspIngest', 'Ica', 'LakeFs', 'Voss'
        ($sandbox.Connections | Test-IngestService).Ok | Should -Be $true, $true, $true, $true
    }

    It 'connects past the proxy that the environment names' {
        $ok = Invoke-Child {
            $env:HTTP_PROXY = $env:http_proxy = 'http://127.0.0.1:1'
            $null = Start-IngestSandbox -Connect
            (Test-IngestService).Ok
        }
        $ok | Should -Be 'True'
    }

    It 'says what it needs where there is no .NET' {
        # Run by dotnet, PowerShell would find the dotnet that runs it.
        $said = Invoke-Child -Program (New-PowerShellExecutable "$TestDrive/executable") {
            $env:PATH = ''
            try { Start-IngestSandbox } catch { $_.FullyQualifiedErrorId; $_.ErrorDetails.RecommendedAction }
        }
        $said[0] | Should -BeLike 'FileNotFound,*'
        $said[1] | Should -Match '\.NET 10'
    }

    It 'misbehaves as it is told' {
        $sandbox = Start-IngestSandbox -Connect -Fault '503=2,1s', 'latency=1ms'
        (Invoke-Sandbox $sandbox 'faults').Count | Should -Be 2
    }

    It 'says what is wrong with a fault' {
        { Start-IngestSandbox -Fault nonsense } | Should -Throw -ExpectedMessage '*nonsense*'
    }

    It 'keeps what it was sent in a folder' {
        $data = Join-Path $TestDrive 'data'
        $null = Start-IngestSandbox -Connect -DataPath $data
        $null = New-TestFile $TestDrive 'one.jpg' | Send-IngestFile -Shortcode 0001
        Get-ChildItem $data -Recurse -File | Should -Not -BeNullOrEmpty
    }

    It 'starts nothing at -WhatIf' {
        Start-IngestSandbox -WhatIf | Should -BeNullOrEmpty
    }

    It 'ends with the process that started it' {
        $id = Invoke-Child { (Start-IngestSandbox).ProcessId }
        Wait-Until { -not (Get-Process -Id $id -ErrorAction Ignore) } 'the sandbox ends'
    }
}
