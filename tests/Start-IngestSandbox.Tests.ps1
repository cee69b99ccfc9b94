Describe 'Start-IngestSandbox' {
    BeforeAll { . (Join-Path $PSScriptRoot common.ps1) }
    AfterEach { Stop-IngestSandbox }

    It 'listens, and connects the session to it' {
        $sandbox = Start-IngestSandbox -Connect
        $sandbox.PSObject.TypeNames[0] | Should -Be 'IngestTools.IngestSandbox'
        $sandbox.IsRunning | Should -BeTrue
        $sandbox.Connections.Name | Should -Be 'DspIngest', 'Ica', 'LakeFs', 'Voss'
        ($sandbox.Connections | Test-IngestService).Ok | Should -Be $true, $true, $true, $true
    }

    It 'connects past the proxy that the environment names' {
        $ok = Invoke-Child {
            $env:HTTP_PROXY = $env:http_proxy = 'http://127.0.0.1:1'
            $null = Start-IngestSandbox -Connect
            (Test-IngestService).Ok
        }
        $ok | Should -Be 'True'
    }

    It 'says what it needs where there is no .NET' {
        # Run by dotnet, PowerShell would find the dotnet that runs it.
        $said = Invoke-Child -Program (New-PowerShellExecutable "$TestDrive/executable") {
            $env:PATH = ''
            try { Start-IngestSandbox } catch { $_.FullyQualifiedErrorId; $_.ErrorDetails.RecommendedAction }
        }
        $said[0] | Should -BeLike 'FileNotFound,*'
        $said[1] | Should -Match '\.NET 10'
    }

    It 'misbehaves as it is told' {
        $sandbox = Start-IngestSandbox -Connect -Fault '503=2,1s', 'latency=1ms'
        (Invoke-Sandbox $sandbox 'faults').Count | Should -Be 2
    }

    It 'says what is wrong with a fault' {
        { Start-IngestSandbox -Fault nonsense } | Should -Throw -ExpectedMessage '*nonsense*'
    }

    It 'takes an option by its name' {
        $null = Start-IngestSandbox -Connect -Option 'dsp:ingestFailsOnce=one.jpg', 'DSP:ingestms=0'
        $uploads = New-TestFile (Join-Path $TestDrive 'options') 'one.jpg', 'two.jpg' | Send-IngestFile -Shortcode 0001
        ($uploads | Start-BulkIngest | Wait-Transaction -ErrorAction SilentlyContinue).Completed | Should -Be 1
        (Start-BulkIngest 0001 | Wait-Transaction).Completed | Should -Be 1
    }

    It 'lists the options when a name is wrong' {
        $said = Get-FirstError { Start-IngestSandbox -Option 'dsp:ingestM=5' }
        $said.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
        "$said" | Should -BeLike '*dsp:ingestM*dsp:ingestMs*'
        $said.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'connects as the users and with the secrets that the options set' {
        $env:SANDBOX_TEST_SECRET = 's3cret'
        try {
            $secrets = 'password', 'ica:apiKey', 'lakefs:secretAccessKey', 'voss:password' | ForEach-Object { "$_=env:SANDBOX_TEST_SECRET" }
            $sandbox = Start-IngestSandbox -Connect -Option (@('user=ada@example.com', 'voss:user=ada@sys.hcs') + $secrets)
            ($sandbox.Connections | Test-IngestService).Ok | Should -Be $true, $true, $true, $true
        }
        finally { $env:SANDBOX_TEST_SECRET = $null }
    }

    It 'completes <Typed>' -ForEach @(
        @{ Typed = 'dsp:ingestF'; Found = 'dsp:ingestFails=', 'dsp:ingestFailsOnce=' }
        @{ Typed = "'x=1', voss:rowPlace="; Found = 'voss:rowPlace=Detail', 'voss:rowPlace=Message', 'voss:rowPlace=Nowhere' }
    ) {
        $line = "Start-IngestSandbox -Option $Typed"
        $completions = (TabExpansion2 $line $line.Length).CompletionMatches
        $completions.CompletionText | Should -Be $Found
        $completions[0].ToolTip | Should -Match '=.+: .+'
    }

    It 'writes sample files that a load takes' {
        $folder = Join-Path $TestDrive 'samples'
        $null = Start-IngestSandbox -Connect -Sample $folder
        Send-IngestFile (Join-Path $folder scans) -Recurse -Shortcode 0001 | ForEach-Object Status | Should -Be (@('Uploaded') * 4)
        $said = @()
        $load = Send-IngestFile (Join-Path $folder users.xlsx) -Hierarchy sys.hcs.Provider | Start-BulkLoad |
            Wait-Transaction -ErrorAction SilentlyContinue -ErrorVariable said
        $load.Completed, $load.Total | Should -Be 2, 3
        "$said" | Should -BeLike '*row 3*Povider*'
        $said = Get-FirstError { Send-IngestFile (Join-Path $folder list.xlsx) -Hierarchy sys.hcs.Provider }
        $said.FullyQualifiedErrorId | Should -BeLike 'NotAWorkbook,*'
        @(Import-Csv (Join-Path $folder ids.csv) | Where-Object DataId -Like 'fil.dead0*').Count | Should -Be 3
    }

    It 'writes no sample over a file of the user' {
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive 'mine')).FullName
        Set-Content (Join-Path $folder ids.csv) mine
        $said = Get-FirstError { Start-IngestSandbox -Sample $folder }
        $said.FullyQualifiedErrorId | Should -BeLike 'Conflict,*'
        "$said" | Should -BeLike "*$(Join-Path $folder ids.csv)*"
        Get-ChildItem $folder | Should -HaveCount 1
        Get-Content (Join-Path $folder ids.csv) | Should -Be mine
    }

    It 'keeps what it was sent in a folder' {
        $data = Join-Path $TestDrive 'data'
        $null = Start-IngestSandbox -Connect -DataPath $data
        $null = New-TestFile $TestDrive 'one.jpg' | Send-IngestFile -Shortcode 0001
        Get-ChildItem $data -Recurse -File | Should -Not -BeNullOrEmpty
    }

    It 'starts nothing at -WhatIf' {
        Start-IngestSandbox -WhatIf | Should -BeNullOrEmpty
    }

    It 'ends with the process that started it' {
        $id = Invoke-Child { (Start-IngestSandbox).ProcessId }
        Wait-Until { -not (Get-Process -Id $id -ErrorAction Ignore) } 'the sandbox ends'
    }
}
