# Dot-sourced by Comparison.Tests.ps1: reads the comparison in README.md, and says what proves each of its rows.

# The rows of the table, each with the cells of the tools under their names.
function Get-ComparisonRow([string] $Path) {
    $table = @((Get-ComparisonText $Path) -match '^\|')
    $names = Split-Row $table[0]
    foreach ($line in $table | Select-Object -Skip 2) {
        $cells = Split-Row $line
        $row = [ordered]@{ Name = $cells[0] }
        for ($i = 1; $i -lt $names.Count; $i++) { $row[$names[$i]] = $cells[$i] }
        [pscustomobject] $row
    }
}

# What "partly" stands for at IngestTools: the first list after the table.
function Get-ComparisonNote([string] $Path) {
    $text = (Get-ComparisonText $Path) -join "`n"
    [regex]::Match($text, '(?m)^- .+(\n(- |  ).+)*').Value -split "`n" -match '^- '
}

function Get-ComparisonText([string] $Path) {
    $inside = $false
    foreach ($line in [System.IO.File]::ReadAllLines($Path)) {
        if ($line.StartsWith('## ')) { $inside = $line -eq '## Compared with other tools' }
        if ($inside) { $line }
    }
}

function Split-Row([string] $Line) { $Line.Trim('|').Split('|').Trim() }

# Whether a proof is a test that exists: "X.Tests.ps1: name" of Pester, or "Class.Method" of xunit.
function Test-Proof([string] $Proof, [string] $Root) {
    if ($Proof -match '^(\S+\.Tests\.ps1): (.+)$') {
        $path = Join-Path $Root tests $Matches[1]
        $name = $Matches[2].Replace("'", "''")
        return (Test-Path $path) -and (Select-String -LiteralPath $path -SimpleMatch -Quiet -CaseSensitive "It '$name' ")
    }
    $class, $method = $Proof.Split('.')
    $path = @(Get-ChildItem (Join-Path $Root tests units) -Recurse -Filter "$class.cs" | Where-Object FullName -NotMatch '[\\/](bin|obj)[\\/]')
    $test = '\[\w*(Fact|Theory)\b[^\]\n]*\](\s*\[[^\n]*\])*\s*public (async Task|Task|void) ' + [regex]::Escape($method) + '\('
    $path.Count -eq 1 -and [System.IO.File]::ReadAllText($path[0]) -cmatch $test
}

# The commands, or with " -pattern" the parameters of commands, whose names match.
function Find-Feature([string] $Feature) {
    $command, $parameter = $Feature -split ' -', 2
    foreach ($one in Get-Command $command -Module IngestTools -ErrorAction Ignore) {
        if (-not $parameter) { $one.Name }
        else { $one.Parameters.Keys -like $parameter | ForEach-Object { "$($one.Name) -$_" } }
    }
}

# By the text of a row: the tests that do what it says; for a parameter, its command; for a "no", what does not exist, or what holds.
function Get-ComparisonProof {
    @{
        'Continue an upload whose process was killed'     = @{
            Tests = 'Journal.Tests.ps1: is finished by the same line, every file ingested once: <_>',
            'JournalProcessTests.A_process_that_is_killed_leaves_whole_records_and_all_acknowledgedthat_it_was_promised'
        }
        'Skip files that the server already has'          = @{
            Tests = 'DspJournalTests.Only_new_and_changed_files_are_sent_and_ingested', 'DspJournalTests.Rerun_after_finalizing_still_skips'
        }
        'Compare files by content instead of time'        = @{
            Command = 'Send-IngestFile'
            Tests = 'DspJournalTests.Touched_file_is_skipped_with_checksum'
        }
        'Check that what was sent arrived unchanged'      = @{
            Tests = 'Get-IngestMapping.Tests.ps1: proves that a file arrived as it is, and that one did not'
        }
        'Dry run'                                         = @{
            Command = 'Send-IngestFile'
            Tests = 'UploadDryRunTests.Dry_run_plans_what_the_real_call_then_does', 'UploadDryRunTests.Dry_run_records_no_file_and_no_job'
        }
        'Retry what failed for a moment'                  = @{
            Command = 'Connect-IngestService'
            Tests = 'Send-IngestFile.Tests.ps1: through answers of 503 and resets, and sends each file whole',
            'UploadTests.Upload_is_sent_again_whole_after', 'ConnectionTests.Retry_after_is_waited_for'
        }
        'Limit the bandwidth'                             = @{
            Command = 'Send-IngestFile'
            Tests = 'UploadDryRunTests.Bytes_in_a_second_are_limited_over_large_and_small_files_together'
        }
        'Limit the bandwidth by the time of day'          = @{
            Absent = '* -*Timetable*', '* -*TimeOfDay*'
            Holds = { (Get-Command Send-IngestFile).Parameters['MaxBytesPerSecond'].ParameterType -in [long], [System.Nullable[long]] }
        }
        'Limit the requests per second'                   = @{ Absent = '* -*Request*', '* -*Rate*', '* -*Tps*' }
        'Send several files at once'                      = @{
            Command = 'Send-IngestFile'
            Tests = 'UploadFlowTests.File_that_comes_during_a_slow_upload_is_sent_beside_it',
            'AdaptiveConcurrencyLimiterTests.Limit_grows_where_more_uploads_are_answered_as_quickly'
        }
        'Send parts of one large file at once'            = @{ Absent = '* -*Block*', '* -*Part*', '* -*Chunk*', '* -*Stream*' }
        'Progress with the time left'                     = @{
            Tests = 'UploadMeterTests.Time_left_is_known_once_all_files_are_found', 'UploadTests.Progress_ends_at_the_total'
        }
        'Results that a program can read'                 = @{
            Tests = 'ReportTests.Json_has_all_rows_the_totals_and_the_causes_with_enums_as_text',
            'Send-IngestFile.Tests.ps1: results that were read from a file, under the same names: <_>'
        }
        'Log file'                                        = @{
            Tests = 'LogFileTests.Text_has_time_with_zone_process_weight_source_and_message_in_one_line',
            'LogFileTests.Large_file_is_rotated_and_no_line_is_lost', 'Secrets.Tests.ps1: are nowhere: <_>'
        }
        'Report of a run as a web page'                   = @{
            Tests = 'Export-IngestReport.Tests.ps1: writes each format, and nothing into the pipeline',
            'ReportPageTests.Page_fits_sorts_filters_and_prints_without_network_and_without_an_error'
        }
        'Patterns of files to include or leave out'       = @{
            Command = 'Send-IngestFile'
            Tests = 'Send-IngestFile.Tests.ps1: only files that match -Include, and none that match -Exclude'
        }
        'Patterns from a file'                            = @{ Absent = 'Send-IngestFile -*File', 'Send-IngestFile -*From' }
        'List of files from a file or a pipe'             = @{
            Tests = 'Send-IngestFile.Tests.ps1: strings, files and results in one pipeline, each as what it is',
            'Send-IngestFile.Tests.ps1: rows with a path and a project'
        }
        'HTTP proxy'                                      = @{
            Command = 'Connect-IngestService'
            Tests = 'WrongPortTests.Credentials_go_to_the_proxy_when_it_asks_for_them', 'WrongPortTests.Proxy_that_wants_credentials_is_named_as_such'
        }
        'Option for a certificate authority of your own'  = @{
            Command = 'Connect-IngestService'
            Tests = 'TlsTests.Certificate_of_the_authority_in_the_file_is_trusted'
        }
        'Secret from an environment variable or a file'   = @{
            Command = 'Connect-IngestService'
            Tests = 'Connect-IngestService.Tests.ps1: a secret from the environment',
            'Connect-IngestService.Tests.ps1: a secret from a file that nobody else can read'
        }
        'Secret from a command or a vault'                = @{
            Command = 'Connect-IngestService'
            Tests = 'Connect-IngestService.Tests.ps1: a text that is read from a vault', 'ConnectionTests.Vault_is_asked_with_its_name_and_the_secret_s'
        }
        'Named profiles for several servers'              = @{
            Command = 'Connect-IngestService'
            Tests = 'Connect-IngestService.Tests.ps1: as a profile, which a new session uses by its name or as the default'
        }
        'Schedules in the tool itself'                    = @{
            Tests = 'SchedulerRunTests.A_load_runs_at_its_time_and_ends_with_its_mapping_saved',
            'SchedulerRunTests.A_repeated_load_runs_at_each_of_its_times_once'
        }
        'Webhook when a scheduled run fails'              = @{
            Command = 'Register-BulkLoadSchedule'
            Tests = 'NotificationTests.A_failed_run_is_posted_as_documented_and_signed'
        }
        'Metrics for Prometheus'                          = @{
            Command = 'Start-IngestScheduler'
            Tests = 'SchedulerCommandTests.Page_is_off_by_default_and_reads_what_the_scheduler_has'
        }
        'Web page that shows running work'                = @{
            Tests = 'PageContentTests.Overview_shows_progress_store_and_disk',
            'PageBrowserTests.Page_fits_filters_and_follows_a_run_without_network_and_without_an_error'
        }
        'History of earlier runs'                         = @{
            Tests = 'Get-IngestJob.Tests.ps1: lists jobs newest first, with what became of their files'
        }
        'List the files that failed in an earlier run'    = @{
            Tests = 'Get-UploadResult.Tests.ps1: gives failed files back, which are sent again'
        }
        'Cancel a run from another session'               = @{
            Tests = 'Stop-Transaction.Tests.ps1: cancels an import, and leaves the branch as it was',
            'Stop-Transaction.Tests.ps1: cancels a load by the action that it offers',
            'Stop-Transaction.Tests.ps1: says that DSP-INGEST cannot stop a run', 'LinkingWaitTests.Batch_cannot_be_stopped_and_goes_on'
        }
        'Wait until the server has processed the files'   = @{
            Tests = 'Wait-Transaction.Tests.ps1: writes each transaction when it ends'
        }
        'Names on the server complete with Tab'           = @{
            Tests = 'Module.Tests.ps1: asks the server for names, and offers nothing where it fails'
        }
        'Try it on one machine, without an account'       = @{
            Tests = 'Start-IngestSandbox.Tests.ps1: writes sample files that a load takes'
        }
        'Delete at the destination what the source lacks' = @{ Absent = 'Send-IngestFile -*Delete*', '* -*Mirror*', '* -*Sync*', 'Sync-*' }
        'Mount what was sent as a folder'                 = @{ Absent = 'Mount-*', 'New-*Drive' }
        'Encrypt before sending'                          = @{ Absent = '* -*Encrypt*', 'Protect-*' }
        'Store equal content once'                        = @{ Absent = '* -*Dedup*' }
        'Download what was sent'                          = @{ Absent = 'Receive-*', 'Restore-*', 'Save-*', 'Copy-*' }
        'More than ten storage services'                  = @{
            Holds = { [enum]::GetNames((Get-Command Connect-IngestService).Parameters['Service'].ParameterType).Count -le 10 }
        }
        'Tested on Windows by its project'                = @{
            Holds = { Select-String -LiteralPath (Join-Path $args[0] README.md) -SimpleMatch -Quiet 'Windows and macOS are expected to work and were never run' }
        }
    }
}
