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

    It 'brings no package into the default load context' {
        $loaded = Invoke-Child {
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Token (ConvertTo-SecureString x -AsPlainText -Force) -MaxAttempts 1
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
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Token (ConvertTo-SecureString x -AsPlainText -Force) -MaxAttempts 1
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

    It 'takes a secret only as a SecureString or a credential' {
        $found = foreach ($command in Get-Command -Module IngestTools) {
            foreach ($parameter in $command.Parameters.Values | Where-Object Name -Match 'token|key|secret|password|credential|cookie') {
                $isSecure = $parameter.ParameterType -in [securestring], [pscredential]
                [pscustomobject]@{ Name = "$($command.Name) -$($parameter.Name)"; IsSecure = $isSecure }
            }
        }
        $secrets = 'ApiKey', 'Credential', 'ProxyCredential', 'SessionCookie', 'Token' | ForEach-Object { "Connect-IngestService -$_" }
        ($found | Where-Object IsSecure).Name | Sort-Object | Should -Be $secrets
        # The places of secrets, what kind one is, and two of lakeFS's page marks, which let nobody in.
        $harmless = 'Connect-IngestService -SecretFrom', 'Connect-IngestService -SecretType'
        $harmless += 'New-ImportRange -ContinuationToken', 'New-ImportRange -StagingToken', 'Start-IngestScheduler -NotifySecretFrom'
        ($found | Where-Object IsSecure -EQ $false).Name | Sort-Object | Should -Be $harmless
    }

    It 'refuses a number wherever a name is expected' {
        # What is not a name: a status, a time, words for people, a way to misbehave, marks of a page, a server's address, and the numbers of jobs.
        $others = 'Status', 'Cron', 'TimeZone', 'Message', 'Reason', 'Fault', 'Option', 'ContinuationToken', 'StagingToken', 'Server', 'SourceType', 'Job'
        $found = foreach ($command in Get-Command -Module IngestTools) {
            foreach ($parameter in $command.Parameters.Values | Where-Object { $_.Name -notin [System.Management.Automation.PSCmdlet]::CommonParameters -and $_.Name -notin $others }) {
                $type = $parameter.ParameterType.IsArray ? $parameter.ParameterType.GetElementType() : $parameter.ParameterType
                if ($type -ne [string] -and $type.Name -ne 'ConnectionArgument') { continue }
                $name = "$($command.Name) -$($parameter.Name)"
                if ($name -eq 'Get-IngestJob -Id') { continue }
                $transformation = $parameter.Attributes.Where{ $_.GetType().Name -eq 'NameTextAttribute' }
                $transformation | Should -HaveCount 1 -Because $name
                if ($transformation.IsRefusedLater) { continue }
                { $transformation[0].Transform($ExecutionContext, @(801)) } | Should -Throw '*Put it in quotes*' -Because $name
                { $transformation[0].Transform($ExecutionContext, [double] 1e3) } | Should -Throw '*Put it in quotes*' -Because $name
                $transformation[0].Transform($ExecutionContext, '0801') | Should -Be '0801'
                $name
            }
        }
        $found | Should -Contain 'Complete-BulkIngest -Shortcode'
        $found | Should -Contain 'Register-BulkLoadSchedule -Name'
        $found.Count | Should -BeGreaterThan 60
    }

    It 'takes a bare number as seconds: <Given>, for each time to wait' -ForEach @(
        @{ Given = 5; Seconds = 5 }
        @{ Given = '5'; Seconds = 5 }
        @{ Given = 0.25; Seconds = 0.25 }
        @{ Given = '1.5'; Seconds = 1.5 }
        @{ Given = [timespan] '00:00:05'; Seconds = 5 }
        @{ Given = '00:00:05'; Seconds = 5 }
    ) {
        $times = foreach ($command in Get-Command -Module IngestTools) {
            foreach ($parameter in $command.Parameters.Values | Where-Object ParameterType -In ([timespan]), ([Nullable[timespan]])) {
                $name = "$($command.Name) -$($parameter.Name)"
                $transformation = $parameter.Attributes.Where{ $_ -is [System.Management.Automation.ArgumentTransformationAttribute] }
                $transformation | Should -Not -BeNullOrEmpty -Because "PowerShell itself takes 5 for $name as 5 ticks"
                [timespan] $transformation[0].Transform($ExecutionContext, $Given) | Should -Be ([timespan]::FromSeconds($Seconds)) -Because $name
                $name
            }
        }
        $times | Should -Contain 'Wait-Transaction -Timeout'
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

    It 'asks before it changes something' {
        # These change nothing: Get and Test read, Show opens a page, and Wait reads until something has ended. Get-IngestMapping -OutFile
        # writes a file of the caller's, as Invoke-RestMethod does.
        $asks = $command.Verb -notin 'Get', 'Show', 'Test', 'Wait'
        $command.Parameters.ContainsKey('WhatIf') | Should -Be $asks
        $command.Parameters.ContainsKey('Confirm') | Should -Be $asks
    }
}

Describe 'Completion' {
    It 'offers <Expected> for <Text>' -ForEach @(
        @{ Text = 'Start-IngestSandbox -Fault lat'; Expected = "'latency=20ms'" }
        @{ Text = 'Start-IngestSandbox -Fault '; Expected = "'503=5%'" }
        @{ Text = 'Start-Import lake main -Source s'; Expected = 's3://' }
        @{ Text = 'New-ImportRange lake -Source g'; Expected = 'gs://' }
        @{ Text = 'Register-BulkLoadSchedule nightly -Source h'; Expected = 'https://' }
        @{ Text = 'Register-BulkLoadSchedule nightly -Cron '; Expected = "'0 2 * * *'" }
    ) {
        $found = (TabExpansion2 $Text $Text.Length).CompletionMatches
        $found.CompletionText | Should -Contain $Expected
        $found | Where-Object CompletionText -EQ $Expected | ForEach-Object { $_.ToolTip.Length | Should -BeGreaterThan $_.ListItemText.Length }
        $found.ResultType | Should -Not -Contain ([System.Management.Automation.CompletionResultType]::ProviderItem)
    }

    It 'asks the server for names, and offers nothing where it fails' {
        $sandbox = Start-IngestSandbox -Connect
        try {
            $ids = 'New-LinkingBatch -ProjectId '
            (TabExpansion2 'Start-Import -Repository ' 25).CompletionMatches.CompletionText | Should -Contain 'lake'
            (TabExpansion2 'Start-Import -Repository lake -Branch ' 38).CompletionMatches.CompletionText | Should -Contain 'main'
            $null = "fil.$('0' * 32)" | New-LinkingBatch -ProjectId 8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d
            $byName = (TabExpansion2 "${ids}project-8" ($ids.Length + 9)).CompletionMatches
            $byName.CompletionText | Should -Be '8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d'
            $byName.ToolTip | Should -Be 'project-8e7d9d4c'
            (TabExpansion2 'Start-Import -Repository none -Branch ' 38).CompletionMatches.ResultType | Should -Not -Contain ([System.Management.Automation.CompletionResultType]::ProviderItem)
        }
        finally { Stop-IngestSandbox }
    }

    It 'offers faults that the sandbox takes' {
        $faults = (TabExpansion2 'Start-IngestSandbox -Fault ' 27).CompletionMatches.ListItemText
        $faults.Count | Should -BeGreaterThan 10
        $sandbox = Start-IngestSandbox -Fault $faults
        try { (Invoke-RestMethod "$($sandbox.Uri)sandbox/faults" -NoProxy).Count | Should -Be $faults.Count }
        finally { Stop-IngestSandbox }
    }
}

Describe 'At -WhatIf' {
    BeforeDiscovery {
        # What each cmdlet that changes something says, and on what. The parameters are read when the test runs.
        $cases = @(
            @{
                Name = 'Complete-BulkIngest'; Says = 'Finalize: delete .* on target "project 0001 at http'
                With = { @{ Shortcode = '0001'; Force = $true } }
            }
            @{
                Name = 'Connect-IngestService'; Says = 'Connect and save profile" on target "night to http'
                With = { @{ Service = 'DspIngest'; Uri = $sandbox.Uri; Name = 'night'; SecretFrom = 'env:NOTHING'; Save = $true; NoCheck = $true } }
            }
            @{
                Name = 'Export-IngestReport'; Says = 'Write report" on target ".*report\.html"'
                With = { @{ Path = Join-Path $TestDrive report.html; InputObject = $sent } }
            }
            @{ Name = 'Disconnect-IngestService'; With = { @{ Name = 'DspIngest' } }; Says = 'Close connection" on target "DspIngest to http' }
            @{
                Name = 'New-ImportMetaRange'; Says = 'Make a metarange of 1 range" on target "repository lake at http'
                With = { @{ Range = $range } }
            }
            @{
                Name = 'New-ImportRange'; Says = 's3://bucket/prefix/.* on target "repository lake at http'
                With = { @{ Repository = 'lake'; Source = 's3://bucket/prefix/' } }
            }
            @{
                Name = 'New-LinkingBatch'; Says = 'Link 1 data" on target "project 8e7d9d4c.* at http'
                With = { @{ DataId = New-DataId 1; ProjectId = '8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d' } }
            }
            @{ Name = 'Register-BulkLoadSchedule'; With = { $load + @{ Name = 'other' } }; Says = "other.* over the connection 'archive' to http" }
            @{ Name = 'Resume-BulkLoadSchedule'; With = { @{ Name = 'paused' } }; Says = 'Resume schedule" on target "paused at the scheduler ' }
            @{
                Name = 'Send-IngestFile'; Says = 'Send to project 0001 at http\S+ as .one\.jpg.* on target ".*one\.jpg"'
                With = { @{ Path = $file; Shortcode = '0001'; Again = $true } }
            }
            @{ Name = 'Clear-IngestJournal'; With = { @{ Shortcode = '0001' } }; Says = 'Delete .* on target "The journal ' }
            @{ Name = 'Start-BulkIngest'; With = { @{ Shortcode = '0001' } }; Says = 'Start bulk ingest" on target "project 0001 at http' }
            @{
                Name = 'Start-BulkLoad'; Says = 'Start bulk load" on target "users\.xlsx in sys\.hcs\.Provider at http'
                With = { @{ InputObject = $sent } }
            }
            @{ Name = 'Start-BulkLoadSchedule'; With = { @{ Name = 'nightly' } }; Says = 'Run now" on target "nightly at the scheduler ' }
            @{
                Name = 'Start-Import'; Says = "Import 's3://bucket/prefix/' into lake/main at http"
                With = { @{ Repository = 'lake'; Branch = 'main'; Source = 's3://bucket/prefix/'; Destination = 'raw/' } }
            }
            @{ Name = 'Start-IngestSandbox'; With = { @{} }; Says = 'Start" on target "ingest-sandbox at a free port of 127\.0\.0\.1"' }
            @{
                Name = 'Start-IngestScheduler'; Says = 'Start scheduler" on target ".*none"'
                With = { @{ Folder = Join-Path $TestDrive none } }
            }
            @{ Name = 'Start-IngestLog'; With = { @{ Path = Join-Path $TestDrive 'new.log' } }; Says = 'Log what IngestTools does, from Debug on" on target ".*new\.log"' }
            @{ Name = 'Stop-IngestLog'; With = { $null = Start-IngestLog (Join-Path $TestDrive 'open.log'); @{} }; Says = 'Close the log" on target ".*open\.log"' }
            @{ Name = 'Stop-IngestSandbox'; With = { @{} }; Says = 'Stop sandbox" on target "http' }
            @{ Name = 'Stop-IngestScheduler'; With = { @{} }; Says = 'Stop scheduler" on target "ingest-scheduler, process \d' }
            @{ Name = 'Stop-Transaction'; With = { @{ Id = 'dsp:0001' } }; Says = 'Cancel transaction" on target "dsp:0001 at http' }
            @{
                Name = 'Set-BulkLoadSchedule'; Says = "Change -Cron of schedule 'nightly'.*05:00"
                With = { @{ Name = 'nightly'; Cron = '0 5 * * *' } }
            }
            @{ Name = 'Suspend-BulkLoadSchedule'; With = { @{ Name = 'nightly' } }; Says = 'Suspend schedule" on target "nightly at the scheduler ' }
            @{ Name = 'Unregister-BulkLoadSchedule'; With = { @{ Name = 'nightly' } }; Says = 'Unregister schedule" on target "nightly at the scheduler ' }
        )
    }

    BeforeAll {
        $sandbox = Start-IngestSandbox -Connect
        Save-TestConnection $sandbox
        $scheduler = Start-TestScheduler
        $file = New-TestFile $TestDrive one.jpg
        $load = @{ Path = $file; Shortcode = '0001'; Connection = 'archive'; At = (Get-Date).AddYears(1) }
        $null = 'nightly', 'paused' | ForEach-Object { Register-BulkLoadSchedule -Name $_ @load }
        $null = Suspend-BulkLoadSchedule paused
        $null = Send-IngestFile $file -Shortcode 0001
        $book = New-TestWorkbook (Join-Path $TestDrive users.xlsx) -Row @(, ('jane', 'jane@example.org'))
        $sent = Send-IngestFile $book -Hierarchy sys.hcs.Provider
        Set-LakeFsOption $sandbox @{ version = '0.110.0' }
        $range = New-ImportRange lake s3://bucket/prefix/
        # Everything that a cmdlet could have changed. Signing in changes nothing.
        function Get-State {
            $changes = Get-EndedRequest $sandbox | Where-Object { $_.method -ne 'GET' -and $_.target -notmatch 'authentication' }
            $changes | ForEach-Object { "$($_.method) $($_.target)" }
            Get-BulkLoadSchedule | Sort-Object Name | ForEach-Object { "$($_.Name) $($_.Status)" }
            "$(@(Get-BulkLoadRun).Count) runs"
            "scheduler $((Get-IngestScheduler).ProcessId)"
            (Get-IngestConnection).Name
            (Get-IngestConnection -Saved).Name
            Test-Path (Join-Path $TestDrive none)
            Test-Path (Join-Path $TestDrive report.html)
        }
    }

    AfterAll {
        Stop-IngestLog
        Stop-TestScheduler
        Stop-IngestSandbox
    }

    It 'each cmdlet that asks is tried here' -ForEach @{ Tried = $cases.Name } {
        $asking = Get-Command -Module IngestTools | Where-Object { $_.Parameters.ContainsKey('WhatIf') }
        $asking.Name | Sort-Object | Should -Be ($Tried | Sort-Object)
    }

    It '<Name> says what it would do on what, and does nothing' -ForEach $cases {
        $before = Get-State
        $parameters = & $With
        $transcript = Join-Path $TestDrive 'whatif.txt'
        $null = Start-Transcript $transcript
        try { $output = & $Name @parameters -WhatIf }
        finally { $null = Stop-Transcript }
        (Get-Content $transcript -Raw) -replace '\r?\n', ' ' | Should -Match "What if: .*$Says"
        $output | Should -BeNullOrEmpty
        Get-State | Should -Be $before
    }
}

Describe 'Results' {
    It 'are shown in at most 100 columns and five columns' {
        [xml] $formats = Get-Content (Join-Path (Split-Path $Manifest) 'module' 'IngestTools.Format.ps1xml') -Raw
        $formats.SelectNodes('//TableControl').Count | Should -BeGreaterThan 5
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
                Connect-IngestService LakeFs $uri -Name tried -Credential $credential -Verbose -Debug
                $null = Connect-IngestService LakeFs $uri -NoCheck -Name basic -Credential $credential
                $null = Connect-IngestService LakeFs $uri -NoCheck -Name login -Credential $credential -AuthenticationUri $uri
                $null = Connect-IngestService LakeFs $uri -NoCheck -Name cookie -SessionCookie ([pscredential]::new('saml_auth_session', $secret))
                $null = Connect-IngestService LakeFs $uri -NoCheck -Name token -Token $secret
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
                Connect-IngestService DspIngest $uri -Name tried -Token $secret -Verbose -Debug
                Connect-IngestService DspIngest $uri -NoCheck -Token $secret -Verbose -Debug
                Connect-IngestService DspIngest $uri -NoCheck -Name login -AuthenticationUri $uri -Credential ([pscredential]::new('root@example.com', $secret)) -Verbose -Debug
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
