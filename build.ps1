#!/usr/bin/env pwsh
#requires -Version 7.4
<#
.SYNOPSIS
Builds IngestTools, and what is done with a build.

.DESCRIPTION
Build   compiles with warnings as errors, and stages the module: out/IngestTools/<version>/, ready for Import-Module.
Test    builds, then runs every test: dotnet test, which runs Pester too.
Demo    runs examples/Demo: a load from end to end against a sandbox.
Bench   builds, then compares Send-IngestFile with curl and with Invoke-RestMethod, and measures the scheduler with
        10,000 schedules; needs Linux, a C compiler and curl.
Pack    builds, then makes out/IngestTools.<version>.zip, and its SHA-256.

.PARAMETER Task
What to do.

.PARAMETER Configuration
What to compile for.

.PARAMETER SkipCompile
Takes what was compiled last.

.EXAMPLE
./build.ps1
Import-Module ./out/IngestTools
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Demo', 'Bench', 'Pack')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    [switch] $SkipCompile
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
$staged = Join-Path $root 'out' 'IngestTools' $version

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
    Copy-Matching (Join-Path $root 'module' 'bin') (Join-Path $Folder 'module' 'bin') '*.dll'
    Copy-Item -Path (Join-Path $root 'examples' '*.ps1') -Destination (New-Item -ItemType Directory -Path (Join-Path $Folder 'Examples'))

    # Without the executables made for this machine: `dotnet ingest-sandbox.dll` runs everywhere.
    $sandbox = Join-Path $root 'src' 'IngestTools.Sandbox' 'bin' $Configuration 'net10.0'
    Copy-Matching $sandbox (Join-Path $Folder 'sandbox') '*.dll', '*.deps.json', '*.runtimeconfig.json'
    $scheduler = Join-Path $root 'src' 'IngestTools.Scheduler' 'bin' $Configuration 'net10.0'
    Copy-Matching $scheduler (Join-Path $Folder 'scheduler') '*.dll', '*.so', '*.dylib', '*.deps.json', '*.runtimeconfig.json'

    # SQLite is native code, and comes for phones and mainframes too: what stays is where PowerShell runs.
    Get-ChildItem -LiteralPath (Join-Path $Folder 'scheduler' 'runtimes') -Directory |
        Where-Object Name -NotMatch '^(win|linux|linux-musl|osx)-(x64|x86|arm|arm64)$' | Remove-Item -Recurse

    # In a process of its own, for a process that has imported a module holds its files.
    Invoke-PowerShell -NoProfile -NonInteractive -File (Join-Path $root 'module' 'help' 'ConvertTo-Maml.ps1') `
        -Manifest (Join-Path $Folder 'IngestTools.psd1') -Destination (Join-Path $Folder 'en-US')
}

# Puts a folder in the place of another: whole, or not at all.
function Switch-Folder([string] $New, [string] $Place) {
    $old = "$New.old"
    if (Test-Path -LiteralPath $Place) {
        try { [System.IO.Directory]::Move($Place, $old) }
        catch [System.IO.IOException], [System.UnauthorizedAccessException] {
            throw "$Place is in use: a session has the module imported. Close that session and build again."
        }
    }
    $null = New-Item -ItemType Directory -Force -Path (Split-Path -Parent $Place)
    [System.IO.Directory]::Move($New, $Place)
    if (Test-Path -LiteralPath $old) { Remove-Item -LiteralPath $old -Recurse -Force }
}

function Publish-Module {
    $new = Join-Path $root 'out' ".staging-$PID"
    try {
        New-Module $new
        Switch-Folder $new $staged
    }
    finally {
        if (Test-Path -LiteralPath $new) { Remove-Item -LiteralPath $new -Recurse -Force }
    }
    Write-Host "Staged $([System.IO.Path]::GetRelativePath($root, $staged))"
}

function Compress-Module {
    $zip = Join-Path $root 'out' "IngestTools.$version.zip"
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
    Write-Host "Packed out/$(Split-Path -Leaf $zip), SHA-256 $hash"
}

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
        foreach ($bench in 'uploads', 'scheduler') { & (Join-Path $root 'tests' 'bench' "$bench.ps1") -Module (Join-Path $staged 'IngestTools.psd1') }
    }
    'Pack' {
        Invoke-Compile
        Publish-Module
        Compress-Module
    }
}
