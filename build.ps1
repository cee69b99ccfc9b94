#!/usr/bin/env pwsh
#requires -Version 7.4
<#
.SYNOPSIS
Builds IngestTools, and what is done with a build.

.DESCRIPTION
Build      compiles with warnings as errors, and stages the module: out/IngestTools/<version>/, ready for Import-Module.
Test       builds, then runs every test: dotnet test, which runs Pester too.
Demo       runs examples/Demo: a load from end to end against a sandbox.
Bench      builds, then measures the import, compares Send-IngestFile with curl and with Invoke-RestMethod, measures the
           journal with 1,000,000 files and the scheduler with 10,000 schedules; needs Linux, a C compiler and curl.
Install    builds, then copies the module to the current user's module path, where Import-Module IngestTools finds it.
           It goes to a folder of its version. Other versions stay; the same version is replaced.
Uninstall  removes this version of the module from the current user's module path.
Pack       builds, then makes the packages in out:
           IngestTools.<version>.nupkg            the module, for Install-PSResource
           IngestTools.<version>.zip and .sha256  the module, to copy by hand
           IngestTools.Scheduler.<version>.nupkg  the command ingest-scheduler, for dotnet tool install
           IngestTools.Sandbox.<version>.nupkg    the command ingest-sandbox, for dotnet tool install
           It needs PowerShell 7.5 or later.

.PARAMETER Task
What to do.

.PARAMETER Configuration
What to compile for.

.PARAMETER SkipCompile
Takes what was compiled last.

.PARAMETER Output
The folder that the module and the packages are made in, by default out. The tests use out, so Test does not take it.

.EXAMPLE
./build.ps1
Import-Module ./out/IngestTools

Builds the module, and imports it from the checkout.

.EXAMPLE
./build.ps1 -Task Install
Import-Module IngestTools

Builds and installs the module, and imports it from anywhere.

.EXAMPLE
./build.ps1 -Task Pack
Register-PSResourceRepository -Name IngestToolsBuild -Uri ./out -Trusted
Install-PSResource IngestTools -Repository IngestToolsBuild

Makes the packages, and installs the module from the folder as from any repository.

.EXAMPLE
./build.ps1 -Task Pack
dotnet tool install --global --source ./out IngestTools.Scheduler
dotnet tool install --global --source ./out IngestTools.Sandbox

Makes the packages, and installs the commands ingest-scheduler and ingest-sandbox.
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Demo', 'Bench', 'Install', 'Uninstall', 'Pack')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    [switch] $SkipCompile,

    [ValidateNotNullOrEmpty()]
    [string] $Output = (Join-Path $PSScriptRoot 'out')
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-StrictMode -Version 3

$env:DOTNET_NOLOGO = 'true'
$env:DOTNET_CLI_TELEMETRY_OPTOUT = 'true'

$root = $PSScriptRoot
. (Join-Path $root 'tests' 'PowerShell.ps1')
$solution = Join-Path $root 'IngestTools.sln'
$version = (Import-PowerShellDataFile -LiteralPath (Join-Path $root 'IngestTools.psd1')).ModuleVersion
$Output = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Output)
$staged = Join-Path $Output 'IngestTools' $version

function Invoke-Compile {
    if (-not $SkipCompile) { dotnet build $solution --configuration $Configuration -warnaserror }
}

# Copies the files of a folder whose names match, with their subfolders.
function Copy-Matching([string] $From, [string] $To, [string[]] $Include) {
    $base = (Resolve-Path -LiteralPath $From).ProviderPath
    foreach ($file in Get-ChildItem -LiteralPath $base -Recurse -File -Include $Include) {
        $target = Join-Path $To ([System.IO.Path]::GetRelativePath($base, $file.FullName))
        $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent $target)
        Copy-Item -LiteralPath $file.FullName -Destination $target
    }
}

# module/bin holds what was compiled last, for whichever configuration.
function Assert-Compiled {
    $bin = Join-Path $root 'module' 'bin' 'IngestTools.dll'
    $compiled = Join-Path $root 'src' 'IngestTools.PowerShell' 'bin' $Configuration 'net8.0' 'IngestTools.dll'
    $hashes = @($bin, $compiled | Where-Object { Test-Path -LiteralPath $_ } | Get-FileHash | ForEach-Object Hash)
    if ($hashes.Count -ne 2 -or $hashes[0] -ne $hashes[1]) {
        throw "What was compiled last is not the module for $Configuration`: build without -SkipCompile."
    }
}

function New-Module([string] $Folder) {
    Assert-Compiled
    $null = New-Item -ItemType Directory -Path $Folder
    foreach ($name in 'IngestTools.psd1', 'LICENSE', 'CHANGELOG.md') {
        Copy-Item -LiteralPath (Join-Path $root $name) -Destination $Folder
    }
    Copy-Matching (Join-Path $root 'module') (Join-Path $Folder 'module') '*.ps1xml'
    Copy-Matching (Join-Path $root 'module' 'bin') (Join-Path $Folder 'module' 'bin') '*.dll', '*.so', '*.dylib'
    Copy-Item -Path (Join-Path $root 'examples' '*.ps1') -Destination (New-Item -ItemType Directory -Path (Join-Path $Folder 'Examples'))

    # Without the executables made for this machine: `dotnet ingest-sandbox.dll` runs everywhere.
    $sandbox = Join-Path $root 'src' 'IngestTools.Sandbox' 'bin' $Configuration 'net10.0'
    Copy-Matching $sandbox (Join-Path $Folder 'sandbox') '*.dll', '*.deps.json', '*.runtimeconfig.json'
    $scheduler = Join-Path $root 'src' 'IngestTools.Scheduler' 'bin' $Configuration 'net10.0'
    Copy-Matching $scheduler (Join-Path $Folder 'scheduler') '*.dll', '*.so', '*.dylib', '*.deps.json', '*.runtimeconfig.json'

    # In a process of its own, for a process that has imported a module holds its files.
    Invoke-PowerShell -NoProfile -NonInteractive -File (Join-Path $root 'module' 'help' 'ConvertTo-Maml.ps1') `
        -Manifest (Join-Path $Folder 'IngestTools.psd1') -Destination (Join-Path $Folder 'en-US')
}

# Puts a folder in the place of another: whole, or not at all.
function Switch-Folder([string] $New, [string] $Place) {
    $old = "$New.old"
    if (Test-Path -LiteralPath $Place) { Move-Unused $Place $old }
    try {
        $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent $Place)
        [System.IO.Directory]::Move($New, $Place)
    }
    catch {
        if (Test-Path -LiteralPath $old) { [System.IO.Directory]::Move($old, $Place) }
        throw
    }
    if (Test-Path -LiteralPath $old) { Remove-Item -LiteralPath $old -Recurse -Force }
}

# Windows does not move a folder while a process uses a file in it.
function Move-Unused([string] $From, [string] $To) {
    try { [System.IO.Directory]::Move($From, $To) }
    catch [System.IO.IOException], [System.UnauthorizedAccessException] {
        throw "Cannot replace or remove ${From}: $($_.Exception.Message) " +
            'If a session has imported the module from there, or a scheduler runs from there, end it and run this again.'
    }
}

function Publish-Module {
    $new = Join-Path $Output ".staging-$PID"
    try {
        New-Module $new
        Switch-Folder $new $staged
    }
    finally {
        if (Test-Path -LiteralPath $new) { Remove-Item -LiteralPath $new -Recurse -Force }
    }
    Write-Host "Staged $(Get-ShortPath $staged)"
}

# A path as the user would type it in the checkout.
function Get-ShortPath([string] $Path) {
    $relative = [System.IO.Path]::GetRelativePath($root, $Path)
    $relative.StartsWith('..') ? $Path : $relative
}

# The folder that a new PowerShell puts first in PSModulePath: the user's own, wherever XDG_DATA_HOME, a moved Documents
# folder or powershell.config.json put it. What this session has in PSModulePath may be changed, so it is not used.
function Get-UserModulePath {
    $current = $env:PSModulePath
    $env:PSModulePath = $null
    try { $paths = Invoke-PowerShell -NoProfile -NonInteractive -Command '$env:PSModulePath' }
    finally { $env:PSModulePath = $current }
    ($paths -split [System.IO.Path]::PathSeparator)[0]
}

# Linux moves a folder that is in use, and its users then load files of two builds.
function Assert-Unused([string] $Folder) {
    if (-not $IsLinux -or -not (Test-Path -LiteralPath $Folder)) { return }
    $real = readlink -f -- $Folder
    $users = foreach ($process in [System.IO.Directory]::GetDirectories('/proc') -match '/\d+$') {
        # Processes end meanwhile, and those of other accounts cannot be read.
        try { $maps = [System.IO.File]::ReadAllText("$process/maps") }
        catch [System.IO.IOException], [System.UnauthorizedAccessException] { continue }
        if ($maps.Contains("$real/")) { [int] (Split-Path -Leaf $process) }
    }
    if ($PID -in $users) { throw "$Folder is in use: this session has imported the module. Run this again in a new session." }
    if ($users) { throw "$Folder is in use by process $($users -join ', '): end it and run this again." }
}

function Get-InstallPath { Join-Path (Get-UserModulePath) 'IngestTools' $version }

function Install-StagedModule {
    $place = Get-InstallPath
    # Beside its place, for a folder can be moved only on one file system.
    $new = Join-Path (Split-Path -Parent $place) ".new-$PID"
    try {
        $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent $new)
        Copy-Item -LiteralPath $staged -Destination $new -Recurse
        Assert-Unused $place
        Switch-Folder $new $place
    }
    finally {
        if (Test-Path -LiteralPath $new) { Remove-Item -LiteralPath $new -Recurse -Force }
    }
    Write-Host "Installed $place"
    $modules = Split-Path -Parent (Split-Path -Parent $place)
    if ($modules -notin ($env:PSModulePath -split [System.IO.Path]::PathSeparator)) {
        Write-Warning "PSModulePath does not contain $modules. Import-Module IngestTools finds the module only in sessions where it does."
    }
}

function Uninstall-StagedModule {
    $place = Get-InstallPath
    $folder = Split-Path -Parent $place
    if (-not (Test-Path -LiteralPath $place)) {
        Write-Host "IngestTools $version is not installed: there is no $place"
        return
    }
    Assert-Unused $place
    # Moved away first, so that no half of a module is left where PowerShell looks.
    $old = Join-Path $folder ".old-$PID"
    Move-Unused $place $old
    Remove-Item -LiteralPath $old -Recurse -Force
    if (-not (Get-ChildItem -LiteralPath $folder -Force)) { Remove-Item -LiteralPath $folder }
    Write-Host "Uninstalled $place"
}

function Compress-Module {
    $zip = Join-Path $Output "IngestTools.$version.zip"
    Remove-Item -LiteralPath $zip -ErrorAction Ignore
    $archive = [System.IO.Compression.ZipFile]::Open($zip, 'Create')
    try {
        foreach ($file in Get-ChildItem -LiteralPath $staged -Recurse -File | Sort-Object FullName) {
            $entry = "IngestTools/$version/" + [System.IO.Path]::GetRelativePath($staged, $file.FullName).Replace('\', '/')
            $null = [System.IO.Compression.ZipFileExtensions]::CreateEntryFromFile($archive, $file.FullName, $entry)
        }
    }
    finally { $archive.Dispose() }
    $hash = (Get-FileHash -LiteralPath $zip -Algorithm SHA256).Hash.ToLowerInvariant()
    Set-Content -LiteralPath "$zip.sha256" -Value "$hash  $(Split-Path -Leaf $zip)"
    Write-Host "Packed $(Get-ShortPath $zip), SHA-256 $hash"
}

# For Install-PSResource, from a folder or from a gallery.
function New-ModulePackage {
    $package = Join-Path $Output "IngestTools.$version.nupkg"
    Remove-Item -LiteralPath $package -ErrorAction Ignore
    # Without this folder, as in a new home folder, the command makes its settings where it is called.
    $null = [System.Environment]::GetFolderPath('LocalApplicationData', 'Create')
    Compress-PSResource -Path $staged -DestinationPath $Output
    Write-Host "Packed $(Get-ShortPath $package)"
}

# For dotnet tool install.
function New-ToolPackage([string] $Project) {
    $package = Join-Path $Output "$Project.$version.nupkg"
    Remove-Item -LiteralPath $package -ErrorAction Ignore
    dotnet pack (Join-Path $root 'src' $Project) --configuration $Configuration --no-build --output $Output --verbosity quiet
    Write-Host "Packed $(Get-ShortPath $package)"
}

if ($Task -eq 'Test' -and $PSBoundParameters.ContainsKey('Output')) { throw 'The tests use the folder out: omit -Output.' }

switch ($Task) {
    'Build' {
        Invoke-Compile
        Publish-Module
    }
    'Test' {
        Invoke-Compile
        Publish-Module
        dotnet test $solution --configuration $Configuration --no-build
    }
    'Demo' {
        $noBuild = $SkipCompile ? @('--no-build') : @()
        dotnet run --project (Join-Path $root 'examples' 'Demo') --configuration $Configuration @noBuild
    }
    'Bench' {
        Invoke-Compile
        Publish-Module
        foreach ($bench in 'import', 'uploads', 'journal', 'scheduler') {
            & (Join-Path $root 'tests' 'bench' "$bench.ps1") -Module (Join-Path $staged 'IngestTools.psd1')
        }
    }
    'Install' {
        Assert-Unused (Get-InstallPath)
        Invoke-Compile
        Publish-Module
        Install-StagedModule
    }
    'Uninstall' { Uninstall-StagedModule }
    'Pack' {
        if (-not (Get-Command Compress-PSResource -ErrorAction Ignore)) {
            throw 'Pack needs Compress-PSResource, which PowerShell 7.5 and later have.'
        }
        Invoke-Compile
        Publish-Module
        Compress-Module
        New-ModulePackage
        New-ToolPackage 'IngestTools.Scheduler'
        New-ToolPackage 'IngestTools.Sandbox'
    }
}
