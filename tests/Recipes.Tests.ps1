# The sessions are typed as those of README.md are, which needs /bin/sh.
Describe 'about_IngestTools_Recipes' -Skip:$IsWindows {
    BeforeDiscovery {
        . (Join-Path $PSScriptRoot readme.ps1)
        $recipes = Join-Path $PSScriptRoot '..' module help about_IngestTools_Recipes.md
        $blocks = @(Get-ReadmeBlock $recipes)
        $typed = @($blocks | Where-Object Kind -EQ Typed | ForEach-Object { @{ Line = $_.Line + 1 } })
        $checked = @($blocks | Where-Object Kind -EQ Checked | ForEach-Object { @{ Line = $_.Line; Text = $_.Text -join "`n" } })
    }

    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        . (Join-Path $PSScriptRoot readme.ps1)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
        $recipes = Join-Path $root module help about_IngestTools_Recipes.md
        $folder = (New-Item -ItemType Directory (Join-Path ([System.IO.Path]::GetTempPath()) "ingest-recipes-$PID")).FullName
        $blocks = @(Get-ReadmeBlock $recipes)
        $begin = [pscustomobject]@{ Line = 0; Typed = @('$null = Start-IngestSandbox -Connect -Sample .'); Shown = $null }
        $end = [pscustomobject]@{ Line = -1; Typed = @('Stop-IngestSandbox'); Shown = $null }
        $steps = @($begin) + @($blocks | Where-Object Kind -EQ Typed | ForEach-Object { Get-ReadmeStep $_ }) + $end
        $ran = @{}
        Invoke-ReadmeStep $steps $folder | ForEach-Object { $ran[$_.Step.Line] = $_ }
    }

    AfterAll { if ($folder) { Remove-Item $folder -Recurse -Force } }

    It 'has twenty recipes' { @(Select-String '^## [A-Z ,]+$' $recipes | Where-Object Line -NotMatch 'DESCRIPTION|SEE ALSO').Count | Should -Be 20 }

    It 'types the recipe in line <Line> without an error' -ForEach $typed {
        $ran[0].Errors | Should -BeNullOrEmpty
        $ran[$Line].Errors | Should -BeNullOrEmpty -Because ($ran[$Line].Printed -join "`n")
    }

    It 'has commands with the right parameters in the recipe after line <Line>' -ForEach $checked {
        Get-CommandFault $Text $root | Should -BeNullOrEmpty
    }
}
