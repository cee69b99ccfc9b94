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
        # As many ids and as slow an import as a recipe needs.
        $prepare = @('$null = Start-IngestSandbox -Connect -Sample . -Option "lakefs:statusMs=50"', '(Get-Content ids.csv -TotalCount 100) | Set-Content ids.csv')
        $begin = [pscustomobject]@{ Line = 0; Typed = $prepare; Shown = $null }
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

# The pages of Get-Help: their first examples are typed as they are written, in an order in which each finds what it needs.
Describe 'The first example of each cmdlet' -Skip:$IsWindows {
    BeforeDiscovery {
        $names = @(Get-ChildItem (Join-Path $PSScriptRoot '..' module help) -Filter *-*.md | ForEach-Object BaseName)
        $pages = @($names | ForEach-Object { @{ Name = $_ } })
        # Connect-IngestService asks for a token, for a server of example.org.
        $typed = @($pages | Where-Object Name -NE Connect-IngestService)
    }

    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        . (Join-Path $PSScriptRoot readme.ps1)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
        $order = @(
            'Start-IngestLog', 'Stop-IngestLog', 'Test-IngestService', 'Get-IngestConnection'
            'Send-IngestFile', 'Start-BulkIngest', 'Wait-Transaction', 'Get-IngestMapping', 'Complete-BulkIngest'
            'Export-IngestReport', 'Get-IngestJob', 'Get-UploadResult', 'Get-Transaction', 'New-LinkingBatch', 'Get-LinkingBatchItem'
            'New-ImportRange', 'New-ImportMetaRange', 'Start-Import', 'Stop-Transaction', 'Start-BulkLoad'
            'Start-IngestScheduler', 'Get-IngestScheduler', 'Register-BulkLoadSchedule', 'Get-BulkLoadSchedule', 'Set-BulkLoadSchedule'
            'Start-BulkLoadSchedule', 'Get-BulkLoadRun', 'Suspend-BulkLoadSchedule', 'Resume-BulkLoadSchedule', 'Unregister-BulkLoadSchedule'
            'Stop-IngestScheduler', 'Show-IngestScheduler', 'Disconnect-IngestService', 'Clear-IngestJournal', 'Start-IngestSandbox', 'Stop-IngestSandbox'
        )
        $first = @{}
        foreach ($name in $order + 'Connect-IngestService') {
            $page = Join-Path $root module help "$name.md"
            $block = @(Get-ReadmeBlock $page)[0]
            $after = ([System.IO.File]::ReadAllLines($page) | Select-Object -Skip ($block.Line + $block.Text.Count + 1)) -join "`n"
            $first[$name] = @{ Block = $block; Sentence = ($after -replace '(?s)\A```text.*?```\n' -split "`n")[0] }
        }

        # Nobody answers a question or looks at a browser here; ranges are for an older lakeFS; the scheduler signs in by itself.
        $prepare = @{
            'Start-IngestLog' = @(
                '$ConfirmPreference = "None"'
                'Remove-Item env:DISPLAY, env:WAYLAND_DISPLAY -ErrorAction Ignore'
                '$env:INGESTTOOLS_HOME = "$HOME/settings"'
                '$env:VOSS_PASSWORD = "test"'
                '$sandbox = Start-IngestSandbox -Connect -Sample . -Option "lakefs:version=0.110.0", "lakefs:statusMs=50"'
                '(Get-Content ids.csv -TotalCount 100) | Set-Content ids.csv'
            )
            'Register-BulkLoadSchedule' = '$null = Connect-IngestService Voss $sandbox.Uri -Name voss -UserName hcsadmin@sys.hcs -SecretFrom env:VOSS_PASSWORD -Save'
            # A workbook that was loaded before is not loaded again.
            'Start-BulkLoadSchedule' = 'Clear-IngestJournal -Hierarchy sys.hcs.Provider'
            'Disconnect-IngestService' = '$null = Connect-IngestService DspIngest $sandbox.Uri -Name archive -NoCheck'
            'Stop-IngestSandbox' = 'Stop-IngestScheduler'
        }
        # One row of the sample workbook fails.
        $expected = @{ 'Start-BulkLoad' = 'Sheet Users, row 3 failed in *'; 'Start-BulkLoadSchedule' = 'run:1 ended as PartlySucceeded*' }

        # A short path: the scheduler's socket lies below it.
        $folder = (New-Item -ItemType Directory (Join-Path ([System.IO.Path]::GetTempPath()) "ingest-help-$PID")).FullName
        $steps = @(
            foreach ($name in $order) {
                if ($prepare[$name]) { [pscustomobject]@{ Name = "before $name"; Typed = @($prepare[$name]); Shown = $null } }
                [pscustomobject]@{ Name = $name; Typed = @($first[$name].Block.Text); Shown = $null }
            }
        )
        $ran = @{}
        Invoke-ReadmeStep $steps $folder | ForEach-Object { $ran[$_.Step.Name] = $_ }
    }

    AfterAll { if ($folder) { Remove-Item $folder -Recurse -Force } }

    It 'has one or two lines, and a sentence: <Name>' -ForEach $pages {
        $first[$Name].Block.Text.Count | Should -BeIn 1, 2
        $first[$Name].Sentence | Should -Match '^[A-Z`].*[.`\w]$'
    }

    It 'runs as it is written: <Name>' -ForEach $typed {
        $first[$Name].Block.Kind | Should -Be Typed
        if ($prepare[$Name]) { $ran["before $Name"].Errors | Should -BeNullOrEmpty }
        $faults = $ran[$Name].Errors
        if ($expected[$Name]) { $faults = @($faults -notlike $expected[$Name]) }
        $faults | Should -BeNullOrEmpty -Because ($ran[$Name].Printed -join "`n")
    }

    It 'has commands with the right parameters: Connect-IngestService' {
        Get-CommandFault ($first['Connect-IngestService'].Block.Text -join "`n") $root | Should -BeNullOrEmpty
    }
}
