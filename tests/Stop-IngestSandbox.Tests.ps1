Describe 'Stop-IngestSandbox' {
    BeforeAll { . (Join-Path $PSScriptRoot common.ps1) }
    AfterEach { Stop-IngestSandbox }

    It 'ends the sandboxes that come down the pipeline, and the connections to them' {
        $first = Start-IngestSandbox -Connect
        $second = Start-IngestSandbox
        $first | Stop-IngestSandbox
        Wait-Until { -not $first.IsRunning }
        $second.IsRunning | Should -BeTrue
        Get-IngestConnection | Should -BeNullOrEmpty
    }

    It 'ends all that the session started' {
        $all = Start-IngestSandbox; $more = Start-IngestSandbox
        Stop-IngestSandbox
        Wait-Until { -not $all.IsRunning -and -not $more.IsRunning }
    }

    It 'ends nothing at -WhatIf' {
        $sandbox = Start-IngestSandbox
        Stop-IngestSandbox -WhatIf
        $sandbox.IsRunning | Should -BeTrue
    }
}
