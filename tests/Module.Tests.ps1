BeforeDiscovery {
    . (Join-Path $PSScriptRoot common.ps1)
    $commands = Get-Command -Module IngestTools | ForEach-Object { @{ Name = $_.Name } }
}

BeforeAll {
    . (Join-Path $PSScriptRoot common.ps1)
    $data = Import-PowerShellDataFile -LiteralPath $Manifest
}

Describe 'The module' {
    It 'exports every cmdlet that was compiled, and no other' {
        $assembly = (Get-Command Connect-IngestService).ImplementingType.Assembly
        $compiled = $assembly.GetExportedTypes() |
            ForEach-Object { $_.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false) } |
            ForEach-Object { "$($_.VerbName)-$($_.NounName)" }
        $data.CmdletsToExport | Sort-Object | Should -Be ($compiled | Sort-Object)
        (Get-Command -Module IngestTools).Name | Sort-Object | Should -Be ($compiled | Sort-Object)
    }

    It 'keeps its cmdlets when it is imported again by force' {
        $count = Invoke-Child -Argument $Manifest {
            param($manifest)
            Get-IngestConnection
            Import-Module $manifest -Force
            Get-IngestConnection
            (Get-Command -Module IngestTools).Count
        }
        $count | Should -Be $data.CmdletsToExport.Count
    }

    It 'is imported quickly' {
        $times = 1..5 | ForEach-Object {
            [double] (Invoke-Child -Bare -Argument $Manifest {
                param($manifest)
                Import-Module Microsoft.PowerShell.Utility
                (Measure-Command { Import-Module $manifest }).TotalMilliseconds
            })
        } | Sort-Object
        # The aim is 40 ms; this fails when a file, a network or a generator has come in.
        $times[2] | Should -BeLessThan 400
    }

    It 'brings no package into the default load context' {
        $loaded = Invoke-Child {
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -Token (ConvertTo-SecureString x -AsPlainText -Force) -MaxAttempts 1
            $null = Test-IngestService
            [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies | ForEach-Object { $_.GetName().Name }
        }
        $loaded | Should -Contain 'IngestTools'
        $loaded | Should -Not -Contain 'IngestTools.Core'
        $loaded -match '^(Polly|CsvHelper|Microsoft\.Extensions\.(Logging|Dependency))' | Should -BeNullOrEmpty
    }

    It 'does not mind packages that another module brought into the process' {
        $other = Copy-Item (Join-Path (Split-Path $Manifest) 'module' 'bin' 'core' 'Microsoft.Extensions.*.dll') $TestDrive -PassThru
        $report = Invoke-Child -Argument $other.FullName {
            $args | ForEach-Object { [System.Runtime.Loader.AssemblyLoadContext]::Default.LoadFromAssemblyPath($_) } | Out-Null
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -Token (ConvertTo-SecureString x -AsPlainText -Force) -MaxAttempts 1
            (Test-IngestService).Reachable
        }
        $report | Should -Be 'False'
    }

    It 'closes its connections and stops its sandboxes when it is removed' {
        $running = Invoke-Child {
            $sandbox = Start-IngestSandbox
            Remove-Module IngestTools
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            while ($sandbox.IsRunning -and $clock.Elapsed.TotalSeconds -lt 30) { Start-Sleep -Milliseconds 20 }
            $sandbox.IsRunning
        }
        $running | Should -Be 'False'
    }
}

Describe '<Name>' -ForEach $commands {
    BeforeAll { $command = Get-Command $Name }

    It 'has an approved verb' {
        (Get-Verb).Verb | Should -Contain $command.Verb
    }

    It 'says what it writes' {
        $command.ImplementingType.GetCustomAttributes([System.Management.Automation.OutputTypeAttribute], $false) | Should -Not -BeNullOrEmpty
    }

    It 'has help with a synopsis, a description and an example' {
        $help = Get-Help $Name -Full
        $help.Synopsis | Should -Not -Match ([regex]::Escape("$Name ["))
        $help.description.Text | Should -Not -BeNullOrEmpty
        $help.examples.example | Should -Not -BeNullOrEmpty
    }

    It 'takes no plain text for a secret' {
        $secrets = $command.Parameters.Values | Where-Object Name -In Token, ApiKey, Credential, SessionCookie
        $secrets | Where-Object ParameterType -EQ ([string]) | Should -BeNullOrEmpty
    }

    It 'asks before it changes something' {
        if ($command.Verb -in 'Send', 'Start', 'Stop', 'Complete', 'Disconnect', 'Register', 'Unregister', 'Suspend', 'Resume') {
            $command.Parameters.Keys | Should -Contain 'WhatIf'
        }
    }
}

Describe 'Results' {
    It 'are shown in at most 100 columns and five columns' {
        [xml] $formats = Get-Content (Join-Path (Split-Path $Manifest) 'module' 'IngestTools.Format.ps1xml') -Raw
        foreach ($table in $formats.SelectNodes('//TableControl')) {
            $table.SelectNodes('.//TableColumnHeader').Count | Should -BeLessOrEqual 5
            $table.SelectNodes('.//TableColumnHeader').Count | Should -Be $table.SelectNodes('.//TableColumnItem').Count
            ($table.SelectNodes('.//Width') | Measure-Object -Sum -Property InnerText).Sum | Should -BeLessOrEqual 90
        }
    }
}

Describe 'A secret' {
    BeforeAll { $sandbox = Start-IngestSandbox }
    AfterAll { Stop-IngestSandbox }

    It 'of lakeFS is in no stream and no error: <Name>' -ForEach @(
        @{ Name = 'one that is taken'; Canary = 'canary-lakefs-4b1'; IsTaken = $true }
        @{ Name = 'one that is refused'; Canary = 'canary-lakefs-9c7'; IsTaken = $false }
    ) {
        if ($IsTaken) { Set-LakeFsOption $sandbox @{ secretAccessKey = $Canary; token = $Canary; samlSession = $Canary } }
        $output = Invoke-Child -Argument $sandbox.Uri, $Canary {
            param($uri, $canary)
            $ErrorActionPreference = 'Continue'
            & {
                $secret = ConvertTo-SecureString $canary -AsPlainText -Force
                $credential = [pscredential]::new('AKIASANDBOX', $secret)
                $null = Connect-IngestService LakeFs $uri -Name basic -Credential $credential
                $null = Connect-IngestService LakeFs $uri -Name login -Credential $credential -AuthenticationUri $uri
                $null = Connect-IngestService LakeFs $uri -Name cookie -SessionCookie ([pscredential]::new('saml_auth_session', $secret))
                $null = Connect-IngestService LakeFs $uri -Name token -Token $secret
                foreach ($connection in 'basic', 'login', 'cookie', 'token') {
                    Test-IngestService $connection -Repository lake -Verbose -Debug | Format-List *
                    Start-Import lake main s3://bucket/prefix/ raw/ -Connection $connection -Verbose -Debug -OutVariable started | Format-List * -Force
                    $started | Stop-Transaction -Verbose -Debug | Format-List * -Force
                    New-ImportRange lake s3://bucket/prefix/ -Connection $connection -Verbose -Debug
                }
                $Error | Format-List * -Force
                $Error | ForEach-Object { $_.Exception.ToString() }
                Get-IngestConnection | ConvertTo-Json -Depth 3 -WarningAction SilentlyContinue
            } *>&1 | Tee-Object -Variable all | Out-String -Width 500
            "$(@($all | Where-Object { $_ -is [System.Management.Automation.DebugRecord] }).Count) debug records"
        } 2>&1 | Out-String
        $output | Should -Match '[1-9]\d+ debug records' -Because 'otherwise nothing was looked at'
        $basic = [Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes("AKIASANDBOX:$Canary"))
        ($output -split '\r?\n' | Where-Object { $_.Contains($Canary) -or $_.Contains($basic) -or $_ -match 'eyJ\w+\.' }) | Should -BeNullOrEmpty
    }

    It 'is in no stream, no error and no transcript: <Name>' -ForEach @(
        @{ Name = 'a token that is taken'; IsTaken = $true }
        @{ Name = 'a token that is refused'; IsTaken = $false }
    ) {
        $canary = if ($IsTaken) { Get-SandboxToken $sandbox } else { 'canary-7f3a9c' }
        $file = New-TestFile $TestDrive 'canary.jpg'
        $transcript = Join-Path $TestDrive 'transcript.txt'
        $output = Invoke-Child -Argument $canary, $sandbox.Uri, $file, $transcript {
            param($canary, $uri, $file, $transcript)
            $ErrorActionPreference = 'Continue'
            $null = Start-Transcript $transcript
            & {
                $secret = ConvertTo-SecureString $canary -AsPlainText -Force
                Connect-IngestService DspIngest $uri -Token $secret -Verbose -Debug
                Connect-IngestService DspIngest $uri -Name login -AuthenticationUri $uri -Credential ([pscredential]::new('root@example.com', $secret)) -Verbose -Debug
                foreach ($connection in 'DspIngest', 'login') {
                    Get-IngestConnection $connection | Format-List * -Force
                    Test-IngestService $connection -Shortcode 0001 -Verbose -Debug | Format-List *
                    Send-IngestFile $file -Shortcode 0001 -Connection $connection -Verbose -Debug -OutVariable sent | Format-List * -Force
                    $sent | Start-BulkIngest -Force -Wait -Verbose -Debug | Format-List *
                    Get-IngestMapping 0001 -Connection $connection -Verbose -Debug | Format-List *
                    Complete-BulkIngest 0001 -Connection $connection -Force -Confirm:$false -Verbose -Debug
                }
                $Error | Format-List * -Force
                $Error | ForEach-Object { $_.Exception.ToString() }
                Get-IngestConnection | ConvertTo-Json -Depth 3 -WarningAction SilentlyContinue
            } *>&1 | Tee-Object -Variable all | Out-String -Width 500
            "$(@($all | Where-Object { $_ -is [System.Management.Automation.DebugRecord] }).Count) debug records"
            $null = Stop-Transcript
        } 2>&1 | Out-String
        $all = $output + (Get-Content $transcript -Raw)
        $all | Should -Match '[1-9]\d+ debug records' -Because 'otherwise nothing was looked at'
        ($all -split '\r?\n' | Where-Object { $_.Contains($canary) -and $_ -notmatch 'EncodedCommand|^Host Application' }) | Should -BeNullOrEmpty
    }
}
