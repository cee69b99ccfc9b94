BeforeAll { . (Join-Path $PSScriptRoot 'common.ps1') }

# INGESTTOOLS_FUZZ_COUNT and INGESTTOOLS_FUZZ_SEED are read before common.ps1 removes what a user has set.
BeforeDiscovery { $script:fuzz = @{ Count = [int] ($env:INGESTTOOLS_FUZZ_COUNT ?? 54); Seed = [int] ($env:INGESTTOOLS_FUZZ_SEED ?? 20261126) } }

Describe 'Cmdlets, when <Count> calls get changed answers (seed <Seed>)' -ForEach $fuzz {
    BeforeAll {
        $folder = Join-Path $TestDrive files
        $null = New-TestFile $folder one.jpg
        $null = New-TestWorkbook (Join-Path $folder users.xlsx) -Row @(, ('jane', 'jane@example.org'))
        $secret = 'Canary7f3d+/9a1b=fuzz'
        $report = Invoke-Child -Argument $PSScriptRoot, $folder, $secret, $Count, $Seed {
            param($tests, $folder, $secret, [int] $count, [int] $seed)
            $ErrorActionPreference = 'SilentlyContinue'
            $sources = @(Join-Path $tests FuzzUsings.cs; Join-Path $tests FuzzServer.cs; Get-ChildItem (Join-Path $tests units Hostile) -Filter *.cs | Where-Object Name -NE Operations.cs)
            Add-Type -Path $sources -IgnoreWarnings -WarningAction Ignore
            $sandbox = Start-IngestSandbox -Option acceptAnyToken
            function Set-Option($service, $body) { $null = Invoke-RestMethod "$($sandbox.Uri)sandbox/$service/options" -Method Post -Body (ConvertTo-Json $body) -ContentType application/json -NoProxy }
            Set-Option ica @{ apiKey = $secret; queueMs = 0 }
            Set-Option voss @{ password = $secret; rowMs = 0; queueMs = 0 }
            Set-Option lakefs @{ secretAccessKey = $secret }
            $server = [FuzzServer]::new($sandbox.Uri, @($secret))
            $secure = ConvertTo-SecureString $secret -AsPlainText -Force
            $project = '8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d'
            $data = 1..2 | ForEach-Object { 'fil.{0:x32}' -f $_ }
            $picture = Join-Path $folder one.jpg
            $book = Join-Path $folder users.xlsx
            # One attempt: what is sent again is Core's, and its pauses are real here.
            $quick = @{ MaxAttempts = 1; TimeoutSec = 2; OutageTimeout = 0; NoProxy = $true; NoCheck = $true }
            function Connect-All {
                # New ones, so that a circuit breaker of an earlier call is closed.
                Disconnect-IngestService * -ErrorAction Ignore
                $null = Connect-IngestService DspIngest $server.Uri -Token $secure @quick
                $null = Connect-IngestService Ica "$($server.Uri)ica/rest" -ApiKey $secure @quick
                $null = Connect-IngestService LakeFs $server.Uri -Credential ([pscredential]::new('AKIASANDBOX', $secure)) @quick
                $null = Connect-IngestService Voss $server.Uri -Credential ([pscredential]::new('hcsadmin@sys.hcs', $secure)) @quick
            }
            $started = @{}
            $calls = @(
                { Test-IngestService DspIngest -Shortcode 0001 }, { Test-IngestService Ica -ProjectId $project }
                { Test-IngestService LakeFs -Repository lake }, { Test-IngestService Voss -Hierarchy sys.hcs.Provider }
                { Send-IngestFile $picture -Shortcode 0001 -NoJournal -Again }, { Start-BulkIngest 0001 -NoJournal }, { Get-Transaction dsp:0001 }
                { Wait-Transaction dsp:0001 -Timeout 0.2 -PollInterval 0.05 }, { Get-IngestMapping 0001 }, { Get-IngestMapping 0001 -OutFile (Join-Path $folder m.csv) }
                { Complete-BulkIngest 0001 -Force -Confirm:$false }, { $started.Ica = $data | New-LinkingBatch -ProjectId $project -NoJournal; $started.Ica }
                { $started.Ica | Get-Transaction }, { $started.Ica | Wait-Transaction -Timeout 0.2 -PollInterval 0.05 }, { $started.Ica | Get-LinkingBatchItem }
                { $started.LakeFs = Start-Import lake main s3://bucket/prefix/ raw/ -NoJournal; $started.LakeFs }, { $started.LakeFs | Get-Transaction }
                { $started.LakeFs | Wait-Transaction -Timeout 0.2 -PollInterval 0.05 }, { $started.LakeFs | Stop-Transaction }, { New-ImportRange lake s3://bucket/prefix/ }
                { Send-IngestFile $book -Hierarchy sys.hcs.Provider -NoJournal -Again }, { $started.Voss = Start-BulkLoad -FileName users.xlsx -Hierarchy sys.hcs.Provider -NoJournal -Again; $started.Voss }
                { $started.Voss | Get-Transaction }, { $started.Voss | Wait-Transaction -Timeout 0.2 -PollInterval 0.05 }, { $started.Voss | Stop-Transaction }
                { Register-BulkLoadSchedule -FileName users.xlsx -Hierarchy sys.hcs.Provider -At (Get-Date).AddYears(1) }
            )
            Connect-All
            foreach ($call in $calls) { $null = & $call 3>$null }
            $kept = $started.Clone()
            if ($kept.Count -ne 3) { throw "Only $($kept.Keys) could be recorded: $($Error[0])" }
            $Error.Clear()
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            $slowest = 0
            for ($i = 0; $i -lt $count; $i++) {
                $call = $calls[$i % $calls.Count]
                $server.Begin($seed + $i)
                $started = $kept.Clone()
                Connect-All
                $Error.Clear()
                $before = $clock.ElapsedMilliseconds
                $shown = try { & $call *>&1 | Format-List * -Force | Out-String -Width 300 } catch { "$_" }
                $slowest = [Math]::Max($slowest, $clock.ElapsedMilliseconds - $before)
                if ($shown -match '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]') { "CONTROL $i {$call}: $($shown.Substring(0, [Math]::Min(200, $shown.Length)) -replace '\p{C}', '?')" }
                if ($shown.Contains('Canary7f3d')) { "SECRET $i {$call}: $(($shown -split "`n").Where{ $_.Contains('Canary7f3d') }[0])" }
                foreach ($e in $Error) {
                    # What ends a pipeline from within is counted by its cause.
                    $record = $e -is [System.Management.Automation.ErrorRecord] ? $e : $e.ErrorRecord
                    $id = ($record.FullyQualifiedErrorId -split ',')[0]
                    if ($record.Exception.GetType().Name -ne 'IngestException' -or $record.Exception.Message -match 'unknown way') { "RAW $i {$call}: $id $($record.Exception)" }
                    elseif (-not $record.ErrorDetails.RecommendedAction) { "ADVICE $i {$call}: $id" }
                    else { "id $id" }
                }
            }
            "took $($clock.ElapsedMilliseconds) ms, the slowest call $slowest ms, $($server.Answers) answers"
            $server.Dispose()
            Stop-IngestSandbox
        } 2>&1 | ForEach-Object { "$_" }
    }

    It 'write no error but their own' { $report -match '^RAW ' | Should -BeNullOrEmpty }

    It 'write no secret' { $report -match '^SECRET ' | Should -BeNullOrEmpty }

    It 'write nothing that acts on a terminal' { $report -match '^CONTROL ' | Should -BeNullOrEmpty }

    It 'say what to do about each error' { $report -match '^ADVICE ' | Should -BeNullOrEmpty }

    It 'were given answers of many kinds' {
        $took = @($report -match '^took ')
        $took.Count | Should -Be 1 -Because ($report -join "`n")
        Write-Verbose $took[0]
        @($report -match '^id ' | Sort-Object -Unique).Count | Should -BeGreaterThan 5
    }
}
