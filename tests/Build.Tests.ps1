# What build.ps1 does with a build, in folders of the tests' own: the module path, the tools and what dotnet keeps in a home folder.
# Windows takes the user's module path from the Documents folder, which no test can move, so there nothing is installed into it.

BeforeAll {
    . (Join-Path $PSScriptRoot common.ps1)
    $root = Split-Path $PSScriptRoot
    $version = (Import-PowerShellDataFile -LiteralPath (Join-Path $root 'IngestTools.psd1')).ModuleVersion
    # Pack and Install stage into this folder, not into the one that other tests import from.
    $output = Join-Path $TestDrive 'out'
    $staged = Join-Path $output 'IngestTools' $version

    $compiled = Get-FileHash (Join-Path $root 'module' 'bin' 'IngestTools.dll')
    $configuration = 'Release', 'Debug' | Where-Object {
        $assembly = Join-Path $root 'src' 'IngestTools.PowerShell' 'bin' $_ 'net8.0' 'IngestTools.dll'
        (Test-Path $assembly) -and (Get-FileHash $assembly).Hash -eq $compiled.Hash
    } | Select-Object -First 1

    # Runs a script with a home folder that nothing else uses.
    function Invoke-AtHome([string] $Name, [scriptblock] $Script, [string] $DataHome = 'data') {
        $there = New-Item -ItemType Directory -Force -Path (Join-Path $TestDrive $Name)
        $set = @{
            HOME            = $there.FullName
            XDG_DATA_HOME   = Join-Path $there $DataHome
            XDG_CONFIG_HOME = Join-Path $there 'config'
            XDG_CACHE_HOME  = Join-Path $there 'cache'
            DOTNET_CLI_HOME = $there.FullName
            NUGET_PACKAGES  = Join-Path $there 'packages'
            # The executable of a tool does not look for dotnet on PATH.
            DOTNET_ROOT     = $env:DOTNET_ROOT ? $env:DOTNET_ROOT : (Split-Path (Get-Item (Get-Command dotnet).Source).ResolvedTarget)
        }
        $before = @{}
        foreach ($variable in $set.Keys) {
            $before[$variable] = [System.Environment]::GetEnvironmentVariable($variable)
            [System.Environment]::SetEnvironmentVariable($variable, $set[$variable])
        }
        try { & $Script }
        finally {
            foreach ($variable in $before.Keys) {
                # An empty variable is not the same as none: NuGet takes an empty NUGET_PACKAGES for the current folder.
                if ($null -eq $before[$variable]) { Remove-Item "env:$variable" -ErrorAction Ignore }
                else { Set-Item "env:$variable" $before[$variable] }
            }
        }
    }

    # What a command printed, as one text, and its exit code.
    function Invoke-Native([scriptblock] $Command) {
        $PSNativeCommandUseErrorActionPreference = $false
        $text = & $Command 2>&1 | Out-String -Width 1000
        [pscustomobject]@{ Text = $text; ExitCode = $LASTEXITCODE }
    }

    function Invoke-Build([string] $Task) {
        Invoke-Native {
            Invoke-PowerShell -NoProfile -NonInteractive -File (Join-Path $root 'build.ps1') -Task $Task -SkipCompile `
                -Configuration $configuration -Output $output
        }
    }

    function Get-RelativeFile([string] $Folder) {
        Get-ChildItem -LiteralPath $Folder -Recurse -File -Force |
            ForEach-Object { [System.IO.Path]::GetRelativePath($Folder, $_.FullName).Replace('\', '/') } | Sort-Object
    }

    # A process that answers on its standard output and ends with its standard input.
    function Start-Listening([string] $Program, [string[]] $Argument) {
        $start = [System.Diagnostics.ProcessStartInfo]::new($Program, $Argument)
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
        [System.Diagnostics.Process]::Start($start)
    }

    function Stop-Listening([System.Diagnostics.Process] $Process) {
        $Process.Kill($true)
        $Process.WaitForExit()
        $Process.Dispose()
    }

    function Get-NativeFile([string[]] $Name) { $Name -match '(^|/)runtimes/' -replace '^.*(?=runtimes/)' | Sort-Object }

    function Get-ZipEntry([string] $Path) {
        $zip = [System.IO.Compression.ZipFile]::OpenRead($Path)
        try { $zip.Entries.FullName } finally { $zip.Dispose() }
    }
}

Describe 'build.ps1 -Task Install' -Skip:$IsWindows {
    BeforeAll {
        $modules = Join-Path $TestDrive 'install' 'data' 'powershell' 'Modules' 'IngestTools'
        $place = Join-Path $modules $version
        $older = New-TestFile (Join-Path $modules '0.0.1') 'IngestTools.psd1'
        $stale = New-TestFile $place 'stale.txt'
        $install = Invoke-AtHome install { Invoke-Build Install }
    }

    It 'puts the whole module where Import-Module finds it in a new session' {
        $install.ExitCode | Should -Be 0 -Because $install.Text
        $install.Text | Should -Match ([regex]::Escape("Installed $place"))
        Get-RelativeFile $place | Should -Be (Get-RelativeFile $staged)
        $found = Invoke-AtHome install {
            Invoke-Child -Bare -Script {
                Import-Module IngestTools
                (Get-Module IngestTools).ModuleBase
                (Get-Help Send-IngestFile).Synopsis
            }
        }
        $found[0] | Should -Be $place
        $found[1] | Should -Match '^Sends files'
    }

    It 'leaves another version alone, and nothing of what it replaced' {
        $older | Should -Exist
        $stale | Should -Not -Exist
        (Get-ChildItem -LiteralPath $modules -Force).Name | Should -Be '0.0.1', $version
    }

    # macOS does not say who uses a folder.
    It 'neither replaces nor removes a module that a session has imported' -Skip:$IsMacOS {
        $powershell = Get-PowerShell
        $text = "Import-Module '$(Join-Path $place 'IngestTools.psd1')'; 'imported'; `$null = [Console]::In.ReadLine()"
        $session = Start-Listening $powershell.Program (@($powershell.Arguments) + '-NoProfile', '-Command', $text)
        try {
            $session.StandardOutput.ReadLine() | Should -Be 'imported'
            $before = Get-ChildItem -LiteralPath $place -Recurse -File | Get-FileHash
            foreach ($task in 'Install', 'Uninstall') {
                $refused = Invoke-AtHome install { Invoke-Build $task }
                $refused.ExitCode | Should -Not -Be 0
                $refused.Text | Should -Match "in use by process $($session.Id)"
            }
            (Get-ChildItem -LiteralPath $place -Recurse -File | Get-FileHash).Hash | Should -Be $before.Hash
            (Get-ChildItem -LiteralPath $modules -Force).Name | Should -Be '0.0.1', $version
        }
        finally { Stop-Listening $session }
    }

    It 'is undone by -Task Uninstall, which removes this version only' {
        $uninstall = Invoke-AtHome install { Invoke-Build Uninstall }
        $uninstall.ExitCode | Should -Be 0 -Because $uninstall.Text
        (Get-ChildItem -LiteralPath $modules -Force).Name | Should -Be '0.0.1'
        $again = Invoke-AtHome install { Invoke-Build Uninstall }
        $again.ExitCode | Should -Be 0
        $again.Text | Should -Match 'is not installed'
    }
}

Describe 'build.ps1 -Task Pack' {
    BeforeAll {
        Push-Location (New-Item -ItemType Directory -Path (Join-Path $TestDrive 'work'))
        try { $pack = Invoke-AtHome pack { Invoke-Build Pack } }
        finally { Pop-Location }
        if ($pack.ExitCode -ne 0) { throw $pack.Text }

        # Nothing but the folder may be asked for packages.
        $config = Join-Path $TestDrive 'nuget.config'
        Set-Content -LiteralPath $config -Value '<configuration><packageSources><clear /></packageSources></configuration>'
        $tools = Join-Path $TestDrive 'tools'
        $suffix = $IsWindows ? '.exe' : ''
    }

    It 'writes only into the folder that it is given and into the home folder' {
        $there = Get-ChildItem -LiteralPath (Join-Path $TestDrive 'work') -Force
        $there | Should -BeNullOrEmpty
    }

    It 'makes a zip of the module, and its SHA-256' {
        $zip = Join-Path $output "IngestTools.$version.zip"
        Get-ZipEntry $zip | Sort-Object | Should -Be (Get-RelativeFile $staged | ForEach-Object { "IngestTools/$version/$_" } | Sort-Object)
        $hash = (Get-FileHash $zip -Algorithm SHA256).Hash.ToLowerInvariant()
        Get-Content "$zip.sha256" | Should -Be "$hash  IngestTools.$version.zip"
    }

    It 'makes a package that Install-PSResource installs from a folder' -Skip:$IsWindows {
        # Install-PSResource installs into .local/share wherever XDG_DATA_HOME is, and keeps its repositories where it works if that is missing.
        $null = New-Item -ItemType Directory -Force -Path (Join-Path $TestDrive 'gallery' '.local' 'share')
        $found = Invoke-AtHome gallery -DataHome '.local/share' {
            Invoke-Child -Bare -Argument $output -Script {
                param($folder)
                Register-PSResourceRepository -Name Folder -Uri $folder -Trusted
                Install-PSResource IngestTools -Repository Folder
                Import-Module IngestTools
                (Get-Module IngestTools).ModuleBase
                (Get-Command -Module IngestTools).Count
            }
        }
        $place = Join-Path $TestDrive 'gallery' '.local' 'share' 'powershell' 'Modules' 'IngestTools' $version
        $found[0] | Should -Be $place
        $found[1] | Should -Be (Import-PowerShellDataFile -LiteralPath (Join-Path $staged 'IngestTools.psd1')).CmdletsToExport.Count
        Get-RelativeFile $place | Where-Object { $_ -ne 'PSGetModuleInfo.xml' } | Should -Be (Get-RelativeFile $staged)
    }

    It 'makes a tool of the scheduler, with SQLite for every platform that the module has it for' {
        $install = Invoke-AtHome tools {
            Invoke-Native { dotnet tool install IngestTools.Scheduler --tool-path $tools --source $output --configfile $config }
        }
        $install.ExitCode | Should -Be 0 -Because $install.Text
        $native = @(Get-NativeFile (Get-RelativeFile $staged) | Sort-Object -Unique)
        $native | Should -Contain 'runtimes/osx-arm64/native/libe_sqlite3.dylib'
        Get-NativeFile (Get-ZipEntry (Join-Path $output "IngestTools.Scheduler.$version.nupkg")) | Should -Be $native

        Invoke-AtHome tools {
            $scheduler = Join-Path $tools "ingest-scheduler$suffix"
            (Invoke-Native { & $scheduler --version }).Text.Trim() | Should -Be $version
            (Invoke-Native { & $scheduler --help }).Text | Should -Match 'Register-BulkLoadSchedule'
            # A store shows that SQLite is found. The path of a socket must be short.
            $short = [System.IO.Directory]::CreateTempSubdirectory('it-')
            $socket = $IsWindows ? "ingesttools-test-$PID" : (Join-Path $short 's')
            $daemon = Start-Listening $scheduler ('run', '--store', (Join-Path $short 'store'), '--socket', $socket)
            try {
                Wait-Until { $daemon.HasExited -or (Invoke-Native { & $scheduler status --socket $socket }).ExitCode -eq 0 } 'the scheduler runs'
                $daemon.HasExited | Should -BeFalse
                Join-Path $short 'store' 'scheduler.db' | Should -Exist
            }
            finally {
                Stop-Listening $daemon
                $short.Delete($true)
            }
        }
    }

    It 'makes a tool of the sandbox, which answers requests' {
        $install = Invoke-AtHome tools {
            Invoke-Native { dotnet tool install IngestTools.Sandbox --tool-path $tools --add-source $output --configfile $config }
        }
        $install.ExitCode | Should -Be 0 -Because $install.Text
        Invoke-AtHome tools {
            $sandbox = Join-Path $tools "ingest-sandbox$suffix"
            (Invoke-Native { & $sandbox --help }).Text | Should -Match 'Imitates the ingest services'
            $server = Start-Listening $sandbox ('serve', '--port', '0')
            try {
                $ready = $server.StandardOutput.ReadLine() | ConvertFrom-Json
                $ready.pid | Should -Be $server.Id
                (Invoke-RestMethod "$($ready.uri)/health" -NoProxy -TimeoutSec 30).status | Should -Be 'UP'
            }
            finally { Stop-Listening $server }
        }
    }
}

Describe 'dotnet run --project examples/Demo' {
    # The demo's own project takes a minute to compile, so a project that is compiled at once stands for it.
    It 'announces the first build, shows its progress, and announces no other' {
        $folder = New-Item -ItemType Directory -Path (Join-Path $TestDrive 'Demo')
        Copy-Item (Join-Path $root 'examples' 'Demo' 'Directory.Build.*') $folder -Exclude '*.props'
        Set-Content (Join-Path $folder 'Demo.csproj') @'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><OutputType>Exe</OutputType></PropertyGroup>
</Project>
'@
        Set-Content (Join-Path $folder 'Program.cs') 'System.Console.WriteLine("the demo runs");'
        $first = (Invoke-Native { dotnet run --project $folder }).Text
        $second = (Invoke-Native { dotnet run --project $folder }).Text
        $first | Should -Match '(?s)The first build takes.*Demo -> .*Demo\.dll.*the demo runs'
        $second | Should -Match 'the demo runs'
        $second | Should -Not -Match 'The first build takes'
    }
}
