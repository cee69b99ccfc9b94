Describe 'Complete-BulkIngest' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $files = New-TestFile $TestDrive 'one.jpg', 'broken.jpg'
        function New-IngestedProject([string[]] $Path = $files[0]) {
            $shortcode = New-Shortcode
            $null = $Path | Send-IngestFile -Shortcode $shortcode | Start-BulkIngest | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue
            $shortcode
        }
        function Test-Finalized([string] $Shortcode) { $null -eq (Get-SandboxProject $sandbox $Shortcode).mapping }
    }

    AfterEach { Set-SandboxOption $sandbox @{ ingestFails = @() } }
    AfterAll { Stop-IngestSandbox }

    It 'refuses while the mapping is not saved' {
        $shortcode = New-IngestedProject
        $failure = Get-FirstError { [CmdletBinding()] param() Complete-BulkIngest $shortcode -Confirm:$false }
        $failure.FullyQualifiedErrorId | Should -Be 'MappingUnsaved,IngestTools.PowerShell.Commands.CompleteBulkIngestCommand'
        $failure.TargetObject | Should -Be $shortcode
        Test-Finalized $shortcode | Should -BeFalse
    }

    It 'finalizes after the mapping was saved, and waits until it is gone' {
        $shortcode = New-IngestedProject
        Get-IngestMapping $shortcode -OutFile (Join-Path $TestDrive 'saved.csv')
        Complete-BulkIngest $shortcode -Confirm:$false | Should -BeNullOrEmpty
        Test-Finalized $shortcode | Should -BeTrue
    }

    It 'saves the mapping first' {
        $shortcode = New-IngestedProject
        Complete-BulkIngest $shortcode -MappingPath 'TestDrive:/first.csv' -Confirm:$false
        (Import-Csv (Join-Path $TestDrive 'first.csv')).original | Should -Be 'one.jpg'
        Test-Finalized $shortcode | Should -BeTrue
    }

    It 'refuses while files are left over, unless forced' {
        Set-SandboxOption $sandbox @{ ingestFails = @('broken*') }
        $shortcode = New-IngestedProject $files
        $failure = Get-FirstError { [CmdletBinding()] param() Complete-BulkIngest $shortcode -MappingPath (Join-Path $TestDrive 'left.csv') -Confirm:$false }
        $failure.FullyQualifiedErrorId | Should -BeLike 'LeftOvers,*'
        Test-Finalized $shortcode | Should -BeFalse
        Complete-BulkIngest $shortcode -Force -Confirm:$false
        Test-Finalized $shortcode | Should -BeTrue
    }

    It 'writes an error where there is nothing to finalize' {
        (Get-FirstError { [CmdletBinding()] param() Complete-BulkIngest 00EE -Force -Confirm:$false }).FullyQualifiedErrorId | Should -BeLike 'NotFound,*'
    }

    It 'asks before it deletes, and does nothing at -WhatIf' {
        $shortcode = New-IngestedProject
        Complete-BulkIngest $shortcode -Force -WhatIf
        Test-Finalized $shortcode | Should -BeFalse
        [System.Management.Automation.CmdletAttribute] $cmdlet = (Get-Command Complete-BulkIngest).ImplementingType.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false)[0]
        $cmdlet.ConfirmImpact | Should -Be 'High'
    }
}
