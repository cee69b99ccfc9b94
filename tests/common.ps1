# Dot-sourced by each *.Tests.ps1: imports the staged module and keeps the tests away from the user's own settings and servers.

$ErrorActionPreference = 'Stop'
. (Join-Path $PSScriptRoot 'PowerShell.ps1')

$script:Manifest = if ($env:INGESTTOOLS_MODULE) { $env:INGESTTOOLS_MODULE }
else {
    Get-ChildItem (Join-Path $PSScriptRoot '..' 'out' 'IngestTools' '*' 'IngestTools.psd1') |
        Sort-Object { [version] $_.Directory.Name } | Select-Object -Last 1 -ExpandProperty FullName
}
if (-not $script:Manifest) { throw 'There is no staged module: run ./build.ps1 first.' }

Get-ChildItem env:INGESTTOOLS_*, env:ICAV2_*, env:LAKECTL_* | Where-Object Name -NE 'INGESTTOOLS_MODULE' | Remove-Item
$env:INGESTTOOLS_HOME = Join-Path ([System.IO.Path]::GetTempPath()) "ingesttools-tests-$PID"
$env:LAKECTL_CONFIG_FILE = Join-Path $env:INGESTTOOLS_HOME 'no-lakectl.yaml'

Import-Module $script:Manifest
$PSStyle.OutputRendering = 'PlainText'

# A generous bound for what has to come: a test waits for it, and fails only if it never does.
$script:Patience = [timespan]::FromSeconds(30)

# The design says 2 s; the rest is for a machine that is busy.
$script:StopLimit = [timespan]::FromSeconds(10)

function Wait-Until([scriptblock] $Condition, [string] $What = "$Condition") {
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($clock.Elapsed -gt $script:Patience) { throw "Waited in vain for: $What" }
        Start-Sleep -Milliseconds 20
    }
}

function Invoke-Sandbox($Sandbox, [string] $Route, [string] $Method = 'Get', $Body) {
    $request = @{ Uri = "$($Sandbox.Uri)sandbox/$Route"; Method = $Method; NoProxy = $true }
    if ($PSBoundParameters.ContainsKey('Body')) { $request.Body = ConvertTo-Json $Body -Compress; $request.ContentType = 'application/json' }
    Invoke-RestMethod @request
}

function Get-SandboxRequest($Sandbox) { @(Invoke-Sandbox $Sandbox 'requests') | ForEach-Object { $_ } }

# The same once all of them have ended: a client can have its answer before the sandbox has written the request down.
function Get-EndedRequest($Sandbox) {
    Wait-Until { (Get-SandboxConnection $Sandbox).requestsInFlight -eq 0 } 'the requests have ended'
    Get-SandboxRequest $Sandbox
}

function Get-SandboxProject($Sandbox, [string] $Shortcode = '0001') { Invoke-Sandbox $Sandbox "dsp/projects/$Shortcode" }
function Get-SandboxConnection($Sandbox) { Invoke-Sandbox $Sandbox 'connections' }
function Set-SandboxFault($Sandbox, [string[]] $Fault) { $null = Invoke-Sandbox $Sandbox 'faults' Post @($Fault) }
function Clear-SandboxFault($Sandbox) { $null = Invoke-Sandbox $Sandbox 'faults' Delete }
function Set-SandboxOption($Sandbox, [hashtable] $Option) { $null = Invoke-Sandbox $Sandbox 'dsp/options' Post $Option }
function Set-SandboxIca($Sandbox, [hashtable] $Option) { $null = Invoke-Sandbox $Sandbox 'ica/options' Post $Option }
function Get-SandboxBatch($Sandbox) { @(Invoke-Sandbox $Sandbox 'ica/batches') | ForEach-Object { $_ } }
function Add-SandboxMapping($Sandbox, [string] $Shortcode, [int] $Rows) { $null = Invoke-Sandbox $Sandbox "dsp/projects/$Shortcode/mapping?rows=$Rows" Post }

# How lakeFS behaves, what it has, and what lies in the object store beside it.
function Set-LakeFsOption($Sandbox, [hashtable] $Option) { $null = Invoke-Sandbox $Sandbox 'lakefs/options' Post $Option }
function Get-LakeFsRepository($Sandbox, [string] $Name = 'lake') { Invoke-Sandbox $Sandbox "lakefs/repositories/$Name" }
function Set-LakeFsBranch($Sandbox, [string] $Name, [hashtable] $Content) { $null = Invoke-Sandbox $Sandbox "lakefs/repositories/lake/branches/$Name" Post $Content }
function Add-LakeFsObject($Sandbox, [hashtable] $Object) { $null = Invoke-Sandbox $Sandbox 'lakefs/objects' Post $Object }

function Set-VossOption($Sandbox, [hashtable] $Option) { $null = Invoke-Sandbox $Sandbox 'voss/options' Post $Option }

# Forgets what was sent and started. A sandbox can get the port of an earlier one, and would then be taken for it.
function Clear-TestJournal {
    foreach ($folder in $env:INGESTTOOLS_HOME, (Join-Path $env:INGESTTOOLS_HOME state)) { Remove-Item (Join-Path $folder 'journal.db*') -ErrorAction Ignore }
}

# Starts a process that has imported the module and ends it as kill -9 does when a condition holds.
function Invoke-AndKill([scriptblock] $Script, [object[]] $Argument, [scriptblock] $When) {
    $given = $Argument | ForEach-Object { "'$([System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent("$_"))'" }
    $text = "`$ErrorActionPreference = 'Stop'; Import-Module '$script:Manifest'; & { $Script } $($given -join ' ')"
    $encoded = [Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text))
    $start = Get-PowerShell
    $child = [System.Diagnostics.Process]::Start($start.Program, [string[]] (@($start.Arguments) + '-NoProfile', '-NonInteractive', '-EncodedCommand', $encoded))
    Wait-Until { $child.HasExited -or (& $When) } "$When"
    if ($child.HasExited) { throw 'It ended before it was killed.' }
    $child.Kill()
    $child.WaitForExit()
}

# A workbook with one sheet: the names of its columns, and its rows.
function New-TestWorkbook([string] $Path, [string[]] $Column = @('Username', 'Email'), [object[]] $Row, [string] $Sheet = 'Users') {
    $main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    $related = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
    $content = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
    $cells = @(, $Column) + $Row | ForEach-Object {
        '<row>' + (-join ($_ | ForEach-Object { "<c t=`"inlineStr`"><is><t>$([System.Security.SecurityElement]::Escape($_))</t></is></c>" })) + '</row>'
    }
    $parts = [ordered]@{
        '[Content_Types].xml'        = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
            "<Default Extension=`"xml`" ContentType=`"$content.worksheet+xml`"/><Override PartName=`"/xl/workbook.xml`" ContentType=`"$content.sheet.main+xml`"/></Types>"
        '_rels/.rels'                = "<Relationships xmlns=`"http://schemas.openxmlformats.org/package/2006/relationships`">" +
            "<Relationship Id=`"rId1`" Type=`"$related/officeDocument`" Target=`"xl/workbook.xml`"/></Relationships>"
        'xl/workbook.xml'            = "<workbook $main xmlns:r=`"$related`"><sheets><sheet name=`"$Sheet`" sheetId=`"1`" r:id=`"rId1`"/></sheets></workbook>"
        'xl/_rels/workbook.xml.rels' = "<Relationships xmlns=`"http://schemas.openxmlformats.org/package/2006/relationships`">" +
            "<Relationship Id=`"rId1`" Type=`"$related/worksheet`" Target=`"worksheets/sheet1.xml`"/></Relationships>"
        'xl/worksheets/sheet1.xml'   = "<worksheet $main><sheetData>$(-join $cells)</sheetData></worksheet>"
    }
    $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($Path))
    [System.IO.File]::Delete($Path)
    $zip = [System.IO.Compression.ZipFile]::Open($Path, 'Create')
    try {
        foreach ($name in $parts.Keys) {
            $writer = [System.IO.StreamWriter]::new($zip.CreateEntry($name).Open())
            $writer.Write($parts[$name])
            $writer.Dispose()
        }
    }
    finally { $zip.Dispose() }
    $Path
}

# Files with contents that differ; the names may have folders in them.
function New-TestFile([string] $Folder, [string[]] $Name, [int] $Length = 100) {
    foreach ($one in $Name) {
        $path = Join-Path $Folder $one
        $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($path))
        [System.IO.File]::WriteAllBytes($path, [System.Security.Cryptography.RandomNumberGenerator]::GetBytes($Length))
        $path
    }
}

# A token that the sandbox takes.
function Get-SandboxToken($Sandbox) {
    $body = @{ email = 'root@example.com'; password = 'test' } | ConvertTo-Json
    (Invoke-RestMethod "$($Sandbox.Uri)v2/authentication" -Method Post -Body $body -ContentType 'application/json' -NoProxy).token
}

# An id of ICA's data as real ones are.
function New-DataId([int] $Number, [string] $Kind = 'fil') { '{0}.{1:x32}' -f $Kind, $Number }

# A scheduler with a folder of its own, for all tests of a file.
function Start-TestScheduler { Start-IngestScheduler -Folder (Join-Path $TestDrive 'scheduler') }

# Ends it, and leaves nothing of Save-TestConnection to other files, which run in the same session.
function Stop-TestScheduler {
    Stop-IngestScheduler
    Get-IngestConnection | Where-Object Name -EQ archive | Disconnect-IngestService
    Get-IngestConnection -Saved | Where-Object Name -EQ archive | Disconnect-IngestService -Saved
}

# A saved connection to the sandbox that the scheduler can sign in with.
function Save-TestConnection($Sandbox, [string] $Name = 'archive') {
    $secret = Join-Path $TestDrive 'password'
    if (-not (Test-Path $secret)) {
        Set-Content -LiteralPath $secret -Value 'test'
        if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($secret, 'UserRead, UserWrite') }
    }
    $login = @{ UserName = 'root@example.com'; SecretFrom = "file:$secret"; AuthenticationUri = $Sandbox.Uri; NoProxy = $true }
    Connect-IngestService -Service DspIngest -Uri $Sandbox.Uri -Name $Name @login -Save | Disconnect-IngestService
}

# A schedule that sends a folder of two files to a project of its own, in a year or when it is started.
function New-TestSchedule([string] $Name, [string] $Shortcode = (New-Shortcode), [string[]] $File = @('one.jpg', 'two.jpg')) {
    $folder = Join-Path $TestDrive "files of $Name"
    $null = New-TestFile $folder $File
    Register-BulkLoadSchedule -Name $Name -Path $folder -Shortcode $Shortcode -Connection archive -At (Get-Date).AddYears(1)
}

# A shortcode that no other test of this file has.
function New-Shortcode {
    $script:shortcodes++
    '{0:X4}' -f (0x1000 + $script:shortcodes)
}

# What becomes of objects that are written to a file and read again.
function Use-File([object[]] $Object, [ValidateSet('Clixml', 'Csv', 'Json')] [string] $Format) {
    $path = Join-Path $TestDrive "objects.$Format"
    switch ($Format) {
        Clixml { $Object | Export-Clixml $path; Import-Clixml $path }
        Csv { $Object | Export-Csv $path; Import-Csv $path }
        Json { ConvertTo-Json $Object -Depth 1 -WarningAction SilentlyContinue | Set-Content $path; Get-Content $path -Raw | ConvertFrom-Json }
    }
}

function ConvertTo-Secure([string] $Text) { ConvertTo-SecureString $Text -AsPlainText -Force }

# The error that a command ends with, or writes first.
function Get-FirstError([scriptblock] $Command) {
    $errors = @()
    try { $null = & $Command -ErrorAction SilentlyContinue -ErrorVariable errors 2>$null }
    catch { return $_ }
    $errors | Select-Object -First 1
}

# Runs a script in a runspace of its own, stops it when a condition holds, and tells how long that took.
function Invoke-AndStop([scriptblock] $Script, [object[]] $Argument, [scriptblock] $When) {
    $shell = [powershell]::Create()
    try {
        $null = $shell.AddScript("`$manifest, `$argument = `$args; Import-Module `$manifest; & { $Script } @argument")
        $null = $shell.AddArgument($script:Manifest)
        $null = $shell.AddArgument($Argument)
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $running = $shell.BeginInvoke([System.Management.Automation.PSDataCollection[psobject]]::new(), $output)
        Wait-Until { $running.IsCompleted -or (& $When) } "$When"
        if ($running.IsCompleted) { throw "It ended before it was stopped: $($shell.Streams.Error -join '; ')" }
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        [pscustomobject]@{ Elapsed = $clock.Elapsed; State = $shell.InvocationStateInfo.State; Output = $output; Errors = @($shell.Streams.Error) }
    }
    finally { $shell.Dispose() }
}

# PowerShell as its packages have it, an executable: this process's own, or one made for the pwsh.dll that dotnet runs here.
function New-PowerShellExecutable([string] $Folder) {
    $own = Get-PowerShell
    if ($own.Arguments.Count -eq 0) { return $own.Program }
    $version = dotnet --version
    $sdk = "$(@(dotnet --list-sdks) -match "^$([regex]::Escape($version)) " -replace '^\S+ \[(.*)\]$', "`$1/$version")"
    Add-Type -Path (Join-Path $sdk Microsoft.NET.HostModel.dll)
    $template = Join-Path $sdk AppHostTemplate ($IsWindows ? 'apphost.exe' : 'apphost')
    $path = Join-Path (New-Item -ItemType Directory -Path $Folder) ($IsWindows ? 'pwsh.exe' : 'pwsh')
    $dll = [System.IO.Path]::GetRelativePath((Split-Path $path), (Join-Path $PSHOME pwsh.dll))
    [Microsoft.NET.HostModel.AppHost.HostWriter]::CreateAppHost($template, $path, $dll, $false, [NullString]::Value, [bool] $IsMacOS)
    $path
}

# Runs a script in a process of its own that has imported the module, for what must not see this one's state.
function Invoke-Child([scriptblock] $Script, [object[]] $Argument = @(), [switch] $Bare, [string] $Program) {
    $given = $Argument | ForEach-Object { "'$([System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent("$_"))'" }
    $import = $Bare ? '' : "Import-Module '$script:Manifest';"
    $text = "`$ErrorActionPreference = 'Stop'; `$ProgressPreference = 'SilentlyContinue'; `$PSStyle.OutputRendering = 'PlainText'; $import & { $Script } $($given -join ' ')"
    $encoded = [Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text))
    if ($Program) { & $Program -NoProfile -NonInteractive -EncodedCommand $encoded }
    else { Invoke-PowerShell -NoProfile -NonInteractive -EncodedCommand $encoded }
}
