Describe 'Get-UploadResult' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Clear-IngestJournal -Confirm:$false
        $folder = Join-Path $TestDrive scans
        1..3 | ForEach-Object { $null = New-Item -Path (Join-Path $folder box "$_.tif") -Value "scan $_" -Force }
        $sent = Send-IngestFile $folder -Recurse -Shortcode 0001
        $job = Get-IngestJob -Last 1
    }

    AfterAll {
        Clear-IngestJournal -Confirm:$false
        Stop-IngestSandbox
    }

    It 'gives the results back as they were' {
        $results = $job | Get-UploadResult | Sort-Object RemoteName
        $before = $sent | Sort-Object RemoteName
        $results[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.UploadResult'
        foreach ($property in 'Path', 'RemoteName', 'Shortcode', 'Length', 'Sha256', 'Status', 'Connection', 'Server') {
            $results.$property | Should -Be $before.$property
        }
    }

    It 'gives them back in a session that knows nothing but the journal' {
        $output = Invoke-Child -Argument $job.Id, $env:INGESTTOOLS_HOME {
            param($id, $folder)
            $env:INGESTTOOLS_HOME = $folder
            Get-UploadResult $id | ForEach-Object RemoteName | Sort-Object
        }
        $output | Should -Be 'box/1.tif', 'box/2.tif', 'box/3.tif'
    }

    It 'gives results that Start-BulkIngest and Get-IngestMapping take' {
        $ended = $job | Get-UploadResult -Status Uploaded | Start-BulkIngest | Wait-Transaction -PollInterval 0.1
        $ended.Status | Should -Be 'Succeeded'
        $mapping = Get-IngestMapping -Uploaded (Get-UploadResult $job.Id)
        $mapping.Original | Sort-Object | Should -Be 'box/1.tif', 'box/2.tif', 'box/3.tif'
        $mapping.Ingested | Should -Not -Contain $false
    }

    It 'gives failed files back, which are sent again' {
        $null = New-Item -Path (Join-Path $folder 'large.tif') -Value ('x' * 1000)
        Set-SandboxFault $sandbox '400=1,POST /projects/0003/**'
        $null = Send-IngestFile (Join-Path $folder 'large.tif') -Shortcode 0003 -ErrorAction SilentlyContinue
        Clear-SandboxFault $sandbox
        $failed = Get-IngestJob -Last 1
        $failed.Failed | Should -Be 1
        $results = Get-UploadResult $failed.Id -Status Failed
        $results.Error.ErrorId | Should -Be 'Rejected'
        Get-UploadResult $failed.Id -Status Uploaded | Should -BeNullOrEmpty

        $again = $results | Send-IngestFile

        $again.Status | Should -Be 'Uploaded'
        $again.RemoteName | Should -Be 'large.tif'
        (Get-SandboxProject $sandbox 0003).waiting.path | Should -Be 'large.tif'
    }

    It 'keeps the results of a job when a later one sends the same files' {
        $null = Send-IngestFile $folder -Recurse -Shortcode 0001 -Again
        (Get-UploadResult $job.Id).Count | Should -Be 3
        (Get-IngestJob -Last 1 | Get-UploadResult).Count | Should -Be 4
    }

    It 'gives workbooks back that Start-BulkLoad takes' {
        $book = Join-Path $TestDrive 'users.xlsx'
        New-TestWorkbook $book -Row @(, @('ada', 'ada@example.com'))
        $null = Send-IngestFile $book -Hierarchy sys.hcs.Provider
        $ended = Get-IngestJob -Last 1 | Get-UploadResult | Start-BulkLoad | Wait-Transaction -PollInterval 0.1
        $ended.Status | Should -Be 'Succeeded'
        $ended.Hierarchy | Should -Be 'sys.hcs.Provider'
    }

    It 'gives no skipped files back, and says so' {
        $null = Send-IngestFile $folder -Recurse -Shortcode 0001 -WarningAction SilentlyContinue
        $skipping = Get-IngestJob -Last 1
        $skipping.Skipped | Should -Be 4
        $skipping | Get-UploadResult | Should -BeNullOrEmpty
        { Get-UploadResult $skipping.Id -Status Skipped } | Should -Throw -ErrorId 'Rejected,IngestTools.PowerShell.Commands.GetUploadResultCommand'
    }

    It 'refuses a job that is not there' {
        Get-UploadResult job:999999 -ErrorVariable errors -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -Be 'NotFound,IngestTools.PowerShell.Commands.GetUploadResultCommand'
    }

    It 'streams' {
        (Get-UploadResult $job.Id | Select-Object -First 1).Count | Should -Be 1
    }
}
