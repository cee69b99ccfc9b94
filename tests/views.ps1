# Dot-sourced by Views.Tests.ps1: one object or more for each view of IngestTools.Format.ps1xml, and the view as text.
#
# After a change of a view, look at what this writes to tests/approved, and commit it:
#   pwsh -NoProfile -Command '. ./tests/common.ps1; . ./tests/views.ps1; Update-View'

$script:ApprovedFolder = Join-Path $PSScriptRoot 'approved'
$script:ViewWidths = 80, 100, 200

# The columns that PowerShell leaves empty at the right edge of a console.
$script:ConsoleMargin = 1

# Both are read by what renders the views. They are the process's own: a test puts them back.
function Use-FixedCulture([scriptblock] $Script) {
    $culture = [cultureinfo]::CurrentCulture
    $zone = $env:TZ
    try {
        [cultureinfo]::CurrentCulture = [cultureinfo]::InvariantCulture
        $env:TZ = 'UTC'
        [System.TimeZoneInfo]::ClearCachedData()
        & $Script
    }
    finally {
        [cultureinfo]::CurrentCulture = $culture
        $env:TZ = $zone
        [System.TimeZoneInfo]::ClearCachedData()
    }
}

# The views of the file: a type can have a table and a list.
function Get-View {
    [xml] $file = Get-Content -Raw (Join-Path (Split-Path $script:Manifest) 'module' 'IngestTools.Format.ps1xml')
    foreach ($view in $file.Configuration.ViewDefinitions.View) {
        $kind = $view.TableControl ? 'Table' : 'List'
        [pscustomobject]@{ Name = "$($view.Name).$kind"; View = $view.Name; Kind = $kind; Xml = $view }
    }
}

# A view of its objects, as a console of this width shows it.
function Format-View([string] $View, [string] $Kind, [int] $Width, [string] $Rendering = 'PlainText') {
    $before = $PSStyle.OutputRendering
    try {
        $PSStyle.OutputRendering = $Rendering
        Use-FixedCulture {
            $objects = (Get-ViewObject)[$View]
            $formatted = $Kind -eq 'Table' ? ($objects | Format-Table) : ($objects | Format-List)
            ($formatted | Out-String -Width ($Width - $script:ConsoleMargin)).Replace("`r`n", "`n")
        }
    }
    finally { $PSStyle.OutputRendering = $before }
}

function Update-View {
    $null = New-Item -ItemType Directory -Force $script:ApprovedFolder
    Remove-Item (Join-Path $script:ApprovedFolder '*.txt')
    foreach ($view in Get-View) {
        foreach ($width in $script:ViewWidths) {
            $text = Format-View $view.View $view.Kind $width
            [System.IO.File]::WriteAllText((Join-Path $script:ApprovedFolder "$($view.Name).$width.txt"), $text)
        }
    }
}

# Core is loaded apart: PowerShell does not find its types by their names.
$script:Core = [IngestTools.PowerShell.Formatting.Display].GetMethod('Job').GetParameters()[0].ParameterType.Assembly

function New-Value([string] $Type, $Value, [object[]] $Argument) {
    $found = $script:Core.GetType("IngestTools.$Type", $true)
    if ($Argument) { [Activator]::CreateInstance($found, $Argument) }
    else { [System.Management.Automation.LanguagePrimitives]::ConvertTo($Value, $found) }
}

function New-Array([string] $Type, [object[]] $Item) {
    $array = [array]::CreateInstance($script:Core.GetType("IngestTools.$Type", $true), $Item.Count)
    for ($i = 0; $i -lt $Item.Count; $i++) { $array.SetValue(($Item[$i] -is [psobject] ? $Item[$i].psobject.BaseObject : $Item[$i]), $i) }
    , $array
}

function Open-ViewConnection([hashtable] $Setting) {
    $type = $script:Core.GetType('IngestTools.Connections.IngestConnection', $true)
    $logger = $type.GetMethods() | Where-Object { $_.Name -eq 'Open' -and $_.IsPublic -and $_.GetParameters()[1].IsOptional }
    $logger.Invoke($null, @((New-Value Connections.ConnectionSettings $Setting), $null))
}

# Values as long as the services give them.
function Get-ViewObject {
    $dsp = 'https://ingest.dsp.example.org/'
    $began = [datetimeoffset] '2026-11-27T01:02:03Z'
    $project = '4c2f9f0e-1d7b-4c8e-9f8d-0a3c5b6d7e8f'
    $batch = '9b8a7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d'
    $reason = New-Value UploadFailureReason -Argument (New-Value ErrorId 'Rejected'), 1234L, "The server answered 422: the file's extension is not allowed."
    $failed = New-Value IngestException -Argument (New-Value ErrorId 'Rejected'), "The server refused the file: its extension is not allowed.", $null
    $range = '3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b'
    $log = @(
        New-Value TransactionLogEntry -Argument $began.AddSeconds(1), 'Information', 'Sheet Users: 5 rows.'
        New-Value TransactionLogEntry -Argument $began.AddSeconds(83), 'Error', 'Row 7 of Users: the user name jdoe is taken by another user of this hierarchy.'
    )
    $parts = @(
        New-Value SubTransaction @{ TransactionId = 'b1'; Action = 'Add User'; Status = 'Succeeded'; ServerStatus = 'Success' }
        New-Value SubTransaction @{
            TransactionId = 'b2'; Action = 'Add User'; Detail = 'jdoe'; Status = 'Failed'; ServerStatus = 'Fail'; Sheet = 'Users'; Row = 12007
            Message = 'The user name is taken by another user of this hierarchy.'
        }
    )
    $load = New-Value Scheduling.LoadDefinition @{
        Kind = 'BulkLoad'; Connection = 'voss'; Server = 'https://voss.example.org/'; Path = '/data/voss/users.xlsx'; Hierarchy = 'sys.hcs.Customers'
    }
    $run = New-Value BulkLoadRun @{
        Id = 'run:1207'; Name = 'nightly users'; Kind = 'BulkLoad'; Status = 'PartlySucceeded'; DueAt = $began; StartedAt = $began.AddSeconds(83)
        CompletedAt = $began.AddMinutes(64); TransactionIds = [string[]] "voss:$batch"; Completed = 1199; Total = 1200; Unit = 'rows'; Attempt = 2; RetryOf = 'run:1206'
        Message = '1 of 1,200 rows failed. See the log.'; Log = (New-Array TransactionLogEntry $log)
    }
    $schedule = New-Value Scheduling.ScheduleDefinition @{
        Name = 'nightly users'; Load = $load; Cron = '0 30 2 ? * MON-FRI'; TimeZone = 'Europe/Zurich'; RetryFailed = 3
        NotifyCommand = [string[]] ('mail', '-s', 'load', 'ops')
    }
    $mapping = @(
        @{ Shortcode = '0801'; Original = 'boxes/letters-1890-1899/Box 0042/letter-000000000001234-recto.tif'; Derivative = '4f5Gq2Z8xKb-BqYvT3nRuPw.jpx'; Ingested = $true }
        @{ Shortcode = '0801'; Original = 'a.tif' }
    )
    $connection = @{ Name = 'ica'; Service = 'Ica'; Uri = 'https://ica.illumina.com/ica/rest'; SignIn = 'ApiKey'; SecretFrom = 'env:ICAV2_API_KEY' }
    @{
        UploadSummary       = New-Value UploadSummary @{
            Shortcode = '0801'; Server = $dsp; Connection = 'dsp'; Uploaded = 1234567; Skipped = 20; AlreadySent = 20; Failed = 1234; Bytes = 1234567890123
            Duration = [timespan]::FromSeconds(4983.123456); Job = 'job:1207'; Failures = (New-Array UploadFailureReason $reason, $reason)
        }
        UploadResult        = @(
            New-Value UploadResult @{
                Path = '/data/boxes/letter-1.tif'; RemoteName = 'boxes/letters-1890-1899/Box 0042/letter-000000000001234-recto.tif'; Shortcode = '0801'
                Length = 1099000000; Sha256 = $range; Status = 'Uploaded'; Attempts = 1; Duration = [timespan]::FromSeconds(83.123456)
                CompletedAt = $began; Connection = 'dsp'; Server = $dsp
            }
            New-Value UploadResult @{
                Path = '/data/a.exe'; RemoteName = 'a.exe'; Shortcode = '0801'; Length = 12; Status = 'Failed'; Attempts = 4
                Duration = [timespan]::FromSeconds(0.25); Error = $failed; Connection = 'dsp'; Server = $dsp
            }
            New-Value UploadResult @{ Path = '/data/b.tif'; RemoteName = 'b.tif'; Shortcode = '0801'; Length = 2048; Status = 'Skipped'; Reason = 'AlreadySent'; Connection = 'dsp' }
        )
        IngestJob           = New-Value IngestJob @{
            Id = 'job:1234567'; Status = 'Interrupted'; Service = 'Voss'; Server = 'https://voss.example.org/'; Hierarchy = 'sys.hcs.Customers'; Connection = 'voss'
            StartedAt = $began; Uploaded = 1234567; Failed = 1234; Skipped = 20000; Bytes = 1234567890123; ProcessId = 4711; MachineName = 'ingest-1'
        }
        IngestMapping       = $mapping.ForEach({ New-Value IngestMapping $_ })
        VerifiedMapping     = ($mapping[0] + @{ Verified = $true }), ($mapping[0] + @{ Verified = $false }), $mapping[1] | ForEach-Object {
            $row = [psobject] (New-Value IngestMapping $_)
            $row.PSTypeNames.Insert(0, 'IngestTools.IngestMapping#Verified')
            $row
        }
        LinkingBatchItem    = New-Value LinkingBatchItem @{
            ProjectId = $project; BatchId = $batch; ItemId = 'i1'; DataId = 'fil.3a7bd3e2360a3d29eea436fcfb7e44c7'; Status = 'PARTIALLY_LINKED'
            Reason = 'The data is in another region than the project.'; Connection = 'ica'
        }
        ImportRange         = New-Value ImportRange @{
            Repository = 'lake'; Id = $range; MinKey = 'images/2026/11/27/camera-0001.jpg'; MaxKey = 'images/2026/11/27/camera-9999.jpg'; Count = 123456789
            EstimatedSize = 1234567890; HasMore = $true; LastKey = 'images/2026/11/27/camera-9999.jpg'; Connection = 'lake'
        }
        ImportMetaRange     = New-Value ImportMetaRange @{ Repository = 'lake'; Id = $range; Ranges = 12; Count = 123456789; Connection = 'lake' }
        Transaction         = @(
            New-Value Transaction @{ Id = 'dsp:0801'; Kind = 'BulkIngest'; Status = 'Queued'; Connection = 'dsp'; Shortcode = '0801' }
            New-Value Transaction @{
                Id = "ica:$project/$batch"; Kind = 'LinkingBatch'; Status = 'Running'; Completed = 12; Total = 1000; Unit = 'items'; StartedAt = $began
                SeenAt = $began.AddSeconds(83.123456); Connection = 'ica'; ProjectId = $project; BatchId = $batch
            }
            New-Value Transaction @{
                Id = "voss:$batch"; Kind = 'BulkLoad'; Status = 'PartlySucceeded'; ServerStatus = 'Success With Warnings'; Completed = 4; Total = 5; Unit = 'rows'
                SubmittedAt = $began; StartedAt = $began; CompletedAt = $began.AddSeconds(3723); Hierarchy = 'sys.hcs.Customers'; FileName = 'users.xlsx'
                Message = '1 of 5 rows failed: row 7 of Users: the user name jdoe is taken by another user of this hierarchy.'
                SubTransactions = (New-Array SubTransaction $parts); Log = (New-Array TransactionLogEntry $log); Connection = 'voss'
            }
        )
        SubTransaction      = $parts
        TransactionLogEntry = $log
        IngestConnection    = Open-ViewConnection @{ Service = 'DspIngest'; Name = 'dsp'; Uri = 'https://ingest.dsp.dasch.swiss/'; SignIn = 'None' }
        ConnectionProfile   = New-Value Connections.ConnectionProfile $connection
        ServiceReport       = New-Value Connections.ServiceReport @{
            Connection = 'dsp'; Service = 'DspIngest'; Uri = $dsp; Reachable = $true; Version = '1.2.3'; SignedIn = $true; ResponseTime = [timespan]::FromSeconds(0.25)
            Details = [string[]] ('The token ends in 5 minutes.', 'Give another with Connect-IngestService -Token.')
        }
        IngestSandbox       = New-ViewSandbox
        BulkLoadSchedule    = New-Value BulkLoadSchedule @{
            Name = 'nightly users'; Status = 'Active'; Definition = $schedule; NextRuns = [datetimeoffset[]] ($began.AddDays(1), $began.AddDays(2)); LastRun = $run
            RegisteredAt = $began; RegisteredBy = 'ops@ingest-1'
        }
        BulkLoadRun         = $run
        SchedulerState      = New-Value SchedulerState @{
            IsRunning = $true; Version = '0.1.0'; ProcessId = 4711; Node = 'ingest-1'; Store = '/var/lib/ingest-scheduler/scheduler.db'; Active = 3; Suspended = 1
            Running = 1; StartedAt = $began; NextRun = $began.AddDays(1)
        }
    }
}

# A sandbox that belongs to this process, and has a number that does not change.
function New-ViewSandbox {
    $type = [IngestTools.IngestSandbox]
    $sandbox = [System.Runtime.CompilerServices.RuntimeHelpers]::GetUninitializedObject($type)
    $private = [System.Reflection.BindingFlags] 'Instance, NonPublic'
    $type.GetField('_process', $private).SetValue($sandbox, [System.Diagnostics.Process]::GetCurrentProcess())
    $type.GetField('<ProcessId>k__BackingField', $private).SetValue($sandbox, 4711)
    $type.GetField('<Uri>k__BackingField', $private).SetValue($sandbox, [uri] 'http://127.0.0.1:50123/')
    $type.GetField('<Connections>k__BackingField', $private).SetValue($sandbox, (New-Array Connections.IngestConnection @()))
    $sandbox
}
