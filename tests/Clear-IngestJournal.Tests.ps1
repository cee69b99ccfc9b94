Describe 'Clear-IngestJournal' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $folder = Join-Path $TestDrive scans
        1..3 | ForEach-Object { $null = New-Item -Path (Join-Path $folder "$_.tif") -Value "scan $_" -Force }
    }

    BeforeEach {
        Clear-IngestJournal -Confirm:$false
        $null = Send-IngestFile $folder -Recurse -Shortcode 0001 -Again
        $null = Send-IngestFile (Join-Path $folder 1.tif) -Shortcode 0002 -Again
    }

    AfterAll {
        Clear-IngestJournal -Confirm:$false
        Stop-IngestSandbox
    }

    It 'says what it would delete, and deletes nothing' {
        $output = Invoke-Child -Argument $env:INGESTTOOLS_HOME {
            param($folder)
            $env:INGESTTOOLS_HOME = $folder
            Clear-IngestJournal -WhatIf
            Clear-IngestJournal -Shortcode 0002 -WhatIf
        }
        $output -join '' | Should -BeLike '*Delete the records of 4 files and 2 jobs*journal.db*Delete the records of 1 file and 1 job*'
        (Get-IngestJob).Count | Should -Be 2
    }

    It 'asks, since files would be sent again' {
        $impact = (Get-Command Clear-IngestJournal).ImplementingType.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false).ConfirmImpact
        $impact | Should -Be 'High'
    }

    It 'deletes all, so that files are sent again' {
        Clear-IngestJournal -Confirm:$false | Should -BeNullOrEmpty
        Get-IngestJob | Should -BeNullOrEmpty
        (Send-IngestFile $folder -Recurse -Shortcode 0001).Status | Should -Be 'Uploaded', 'Uploaded', 'Uploaded'
    }

    It 'deletes those of a project, and leaves others' {
        Clear-IngestJournal -Shortcode 0002 -Confirm:$false
        (Get-IngestJob).Shortcode | Should -Be '0001'
        (Send-IngestFile $folder -Recurse -Shortcode 0001 -WarningAction SilentlyContinue).Status | Should -Be 'Skipped', 'Skipped', 'Skipped'
        (Send-IngestFile (Join-Path $folder 1.tif) -Shortcode 0002).Status | Should -Be 'Uploaded'
    }

    It 'deletes what is older than a time' {
        Clear-IngestJournal -OlderThan (Get-Date).AddDays(-1) -Confirm:$false
        (Get-IngestJob).Count | Should -Be 2
        Clear-IngestJournal -OlderThan (Get-IngestJob -Last 1).StartedAt -Confirm:$false
        (Get-IngestJob).Shortcode | Should -Be '0002'
    }

    It 'refuses what is not a project' {
        Clear-IngestJournal -Shortcode 12 -Confirm:$false -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors.FullyQualifiedErrorId | Should -Be 'Rejected,IngestTools.PowerShell.Commands.ClearIngestJournalCommand'
        (Get-IngestJob).Count | Should -Be 2
    }

    It 'does not ask where there is nothing to delete' {
        Clear-IngestJournal -Hierarchy sys.none -Verbose 4>&1 | Should -BeLike '*no such records*'
    }
}
