BeforeAll {
    . (Join-Path $PSScriptRoot common.ps1)
}

Describe 'A name that PowerShell made a number of' {
    BeforeAll {
        $sandbox = Start-IngestSandbox -Connect
        $file = New-TestFile $TestDrive one.jpg
        $null = Send-IngestFile $file -Shortcode 1000 | Start-BulkIngest -Wait
    }
    AfterAll { Stop-IngestSandbox }

    It 'finalizes no other project: <_>' -ForEach @(
        '1E03, 0801 | ForEach-Object { Complete-BulkIngest $_ -Force -Confirm:$false }'
        'Complete-BulkIngest 1E03, 0801 -Force -Confirm:$false'
        '1E03 | Complete-BulkIngest -Force -Confirm:$false'
        '$project = 1E03; Complete-BulkIngest $project -Force -Confirm:$false'
        '[pscustomobject]@{ Shortcode = 1E03 } | Complete-BulkIngest -Force -Confirm:$false'
        '''[{"Shortcode": 1e3}]'' | ConvertFrom-Json | Complete-BulkIngest -Force -Confirm:$false'
        'Complete-BulkIngest 0100d, ''0801'' -Force -Confirm:$false'
        '$project = 01000; Complete-BulkIngest $project -Force -Confirm:$false'
        '$project = 01000; Complete-BulkIngest $project -Force -Confirm:$false | Select-Object -First 1000'
        '$project = 01000; Get-IngestMapping $project | Select-Object -First 1000; Wait-Transaction -Timeout 1000 -Id x; Complete-BulkIngest $project -Force -Confirm:$false'
        '$given = @{ Shortcode = 01000 }; Complete-BulkIngest @given -Force -Confirm:$false'
        '[pscustomobject]@{ Shortcode = 01000 } | Complete-BulkIngest -Force -Confirm:$false'
        '''[{"Shortcode": 1000}]'' | ConvertFrom-Json | Complete-BulkIngest -Force -Confirm:$false'
    ) {
        $line = $_
        $failure = Get-FirstError { [CmdletBinding()] param() Invoke-Expression $line }
        "$failure" | Should -BeLike '*is a number, and this is a name.*Put it in quotes*'
        Get-EndedRequest $sandbox | Where-Object target -Like '*/finalize' | Should -BeNullOrEmpty
    }

    It 'starts no other project with a result that was read back' {
        $failure = Get-FirstError {
            [CmdletBinding()] param()
            [pscustomobject]@{ Path = 'a.jpg'; RemoteName = 'a.jpg'; Status = 'Uploaded'; Shortcode = 1E03 } | Start-BulkIngest
        }
        "$failure" | Should -BeLike '*is a number, and this is a name.*Put it in quotes*'
    }

    It 'is taken as it was typed where it stands alone: <_>' -ForEach '0001', '1000', '1E03', '082E' {
        $result = Invoke-Expression "Send-IngestFile '$file' -Shortcode $_ -Again"
        $result.Shortcode | Should -Be $_
        $result.Status | Should -Be 'Uploaded'
    }

    It 'is taken as it was typed with a colon, in a block, and over several lines' {
        (Send-IngestFile $file -Shortcode:1000 -Again).Shortcode | Should -Be '1000'
        (& { Send-IngestFile $file `
                    -Shortcode 1000 -Again }).Shortcode | Should -Be '1000'
        @($file | ForEach-Object { Send-IngestFile $_ -Shortcode 1000 -Again }).Shortcode | Should -Be '1000'
    }

    It 'leaves no row out of an import' {
        $starts = @(Get-EndedRequest $sandbox | Where-Object target -Like '*/import').Count
        $rows = [pscustomobject]@{ Source = 's3://bucket/prefix/'; Destination = 'raw/' }, [pscustomobject]@{ Source = 's3://bucket/single/'; Destination = 1.5 }
        $null = $rows | Start-Import lake main -ErrorVariable errors -ErrorAction SilentlyContinue -WarningVariable warnings -WarningAction SilentlyContinue
        "$errors" | Should -BeLike '*1.5 is a number*Put it in quotes*'
        "$warnings" | Should -BeLike 'Nothing was imported*'
        @(Get-EndedRequest $sandbox | Where-Object target -Like '*/import').Count | Should -Be $starts
    }

    It 'is taken from a table that has a project alone' {
        $started = 'Shortcode', '1000' | ConvertFrom-Csv | Start-BulkIngest
        $started.Shortcode | Should -Be '1000'
        $null = $started | Wait-Transaction -PollInterval 0.05
    }
}

Describe 'The server' {
    BeforeAll {
        $first = Start-IngestSandbox -Connect
        $second = Start-IngestSandbox
        $file = New-TestFile $TestDrive one.jpg
        $null = Connect-IngestService DspIngest $second.Uri -Name other -AuthenticationUri $second.Uri -Credential ([pscredential]::new('root@example.com', (ConvertTo-Secure test)))
        $null = Connect-IngestService Ica "$($second.Uri)ica/rest" -Name otherIca -ApiKey (ConvertTo-Secure test)
        $null = Connect-IngestService LakeFs $second.Uri -Name otherLake -Credential ([pscredential]::new('AKIASANDBOX', (ConvertTo-Secure sandbox)))
        $project = '8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d'
        Set-LakeFsOption $first @{ version = '0.110.0' }
        $sent = Send-IngestFile $file -Shortcode 0001 -Connection DspIngest
        $ingested = $sent | Start-BulkIngest -Wait
        $linked = New-DataId 2 | New-LinkingBatch -ProjectId $project -Connection Ica | Wait-Transaction -PollInterval 0.05
        $range = New-ImportRange lake s3://bucket/prefix/ -Connection LakeFs
    }
    AfterAll {
        Get-IngestConnection | Where-Object Name -Like 'other*' | Disconnect-IngestService -WarningAction SilentlyContinue
        Stop-IngestSandbox
    }

    It 'is on every output of a service' {
        $outputs = $sent, $ingested, $linked, $range, ($range | New-ImportMetaRange -Connection LakeFs), (Get-IngestMapping 0001 -Connection DspIngest),
            (Get-IngestMapping -Uploaded $sent), ($linked | Get-LinkingBatchItem | Select-Object -First 1)
        foreach ($output in $outputs) {
            $output.Server | Should -BeLike "$($first.Uri)*" -Because $output.PSTypeNames[0]
        }
    }

    It 'of an object is the one that is used: <_>' -ForEach @(
        '$sent | Send-IngestFile -Again', 'Get-IngestMapping -Uploaded $sent', '$ingested | Get-IngestMapping', '$linked | Get-LinkingBatchItem', '$range | New-ImportMetaRange'
    ) {
        $written = Invoke-Expression $_
        $written | Should -Not -BeNullOrEmpty
        $written.Server | Select-Object -Unique | Should -BeLike "$($first.Uri)*"
    }

    It 'of an id to link is that of its own, whatever came before it' {
        $elsewhere = [pscustomobject]@{ DataId = (New-DataId 1); ProjectId = $project; Server = "$($second.Uri)ica/rest/"; Connection = 'Ica' }
        $here = [pscustomobject]@{ DataId = (New-DataId 1); ProjectId = $project; Server = ($linked | Get-LinkingBatchItem)[0].Server; Connection = 'Ica' }
        $before = @(Get-EndedRequest $second | Where-Object method -EQ POST).Count
        $null = $here, $elsewhere | New-LinkingBatch -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
        @(Get-EndedRequest $second | Where-Object method -EQ POST).Count | Should -BeGreaterThan $before
    }

    It 'of an object is not another one that is named: <_>' -ForEach @(
        '$sent | Send-IngestFile -Again -Connection other'
        'Get-IngestMapping -Uploaded $sent -Connection other'
        '$sent | Start-BulkIngest -Connection other'
        '$ingested | Get-IngestMapping -Connection other'
        '$ingested | Complete-BulkIngest -Connection other -Force -Confirm:$false'
        '$ingested | Get-Transaction -Connection other'
        '$linked | Get-LinkingBatchItem -Connection otherIca'
        '$range | New-ImportMetaRange -Connection otherLake'
    ) {
        $line = $_
        $before = @(Get-EndedRequest $second).Count
        $failure = Get-FirstError { [CmdletBinding()] param() Invoke-Expression $line }
        $failure.FullyQualifiedErrorId | Should -BeLike 'WrongServer,*'
        "$failure" | Should -BeLike "*$($first.Uri)*$($second.Uri)*"
        @(Get-EndedRequest $second).Count | Should -Be $before
    }
}

Describe 'A connection that has ended' {
    BeforeAll { $file = New-TestFile $TestDrive one.jpg }
    AfterAll { Stop-IngestSandbox }

    It 'is not replaced by <What>: <End>' -ForEach @(
        @{ What = 'the saved default'; End = 'Stop-IngestSandbox' }
        @{ What = 'the saved default'; End = 'Get-IngestConnection | Disconnect-IngestService' }
        @{ What = 'the environment'; End = 'Stop-IngestSandbox' }
    ) {
        $production = Start-IngestSandbox
        $said = Invoke-Child -Argument $production.Uri, $file, $What, $End {
            param($uri, $file, $what, $end)
            $env:PRODUCTION_TOKEN = 'x'
            if ($what -eq 'the environment') { $env:INGESTTOOLS_DSPINGEST_URI = $uri; $env:INGESTTOOLS_DSPINGEST_TOKEN = 'x' }
            else { $null = Connect-IngestService DspIngest $uri -Name production -SecretFrom env:PRODUCTION_TOKEN -NoCheck -Save -Default }
            $null = Start-IngestSandbox -Connect
            $null = Send-IngestFile $file -Shortcode 0001
            Get-IngestConnection production -ErrorAction Ignore | Disconnect-IngestService -WarningAction SilentlyContinue
            Invoke-Expression $end
            foreach ($line in { Send-IngestFile $file -Shortcode 0001 }, { Start-BulkIngest 0001 -WhatIf }, { Test-IngestService }) {
                try { $null = & $line }
                catch { "$($_.FullyQualifiedErrorId -replace ',.*') $_" }
            }
            try { $null = Get-IngestMapping 0001 -Connection $(if ($what -eq 'the environment') { 'DspIngest' } else { 'production' }) }
            catch { "named: $($_.FullyQualifiedErrorId -replace ',.*')" }
        }
        Get-IngestConnection production -Saved -ErrorAction Ignore | Disconnect-IngestService -Saved
        Get-EndedRequest $production | Where-Object { $_.method -ne 'GET' } | Should -BeNullOrEmpty
        $said[0..2] | Should -BeLike "NoConnection *has ended.*$($production.Uri)*is not used in its place.*"
        $said[3] | Should -Be 'named: NotSignedIn'
    }

    It 'of this session is replaced by another with a warning that names it' {
        $older = Start-IngestSandbox -Connect
        $newer = Start-IngestSandbox
        $null = Connect-IngestService DspIngest $newer.Uri -Name newer -Token (ConvertTo-Secure x) -NoCheck
        Disconnect-IngestService newer -WarningVariable warned -WarningAction SilentlyContinue
        "$warned" | Should -BeLike "*'DspIngest' to $($older.Uri)*is now used for DspIngest*"
        Stop-IngestSandbox
    }

    It 'is not replaced by the saved default after another service took its name' {
        $production = Start-IngestSandbox
        $said = Invoke-Child -Argument $production.Uri {
            param($uri)
            $env:PRODUCTION_TOKEN = 'x'
            $null = Connect-IngestService DspIngest $uri -Name production -SecretFrom env:PRODUCTION_TOKEN -NoCheck -Save -Default
            Disconnect-IngestService production -WarningAction SilentlyContinue
            $sandbox = Start-IngestSandbox
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name nightly -Token (ConvertTo-SecureString x -AsPlainText -Force) -NoCheck
            $null = Connect-IngestService Ica "$($sandbox.Uri)ica/rest" -Name nightly -ApiKey (ConvertTo-SecureString x -AsPlainText -Force) -NoCheck
            try { Get-IngestMapping 0001 } catch { "$($_.FullyQualifiedErrorId -replace ',.*')" }
        }
        Disconnect-IngestService production -Saved
        $said | Should -Be 'NoConnection'
        Stop-IngestSandbox
    }

    It 'is not replaced by one that was opened for an object of its server' {
        $production = Start-IngestSandbox
        $null = Connect-IngestService DspIngest $production.Uri -Name production -SecretFrom env:NOTHING -NoCheck -Save -AuthenticationUri $production.Uri
        Disconnect-IngestService production
        $sandbox = Start-IngestSandbox -Connect
        try {
            $null = Get-IngestMapping 0001 -Connection production -ErrorAction SilentlyContinue
            (Send-IngestFile $file -Shortcode 0001).Server | Should -Be "$($sandbox.Uri)"
        }
        finally {
            Get-IngestConnection production -ErrorAction Ignore | Disconnect-IngestService -WarningAction SilentlyContinue
            Disconnect-IngestService production -Saved
            Stop-IngestSandbox
        }
    }
}

Describe 'What a user keeps' {
    BeforeAll {
        $sandbox = Start-IngestSandbox -Connect
        $files = New-TestFile $TestDrive one.jpg, two.jpg
        function Invoke-Load($File, [string] $Mapping) {
            $null = Send-IngestFile $File -Shortcode 0001 -Again | Start-BulkIngest -Wait
            Complete-BulkIngest 0001 -MappingPath $Mapping -Confirm:$false -WarningVariable warned -WarningAction SilentlyContinue
            "$warned"
        }
    }
    AfterAll { Stop-IngestSandbox }

    It 'is set aside where a second load has the same -MappingPath' {
        $mapping = Join-Path $TestDrive 'm.csv'
        Invoke-Load $files[0] $mapping | Should -BeNullOrEmpty
        $first = Get-Content $mapping -Raw
        Invoke-Load $files[1] $mapping | Should -BeLike '*m.csv held something else, and was renamed to *m-1.csv*'
        Get-Content (Join-Path $TestDrive 'm-1.csv') -Raw | Should -Be $first
        (Import-Csv $mapping).original | Should -Be 'two.jpg'
    }

    It 'is not finalized away where the mapping cannot be kept: <_>' -Skip:$IsWindows -ForEach 'a pipe', 'a link to a pipe', 'a folder' {
        $null = Send-IngestFile $files[0] -Shortcode 0002 -Again | Start-BulkIngest -Wait
        $path = Join-Path $TestDrive ($_ -replace ' ')
        if ($_ -eq 'a folder') { $null = New-Item $path -ItemType Directory }
        elseif ($_ -eq 'a pipe') { mkfifo $path }
        else { mkfifo "$path-target"; $null = New-Item $path -ItemType SymbolicLink -Target "$path-target" }
        $failure = Get-FirstError { [CmdletBinding()] param() Complete-BulkIngest 0002 -MappingPath $path -Force -Confirm:$false }
        $failure.FullyQualifiedErrorId | Should -BeLike 'FileUnreadable,*'
        Get-EndedRequest $sandbox | Where-Object target -Like '*/0002/*/finalize' | Should -BeNullOrEmpty
        Get-ChildItem $TestDrive -Force -Filter '*.tmp' | Should -BeNullOrEmpty
        (Get-IngestMapping 0002).Original | Should -Contain 'one.jpg'
    }
}

Describe 'Patterns' {
    BeforeAll {
        $sandbox = Start-IngestSandbox -Connect
        $folder = Split-Path (New-TestFile $TestDrive 'box/one.jpg', 'box/two.tif')[0]
    }
    AfterAll { Stop-IngestSandbox }

    It 'that can match no file are refused with what to write: <Pattern>' -ForEach @(
        @{ Pattern = 'private/*'; Says = '*has a slash in it*Where-Object FullName*' }
        @{ Pattern = 'private\*'; Says = '*has a slash in it*' }
        @{ Pattern = '*.tif,*.jpg'; Says = "*Write them as a list: '`*.tif', '`*.jpg'*" }
        @{ Pattern = '*.tif; *.jpg'; Says = "*Write them as a list: '`*.tif', '`*.jpg'*" }
    ) {
        foreach ($parameter in 'Include', 'Exclude') {
            $given = @{ $parameter = $Pattern }
            { Send-IngestFile $folder -Shortcode 0001 @given } | Should -Throw $Says
        }
        Get-EndedRequest $sandbox | Where-Object method -EQ POST | Should -BeNullOrEmpty
    }

    It 'that leave no file say so' {
        $null = Send-IngestFile $folder -Shortcode 0001 -Include *.png -WarningVariable warned -WarningAction SilentlyContinue
        "$warned" | Should -Be 'No file was sent: -Include and -Exclude left out all 2 files that were found.'
    }

    It 'may have a comma that is part of a name' {
        (Send-IngestFile (New-TestFile $TestDrive 'comma/a, b.jpg') -Shortcode 0001 -Include '*, *').Status | Should -Be 'Uploaded'
    }
}

Describe 'A hidden file' {
    BeforeAll { $sandbox = Start-IngestSandbox -Connect }
    AfterAll { Stop-IngestSandbox }

    It 'is named when it comes down the pipeline' {
        $null = New-TestFile $TestDrive 'hidden/.x.jpg', 'hidden/.y.jpg', 'hidden/z.jpg'
        $ended = Get-ChildItem (Join-Path $TestDrive hidden) -Force -File | Send-IngestFile -Shortcode 0001 -WarningVariable warned -WarningAction SilentlyContinue |
            Start-BulkIngest | Wait-Transaction -PollInterval 0.05
        $ended.Status | Should -Be 'Succeeded'
        $warned | Should -HaveCount 2
        "$warned" | Should -Match '\.[xy]\.jpg: It is left out: .*hidden files'
        "$warned" | Should -Match '1 more file \(.*\.[xy]\.jpg\): It is left out'
    }
}

Describe 'INGESTTOOLS_HOME' {
    It 'is refused where it is a relative path' {
        $said = Invoke-Child {
            $env:INGESTTOOLS_HOME = 'here'
            try { Get-IngestConnection -Saved }
            catch { "$_" }
        }
        "$said" | Should -BeLike "*INGESTTOOLS_HOME is 'here', a relative path*"
    }
}
