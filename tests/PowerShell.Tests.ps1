# Every way in which PowerShell is installed: whatever starts another one must start the kind that it runs in.
Describe 'PowerShell as <Kind>' -ForEach @(
    @{ Kind = 'a local tool' }
    @{ Kind = 'a global tool' }
    @{ Kind = 'an executable' }
) {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
        $tool = (Get-Content (Join-Path $root .config dotnet-tools.json) -Raw | ConvertFrom-Json).tools.powershell
        $package = Join-Path ((dotnet nuget locals global-packages --list) -replace '^global-packages: ') powershell $tool.version
        switch ($Kind) {
            'a local tool' { $command = 'dotnet', 'tool', 'run', 'pwsh', '--' }
            'a global tool' {
                # The package that the local tool was restored from lies there, so nothing is downloaded.
                $said = dotnet tool install powershell --version $tool.version --tool-path "$TestDrive/global" --source $package
                if ($LASTEXITCODE -ne 0) { throw "$said" }
                $command = @(Join-Path $TestDrive global ($IsWindows ? 'pwsh.exe' : 'pwsh'))
            }
            'an executable' { $command = @(New-PowerShellExecutable "$TestDrive/executable") }
        }

        # Runs a script in a PowerShell of this kind.
        function Invoke-Kind([scriptblock] $Script, [string[]] $Argument) {
            $path = Join-Path $TestDrive kind.ps1
            Set-Content -LiteralPath $path -Value $Script.ToString()
            $program, $given = $command
            Push-Location $root
            try { & $program @given -NoProfile -NonInteractive -File $path @Argument }
            finally { Pop-Location }
        }
    }

    It 'starts another of its kind' {
        $own, $others = Invoke-Kind -Argument $PSScriptRoot {
            param($Tests)
            . (Join-Path $Tests PowerShell.ps1)
            $self = '"$([Environment]::ProcessPath) $PSHOME $($PSVersionTable.PSVersion)"'
            Invoke-Expression $self
            Invoke-PowerShell -NoProfile -NonInteractive -Command $self
            'given' | Invoke-PowerShell -NoProfile -NonInteractive -Command '"$input"'
        }
        $program, $version = $Kind -eq 'an executable' ? ($command[0], $PSVersionTable.PSVersion) : ('dotnet', $tool.version)
        $own | Should -BeLike "*$program* $version"
        $others | Should -Be $own, 'given'
    }

    It 'builds the module' {
        $checkout = New-Item -ItemType Directory "$TestDrive/checkout"
        foreach ($folder in 'module', 'src', 'examples', 'tests') {
            $null = New-Item -ItemType ($IsWindows ? 'Junction' : 'SymbolicLink') -Path (Join-Path $checkout $folder) -Target (Join-Path $root $folder)
        }
        foreach ($file in 'build.ps1', 'IngestTools.psd1', 'IngestTools.sln', 'LICENSE', 'CHANGELOG.md') { Copy-Item (Join-Path $root $file) $checkout }
        $compiled = Get-FileHash (Join-Path $root module bin IngestTools.dll)
        $configuration = (Get-Item (Join-Path $root src IngestTools.PowerShell bin * net8.0 IngestTools.dll) |
                Where-Object { (Get-FileHash $_).Hash -eq $compiled.Hash } | Select-Object -First 1).Directory.Parent.Name

        $said = Invoke-Kind -Argument (Join-Path $checkout build.ps1), $configuration {
            param($Build, $Configuration)
            & $Build -Task Build -SkipCompile -Configuration $Configuration *>&1
        }
        "$said" | Should -BeLike '*Staged*IngestTools*'
        Get-Item (Join-Path $checkout out IngestTools * en-US IngestTools.dll-Help.xml) | Should -HaveCount 1
    }
}

Describe 'Whatever starts a PowerShell' {
    It 'leaves it to PowerShell.ps1' {
        $root = Join-Path $PSScriptRoot '..'
        $scripts = Get-ChildItem (Join-Path $root build.ps1), (Join-Path $root tests), (Join-Path $root module help) -Recurse -Filter *.ps1 |
            Where-Object FullName -NotMatch '[\\/](bin|obj)[\\/]|[\\/]PowerShell(\.Tests)?\.ps1$'
        $scripts.Count | Should -BeGreaterThan 30
        $offenders = foreach ($script in $scripts) {
            $tree = [System.Management.Automation.Language.Parser]::ParseFile($script.FullName, [ref]$null, [ref]$null)
            $found = $tree.FindAll({
                    param($Node)
                    ($Node -is [System.Management.Automation.Language.MemberExpressionAst] -and "$($Node.Member)" -in 'ProcessPath', 'MainModule') -or
                    ($Node -is [System.Management.Automation.Language.CommandAst] -and (
                        $Node.GetCommandName() -match '^(pwsh|powershell)(\.exe)?$' -or
                        ($Node.GetCommandName() -eq 'Start-Process' -and $Node.Extent.Text -match 'pwsh')))
                }, $true)
            foreach ($node in $found) { "$($script.Name):$($node.Extent.StartLineNumber): $($node.Extent.Text)" }
        }
        $offenders | Should -BeNullOrEmpty
    }

    It 'leaves it to PowerShellProcess.cs in C#' {
        $places = Get-ChildItem (Join-Path $PSScriptRoot units) -Recurse -Filter *.cs | Where-Object FullName -NotMatch '[\\/](bin|obj)[\\/]' | Select-String '"pwsh' -List
        $places.Filename | Should -Be PowerShellProcess.cs
    }
}
