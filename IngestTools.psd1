@{
    RootModule             = 'module/bin/IngestTools.dll'
    ModuleVersion          = '0.1.0'
    CompatiblePSEditions   = @('Core')
    GUID                   = '6f3f0b0e-0d52-4d07-9c5e-5b0c3a7f6b11'
    Author                 = 'IngestTools contributors'
    CompanyName            = 'IngestTools contributors'
    Copyright              = 'Copyright (c) 2026 IngestTools contributors. MIT License.'
    Description            = 'Drives bulk ingest services the same way from PowerShell: send, start, wait, look at what failed, send just that again.'
    PowerShellVersion      = '7.4'
    FormatsToProcess       = @('module/IngestTools.Format.ps1xml')
    TypesToProcess         = @('module/IngestTools.Types.ps1xml')
    FunctionsToExport      = @()
    CmdletsToExport        = @(
        'Clear-IngestJournal'
        'Complete-BulkIngest'
        'Connect-IngestService'
        'Disconnect-IngestService'
        'Export-IngestReport'
        'Get-BulkLoadRun'
        'Get-BulkLoadSchedule'
        'Get-IngestConnection'
        'Get-IngestJob'
        'Get-IngestMapping'
        'Get-IngestScheduler'
        'Get-LinkingBatchItem'
        'Get-Transaction'
        'Get-UploadResult'
        'New-ImportMetaRange'
        'New-ImportRange'
        'New-LinkingBatch'
        'Register-BulkLoadSchedule'
        'Resume-BulkLoadSchedule'
        'Send-IngestFile'
        'Set-BulkLoadSchedule'
        'Show-IngestScheduler'
        'Start-BulkIngest'
        'Start-BulkLoad'
        'Start-BulkLoadSchedule'
        'Start-Import'
        'Start-IngestLog'
        'Start-IngestSandbox'
        'Start-IngestScheduler'
        'Stop-IngestLog'
        'Stop-IngestSandbox'
        'Stop-IngestScheduler'
        'Stop-Transaction'
        'Suspend-BulkLoadSchedule'
        'Test-IngestService'
        'Unregister-BulkLoadSchedule'
        'Wait-Transaction'
    )
    VariablesToExport      = @()
    AliasesToExport        = @()
    PrivateData            = @{
        PSData = @{
            Tags         = @('PSEdition_Core', 'Windows', 'Linux', 'MacOS', 'ingest', 'upload', 'bulk', 'DSP-INGEST', 'ICA', 'lakeFS', 'VOSS')
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
