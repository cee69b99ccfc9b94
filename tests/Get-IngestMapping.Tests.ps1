Describe 'Get-IngestMapping' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $files = New-TestFile $TestDrive 'one, two.jpg', "Süd.png", 'broken.jpg'
        Set-SandboxOption $sandbox @{ ingestFails = @('broken*') }
        $uploads = $files | Send-IngestFile -Shortcode 0001
        $transaction = $uploads | Start-BulkIngest | Wait-Transaction -PollInterval 0.1 -ErrorAction SilentlyContinue
    }

    AfterEach { Clear-SandboxFault $sandbox }
    AfterAll { Stop-IngestSandbox }

    It 'writes a row for each file that was ingested' {
        $rows = Get-IngestMapping 0001
        $rows[0].PSObject.TypeNames[0] | Should -Be 'IngestTools.IngestMapping'
        $rows.Original | Sort-Object | Should -Be ('one, two.jpg', 'Süd.png' | Sort-Object)
        $rows.Ingested | Should -Be $true, $true
        $rows.Derivative | Should -Not -Contain $null
    }

    It 'takes a transaction, and looks at a project once' {
        @($transaction, $transaction | Get-IngestMapping).Count | Should -Be 2
    }

    It 'tells what was left over' {
        $rows = Get-IngestMapping -Uploaded $uploads
        $rows.Count | Should -Be 3
        $left = $rows | Where-Object { -not $_.Ingested }
        $left.Original | Should -Be 'broken.jpg'
        $left.Derivative | Should -BeNullOrEmpty
        @($transaction | Get-IngestMapping -Uploaded $uploads).Count | Should -Be 3
    }

    It 'knows uploads that were read from a file: <_>' -ForEach 'Clixml', 'Csv', 'Json' {
        $read = Use-File $uploads $_
        $rows = Get-IngestMapping -Uploaded $read -Verify
        ($rows | Where-Object { -not $_.Ingested }).Original | Should -Be 'broken.jpg'
        ($rows | Where-Object Ingested).Verified | Should -Be $true, $true
        (Get-IngestMapping -Uploaded $read[0]).Original | Should -Be $read[0].RemoteName
    }

    It 'tells what was left over of several projects' {
        $more = Send-IngestFile $files[0] -Shortcode 0002
        $null = $more | Start-BulkIngest -Wait
        $rows = Get-IngestMapping -Uploaded ($uploads + $more)
        ($rows | Group-Object Shortcode -NoElement | Sort-Object Name | ForEach-Object Count) | Should -Be 3, 1
        (Get-IngestMapping 0002 -Uploaded ($uploads + $more)).Shortcode | Should -Be '0002'
    }

    It 'proves that a file arrived as it is, and that one did not' {
        $rows = Get-IngestMapping -Uploaded $uploads -Verify
        ($rows | Where-Object Ingested).Verified | Should -Be $true, $true
        $rows | Format-Table | Out-String | Should -Match 'Shortcode +Ingested +Verified'
        ($rows | Where-Object Original -Like 'one*').Sha256 | Should -Be ($uploads | Where-Object RemoteName -Like 'one*').Sha256
        Set-SandboxOption $sandbox @{ corruptsChecksum = @('one*') }
        try { (Get-IngestMapping -Uploaded $uploads -Verify | Where-Object Verified -EQ $false).Original | Should -Be 'one, two.jpg' }
        finally { Set-SandboxOption $sandbox @{ corruptsChecksum = @() } }
    }

    It 'writes a row whose proof fails, and one error for it, and proves the others' {
        Set-SandboxFault $sandbox '400=1,GET /projects/*/assets/*'
        $rows = Get-IngestMapping -Uploaded $uploads -Verify -ErrorVariable errors -ErrorAction SilentlyContinue
        $rows.Count | Should -Be 3
        $unproven = $rows | Where-Object { $_.Ingested -and $null -eq $_.Verified }
        @($unproven).Count | Should -Be 1
        @($rows | Where-Object Verified).Count | Should -Be 1
        $errors.Count | Should -Be 1
        $errors[0].TargetObject | Should -Be $unproven.Original
    }

    It 'says that a proof needs uploads' {
        $before = @(Get-SandboxRequest $sandbox).number
        $failure = Get-FirstError { [CmdletBinding()] param() Get-IngestMapping 0001 -Verify }
        $failure.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
        "$failure $($failure.ErrorDetails.RecommendedAction)" | Should -Match '-Uploaded'
        Get-SandboxRequest $sandbox | Where-Object number -NotIn $before | Should -BeNullOrEmpty
    }

    It 'says where no file can be written: <_>' -ForEach 'NoDrive:/m.csv', 'env:M', 'NoProvider::m' {
        $path = $_
        $failure = Get-FirstError { [CmdletBinding()] param() Get-IngestMapping 0001 -OutFile $path }
        $failure.FullyQualifiedErrorId | Should -BeLike 'File*,IngestTools.PowerShell.Commands.GetIngestMappingCommand'
        $failure.TargetObject | Should -Be $path
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'saves the mapping as it came, and writes nothing' {
        $path = Join-Path $TestDrive 'mapping.csv'
        Get-IngestMapping 0001 -OutFile 'TestDrive:/mapping.csv' | Should -BeNullOrEmpty
        [System.IO.File]::ReadAllText($path) | Should -BeLike "original,derivative`n*"
        (Import-Csv $path).original | Sort-Object | Should -Be ('one, two.jpg', 'Süd.png' | Sort-Object)
    }

    It 'keeps the file as it was where the mapping breaks off' {
        $path = Join-Path $TestDrive 'kept.csv'
        Set-Content $path 'as it was'
        Set-SandboxFault $sandbox 'truncated=/projects/*/bulk-ingest/mapping.csv'
        (Get-FirstError { [CmdletBinding()] param() Get-IngestMapping 0001 -OutFile $path }) | Should -Not -BeNullOrEmpty
        Get-Content $path | Should -Be 'as it was'
        Get-ChildItem $TestDrive -Filter 'kept*' | Should -HaveCount 1
    }

    It 'keeps the file as it was where the disk takes no more' -Skip:(-not $IsLinux) {
        $path = Join-Path $TestDrive 'full.csv'
        Set-Content $path 'as it was'
        $script = Join-Path $TestDrive 'full.ps1'
        Set-Content $script @'
param($Module, $Uri, $Path)
Import-Module $Module
$null = Connect-IngestService DspIngest $Uri -AuthenticationUri $Uri -Credential ([pscredential]::new('root@example.com', (ConvertTo-SecureString test -AsPlainText -Force)))
Get-IngestMapping 0F11 -OutFile $Path -ErrorVariable errors -ErrorAction SilentlyContinue
$errors[0].FullyQualifiedErrorId
'@
        $null = Invoke-RestMethod "$($sandbox.Uri)sandbox/dsp/projects/0F11/mapping?rows=20000" -Method Post -NoProxy
        # A process that may write files of 128 blocks, 64 KiB, at most; the runtime itself needs to be told not to map larger ones.
        $command = 'trap "" XFSZ; ulimit -f 128; exec "$@"'
        $start = Get-PowerShell
        $given = $start.Arguments + '-NoProfile' + '-File' + $script + (Get-Module IngestTools).Path.Replace('module/bin/IngestTools.dll', 'IngestTools.psd1') + "$($sandbox.Uri)" + $path
        $env:DOTNET_EnableWriteXorExecute = '0'
        try { $id = /bin/sh -c $command sh $start.Program @given }
        finally { $env:DOTNET_EnableWriteXorExecute = $null }
        $id | Should -BeLike 'FileUnreadable,*'
        Get-Content $path | Should -Be 'as it was'
        Get-ChildItem $TestDrive -Force -Filter '*.tmp' | Should -BeNullOrEmpty
    }

    It 'writes no second mapping over the first' {
        $null = Send-IngestFile $files[0] -Shortcode 0003 | Start-BulkIngest -Wait
        $null = '0001', '0003' | Get-IngestMapping -OutFile (Join-Path $TestDrive 'both.csv') -ErrorVariable errors -ErrorAction SilentlyContinue
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'NameInUse,*'
        $errors[0].TargetObject | Should -Be '0003'
    }

    It 'writes an error where there is no mapping' {
        $failure = Get-FirstError { [CmdletBinding()] param() Get-IngestMapping 00BB }
        $failure.FullyQualifiedErrorId | Should -Be 'NotFound,IngestTools.PowerShell.Commands.GetIngestMappingCommand'
        $failure.TargetObject | Should -Be '00BB'
    }

    It 'writes rows in order and each once, however many there are' {
        Add-SandboxMapping $sandbox 00CC 50000
        $rows = Get-IngestMapping 00CC
        $rows.Count | Should -Be 50000
        $path = Join-Path $TestDrive 'many.csv'
        Get-IngestMapping 00CC -OutFile $path
        ($rows.Original -join "`n") -ceq ((Import-Csv $path).original -join "`n") | Should -BeTrue
    }

    It 'ends when the pipeline has what it wants' {
        Add-SandboxMapping $sandbox 00DD 200000
        @(Get-IngestMapping 00DD | Select-Object -First 3).Count | Should -Be 3
        Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 } 'the server sees the end'
    }

    It 'stops at Ctrl+C while the server does not answer' {
        Set-SandboxFault $sandbox 'latency=60s'
        $stopped = Invoke-AndStop -Argument @($sandbox.Uri) -When { (Get-SandboxConnection $sandbox).requestsInFlight -gt 0 } {
            param($uri)
            $null = Connect-IngestService DspIngest $uri -NoCheck -Token (ConvertTo-SecureString x -AsPlainText -Force)
            Get-IngestMapping 0001
        }
        $stopped.Elapsed | Should -BeLessThan $StopLimit
    }
}
