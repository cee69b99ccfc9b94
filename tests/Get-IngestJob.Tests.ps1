Describe 'Get-IngestJob' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Clear-IngestJournal -Confirm:$false
        $files = 1..3 | ForEach-Object { New-Item -Path (Join-Path $TestDrive 'scans' "$_.tif") -Value "scan $_" -Force }
        $begin = [DateTimeOffset]::Now
        $null = $files | Send-IngestFile -Shortcode 0001
        $first = Get-IngestJob -Last 1
        $null = $files | Send-IngestFile -Shortcode 0001 -WarningAction SilentlyContinue
        $null = Send-IngestFile $files[0] -Shortcode 0002
        $third = Get-IngestJob -Last 1
    }

    AfterAll {
        Clear-IngestJournal -Confirm:$false
        Stop-IngestSandbox
    }

    It 'lists jobs newest first, with what became of their files' {
        $jobs = Get-IngestJob -Since $begin
        $jobs.Status | Should -Be 'Completed', 'Completed', 'Completed'
        $jobs.Shortcode | Should -Be '0002', '0001', '0001'
        $jobs.Uploaded | Should -Be 1, 0, 3
        $jobs.Skipped | Should -Be 0, 3, 0
        $jobs[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.IngestJob'
        $jobs[0].Server | Should -Be $sandbox.Uri.AbsoluteUri
        Get-IngestJob -Since ([DateTimeOffset]::Now.AddHours(1)) | Should -BeNullOrEmpty
    }

    It 'lists no more than asked for' {
        (Get-IngestJob -Last 2).Count | Should -Be 2
        (Get-IngestJob -Last 1).Id | Should -Be $third.Id
    }

    It 'finds a job by <Name>' -ForEach @(
        @{ Name = 'its id'; Find = { Get-IngestJob $first.Id } }
        @{ Name = 'its number'; Find = { Get-IngestJob ($first.Id -replace 'job:') } }
        @{ Name = 'a number that is not text'; Find = { Get-IngestJob ([int] ($first.Id -replace 'job:')) } }
        @{ Name = 'a job'; Find = { $first | Get-IngestJob } }
        @{ Name = 'a result of Select-Object'; Find = { $first | Select-Object Id | Get-IngestJob } }
    ) {
        (& $Find).Id | Should -Be $first.Id
    }

    It 'refuses what is not a job, and continues with the others' {
        $found = Get-IngestJob job:999999, abc, $first.Id -ErrorVariable errors -ErrorAction SilentlyContinue
        $found.Id | Should -Be $first.Id
        $errors.FullyQualifiedErrorId | Should -Be 'NotFound,IngestTools.PowerShell.Commands.GetIngestJobCommand', 'Rejected,IngestTools.PowerShell.Commands.GetIngestJobCommand'
        $errors[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $errors.ErrorDetails.RecommendedAction | Should -Not -Contain ''
    }

    It 'has ids that complete, with what each job is' {
        $matches = (TabExpansion2 "Get-IngestJob $($first.Id)" -cursorColumn "Get-IngestJob $($first.Id)".Length).CompletionMatches
        $matches[0].CompletionText | Should -Be $first.Id
        $matches[0].ToolTip | Should -BeLike "Completed, *, 0001 at $($sandbox.Uri): 3 sent"
        (TabExpansion2 'Get-UploadResult ' -cursorColumn 17).CompletionMatches.CompletionText | Should -Contain $third.Id
    }

    It 'is shown in 80 columns with whole ids' {
        $shown = ($first, $third | Out-String -Width 80) -split '\r?\n'
        $shown | ForEach-Object Length | Should -BeLessOrEqual 80
        $shown -match "^$($first.Id) +Completed +\d{4}-\d\d-\d\d \d\d:\d\d 3 sent +0001 *$" | Should -Not -BeNullOrEmpty
    }

    It 'says that a journal that is turned off is not read' {
        try {
            $env:INGESTTOOLS_JOURNAL = 'off'
            Get-IngestJob -WarningVariable warning -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            $warning | Should -BeLike '*INGESTTOOLS_JOURNAL*'
        }
        finally { Remove-Item env:INGESTTOOLS_JOURNAL }
    }

    It 'ends with one error where the journal is damaged' {
        $output = Invoke-Child -Argument (Join-Path $TestDrive 'damaged') {
            param($folder)
            $env:INGESTTOOLS_HOME = $folder
            $null = New-Item -ItemType Directory $folder
            if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($folder, 'UserRead, UserWrite, UserExecute') }
            Set-Content (Join-Path $folder journal.db) ('no database' * 100)
            try { Get-IngestJob 1, 2, 3 -ErrorAction SilentlyContinue } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.ErrorDetails.RecommendedAction }
        }
        $output[0] | Should -Be 'JournalUnavailable,IngestTools.PowerShell.Commands.GetIngestJobCommand'
        $output[1] | Should -Be 'ResourceUnavailable'
        $output[2] | Should -BeLike 'Move it to another folder*-NoJournal*'
    }
}

Describe 'The journal in this process' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $core = Join-Path (Split-Path $Manifest) 'module' 'bin' 'core'
        # Another module's copy of the same packages, for the default load context.
        $other = (New-Item -ItemType Directory (Join-Path $TestDrive 'other')).FullName
        Get-ChildItem $core -Filter *.dll | Where-Object Name -Match '^(Microsoft\.Data\.Sqlite|SQLitePCL)' | Copy-Item -Destination $other
        Copy-Item (Join-Path $core 'runtimes') $other -Recurse
    }

    It 'has a SQLite of its own, which is not in the default load context' {
        $loaded = Invoke-Child -Argument (Join-Path $TestDrive alone) {
            param($folder)
            $env:INGESTTOOLS_HOME = $folder
            Get-IngestJob
            [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies | ForEach-Object { $_.GetName().Name }
        }
        $loaded | Should -Contain 'IngestTools'
        $loaded -match '^(Microsoft\.Data\.Sqlite|SQLitePCL)' | Should -BeNullOrEmpty
    }

    It 'works where another module has loaded SQLite <When>' -ForEach @(
        @{ When = 'before'; IsFirst = $true }
        @{ When = 'after'; IsFirst = $false }
    ) {
        $output = Invoke-Child -Argument (Join-Path $TestDrive "other-$When"), $other, $IsFirst {
            param($folder, $other, $isFirst)
            $env:INGESTTOOLS_HOME = $folder
            $theirs = {
                [System.Runtime.Loader.AssemblyLoadContext]::Default.add_ResolvingUnmanagedDll({
                    param($assembly, $name)
                    $system = "$($IsWindows ? 'win' : $IsMacOS ? 'osx' : 'linux')-$([System.Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)".ToLowerInvariant()
                    $file = Get-ChildItem (Join-Path $other runtimes $system native) -File | Select-Object -First 1
                    [System.Runtime.InteropServices.NativeLibrary]::Load($file.FullName)
                })
                Get-ChildItem $other -Filter *.dll | ForEach-Object { [System.Runtime.Loader.AssemblyLoadContext]::Default.LoadFromAssemblyPath($_.FullName) } | Out-Null
                [SQLitePCL.Batteries_V2]::Init()
                $connection = [Microsoft.Data.Sqlite.SqliteConnection]::new('Data Source=:memory:')
                $connection.Open()
                "theirs $($connection.ServerVersion)"
            }
            if ($isFirst -eq 'True') { & $theirs }
            Get-IngestJob
            "ours $((Get-Item (Join-Path $folder journal.db)).Length)"
            if ($isFirst -ne 'True') { & $theirs }
            Get-IngestJob
            'done'
        }
        $output | Should -HaveCount 3
        $output -match '^theirs 3\.\d+' | Should -Not -BeNullOrEmpty
        $output -match '^ours [1-9]' | Should -Not -BeNullOrEmpty
        $output[-1] | Should -Be 'done'
    }

    It 'works after the module was imported again by force, and in several runspaces at once' {
        $output = Invoke-Child -Argument (Join-Path $TestDrive runspaces), $Manifest {
            param($folder, $manifest)
            $env:INGESTTOOLS_HOME = $folder
            Get-IngestJob
            Import-Module $manifest -Force
            Get-IngestJob
            1..12 | ForEach-Object -ThrottleLimit 12 -Parallel {
                Import-Module $using:manifest
                1..5 | ForEach-Object { Get-IngestJob; Clear-IngestJournal -Confirm:$false }
                "runspace $_"
            }
        }
        $output | Sort-Object | Should -Be (1..12 | ForEach-Object { "runspace $_" } | Sort-Object)
    }
}
