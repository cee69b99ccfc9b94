Describe 'New-ImportRange' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $source = 's3://bucket/prefix/'
    }

    BeforeEach { Set-LakeFsOption $sandbox @{ version = '0.110.0'; rangeSize = 400; stagedPerRange = 0; walkFails = '' } }
    AfterEach { Clear-SandboxFault $sandbox }
    AfterAll { Stop-IngestSandbox }

    It 'makes all ranges of a source' {
        $ranges = New-ImportRange lake $source -Prepend in/ -All
        $ranges[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.ImportRange'
        $ranges | ForEach-Object Count | Should -Be 400, 400, 200
        $ranges[0].MinKey, $ranges[-1].MaxKey | Should -Be 'in/00000000.parquet', 'in/00000999.parquet'
        $ranges[-1].HasMore | Should -BeFalse
    }

    It 'makes one range, and goes on where it ended' {
        $range = New-ImportRange lake $source
        $counts = while ($true) {
            $range.Count
            if (-not $range.HasMore) { break }
            $range = New-ImportRange lake $source -After $range.LastKey -ContinuationToken $range.ContinuationToken -StagingToken $range.StagingToken
        }
        $counts | Should -Be 400, 400, 200
    }

    It 'hands the staging token back, so that no key is lost' {
        Set-LakeFsOption $sandbox @{ stagedPerRange = 5 }
        $before = (Get-LakeFsRepository $sandbox).stagingTokens.PSObject.Properties.Name
        $last = New-ImportRange lake $source -All | Select-Object -Last 1
        $new = (Get-LakeFsRepository $sandbox).stagingTokens.PSObject.Properties | Where-Object Name -NotIn $before
        $new.Name | Should -Be $last.StagingToken
        $new.Value | Should -Be 10
    }

    It 'takes sources from the pipeline, and goes on where one cannot be walked' {
        $ranges = 's3://none/', $source | New-ImportRange lake -All -ErrorAction SilentlyContinue -ErrorVariable failed
        @($ranges).Count | Should -Be 3
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'ServerError,*'
        $failed[0].TargetObject | Should -Be 's3://none/'
        "$($failed[0])" | Should -Match 'NoSuchBucket'
    }

    It 'warns where there is nothing' {
        New-ImportRange lake s3://bucket/nothing/ -All -WarningVariable warned -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        "$warned" | Should -Match 'nothing to import'
    }

    It 'tells where ranges ended: <_>' -ForEach '0.111.0', 'dev-1a2b' {
        Set-LakeFsOption $sandbox @{ version = $_ }
        $failed = Get-FirstError { New-ImportRange lake $source }
        $failed.FullyQualifiedErrorId | Should -BeLike 'NotFound,*'
        "$failed" | Should -Match 'v0\.111\.0'
    }

    It 'makes nothing with -WhatIf' {
        $before = @(Get-SandboxRequest $sandbox).Count
        New-ImportRange lake $source -All -WhatIf | Should -BeNullOrEmpty
        @(Get-SandboxRequest $sandbox).Count | Should -Be $before
    }

    It 'ends with the pipeline' {
        @(New-ImportRange lake $source -All | Select-Object -First 1).Count | Should -Be 1
    }

    It 'stops within two seconds of Ctrl+C' {
        Set-SandboxFault $sandbox 'latency=30s,POST /**/ranges'
        $stopped = Invoke-AndStop -Argument $sandbox.Uri -When { (Get-SandboxConnection $sandbox).requestsInFlight -gt 0 } -Script {
            param($uri)
            $null = Connect-IngestService LakeFs $uri -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force)))
            New-ImportRange lake s3://bucket/prefix/ -All
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
    }
}
