Describe 'Send-IngestFile' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        $folder = Join-Path $TestDrive 'scans'
        $files = New-TestFile $folder 'one.jpg', 'two.jpg', 'box/three.jpg', 'box/a[1].jpg'
        function Get-Waiting([string] $Shortcode) { @((Get-SandboxProject $sandbox $Shortcode).waiting.path) | Sort-Object }
    }

    AfterEach { Clear-SandboxFault $sandbox }
    AfterAll { Stop-IngestSandbox }

    Context 'names files' {
        BeforeEach { $shortcode = New-Shortcode }

        It 'by their path in the folder that was given' {
            $results = Send-IngestFile $folder -Recurse -Shortcode $shortcode
            $results.Status | Should -Be (@('Uploaded') * 4)
            Get-Waiting $shortcode | Should -Be ('box/a[1].jpg', 'box/three.jpg', 'one.jpg', 'two.jpg' | Sort-Object)
        }

        It 'by their path in -BasePath, with -Destination before it' {
            $null = Get-ChildItem $folder -Recurse -File | Send-IngestFile -Shortcode $shortcode -BasePath $folder -Destination 'box-7'
            Get-Waiting $shortcode | Should -Be ('box-7/box/a[1].jpg', 'box-7/box/three.jpg', 'box-7/one.jpg', 'box-7/two.jpg' | Sort-Object)
        }

        It 'by their bare name' {
            (Send-IngestFile (Join-Path $folder 'box' 'three.jpg') -Shortcode $shortcode).RemoteName | Should -Be 'three.jpg'
        }
    }

    Context 'takes' {
        BeforeEach { $shortcode = New-Shortcode }

        It 'nothing, and writes totals of zero with -Summary: <Name>' -ForEach @(
            @{ Name = 'an empty pipeline'; Send = { @() | Send-IngestFile @args -Summary } }
            @{ Name = 'a dry run'; Send = { @() | Send-IngestFile @args -Summary -DryRun } }
            @{ Name = 'an empty folder'; Send = { Send-IngestFile (New-Item -ItemType Directory -Force (Join-Path $TestDrive empty)) @args -Summary -WarningAction Ignore } }
        ) {
            $summary = & $Send -Shortcode $shortcode
            @($summary) | Should -HaveCount 1
            $summary.GetType().Name | Should -Be UploadSummary
            $summary.Files, $summary.Failed, $summary.Bytes | Should -Be 0, 0, 0
        }

        It 'wildcards' {
            (Send-IngestFile (Join-Path $folder '*.jpg') -Shortcode $shortcode).RemoteName | Sort-Object | Should -Be 'one.jpg', 'two.jpg'
        }

        It 'what Resolve-Path finds: <_>' -ForEach '*', '.*', 'B*', '[bt]*.jpg', '?.jpg', '*.none', 'sub/*', '*/*.jpg', '*b/*' {
            $tree = Join-Path $TestDrive $shortcode
            $null = New-TestFile $tree 'b.jpg', 'BIG.JPG', 'two.jpg', '.hidden.jpg', 'a[1].jpg', 'sub/s.jpg', 'sub/deep/d.jpg', '.hiddensub/h.jpg'
            Push-Location $tree
            try {
                foreach ($pattern in $_, "./$_", "$tree/$_", "TestDrive:/$shortcode/$_") {
                    $expected = Resolve-Path $pattern -ErrorAction Ignore | ForEach-Object {
                        (Test-Path -LiteralPath $_ -PathType Leaf) ? $_.ProviderPath : (Get-ChildItem -LiteralPath $_ -File).FullName
                    }
                    $found = Send-IngestFile $pattern -Shortcode $shortcode -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
                    $found.Path | Sort-Object | Should -Be ($expected | Sort-Object) -Because $pattern
                }
            }
            finally { Pop-Location }
        }

        It 'a name with brackets from Get-ChildItem' {
            $result = Get-ChildItem (Join-Path $folder 'box') -File | Where-Object Name -Like 'a*' | Send-IngestFile -Shortcode $shortcode
            $result.Status | Should -Be 'Uploaded'
            $result.RemoteName | Should -Be 'a[1].jpg'
        }

        It 'a name with brackets as -LiteralPath' {
            (Send-IngestFile -LiteralPath (Join-Path $folder 'box' 'a[1].jpg') -Shortcode $shortcode).Status | Should -Be 'Uploaded'
        }

        It 'paths of PowerShell drives, relative and with ~ alike' {
            Push-Location $folder
            try { (Send-IngestFile ./one.jpg, 'TestDrive:/scans/two.jpg' -Shortcode $shortcode).Path | Sort-Object | Should -Be ($files[0, 1] | Sort-Object) }
            finally { Pop-Location }
        }

        It 'strings, files and results in one pipeline, each as what it is' {
            $earlier = Send-IngestFile $files[2] -Shortcode $shortcode -Destination box
            $results = $files[0], (Get-Item -LiteralPath $files[3]), $earlier | Send-IngestFile -Shortcode $shortcode -Again
            $results.Status | Should -Be (@('Uploaded') * 3)
            $results.RemoteName | Sort-Object | Should -Be ('one.jpg', 'a[1].jpg', 'box/three.jpg' | Sort-Object)
        }

        It 'results that were read from a file, under the same names: <_>' -ForEach 'Clixml', 'Csv', 'Json' {
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name here -Token (ConvertTo-Secure (Get-SandboxToken $sandbox))
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name nowhere -Token (ConvertTo-Secure x)
            try {
                $earlier = Send-IngestFile $files[0, 2] -Shortcode $shortcode -Connection here -Destination box
                $read = Use-File $earlier $_
                $results = $read, $files[1] | ForEach-Object { $_ } | Send-IngestFile -Shortcode $shortcode -Connection here
                $results.RemoteName | Sort-Object | Should -Be ('box/one.jpg', 'box/three.jpg', 'two.jpg' | Sort-Object)
                $again = $read | Send-IngestFile
                $again.RemoteName | Sort-Object | Should -Be ('box/one.jpg', 'box/three.jpg' | Sort-Object)
                $again.Connection | Should -Be 'here', 'here'
                (Send-IngestFile $read -Again).Status | Should -Be 'Uploaded', 'Uploaded'
                (Send-IngestFile -InputObject $read[1]).RemoteName | Should -Be $read[1].RemoteName
                Get-Waiting $shortcode | Should -Be ('box/one.jpg', 'box/three.jpg', 'two.jpg' | Sort-Object)
            }
            finally { Disconnect-IngestService nowhere, here }
        }

        It 'no result whose status nobody knows' {
            $row = [pscustomobject]@{ Path = $files[0]; RemoteName = 'a/one.jpg'; Shortcode = $shortcode; Status = 'Nonsense' }
            $result = $row | Send-IngestFile -ErrorVariable errors -ErrorAction SilentlyContinue
            $result | Should -BeNullOrEmpty
            "$errors" | Should -Match "Status is 'Nonsense'"
        }

        It 'rows with a path and a project' {
            $row = [pscustomobject]@{ Path = $files[0]; Shortcode = $shortcode; Remark = 'from a list' }
            ($row | Send-IngestFile).Shortcode | Should -Be $shortcode
        }

        It 'only files that match -Include, and none that match -Exclude' {
            (Send-IngestFile $folder -Recurse -Include *.jpg -Exclude t* -Shortcode $shortcode).RemoteName | Sort-Object | Should -Be ('box/a[1].jpg', 'one.jpg' | Sort-Object)
        }

        It 'no pattern that it does not know: -<_>' -ForEach 'Include', 'Exclude' {
            $patterns = @{ $_ = '*.jpg', 'f[12].txt' }
            { Send-IngestFile $folder -Shortcode $shortcode @patterns } | Should -Throw '*`* and ? only*' -ErrorId 'ParameterArgumentValidationError,*'
        }

        It 'an empty list' {
            @() | Send-IngestFile -Shortcode $shortcode | Should -BeNullOrEmpty
        }
    }

    Context 'writes' {
        BeforeEach { $shortcode = New-Shortcode }

        It 'what it sent: the digest of the bytes, the length, the project and the connection' {
            $result = Send-IngestFile $files[0] -Shortcode $shortcode.ToLowerInvariant()
            $result.PSObject.TypeNames[0] | Should -Be 'IngestTools.UploadResult'
            $result.Sha256 | Should -Be (Get-FileHash -LiteralPath $files[0]).Hash.ToLowerInvariant()
            $result.Length | Should -Be 100
            $result.Shortcode | Should -Be $shortcode
            $result.Connection | Should -Be 'DspIngest'
            $result.Attempts | Should -Be 1
            $result.Duration | Should -BeGreaterThan ([timespan]::Zero)
        }

        It 'a failed result and an error for a file that is not there, and sends the others' {
            $missing = Join-Path $folder 'missing.jpg'
            $results = $files[0], $missing, $files[1] | Send-IngestFile -Shortcode $shortcode -ErrorVariable errors -ErrorAction SilentlyContinue
            ($results | Where-Object Status -EQ Uploaded).Count | Should -Be 2
            ($results | Where-Object Status -EQ Failed).Path | Should -Be $missing
            $errors.Count | Should -Be 1
            $errors[0].FullyQualifiedErrorId | Should -Be 'FileNotFound,IngestTools.PowerShell.Commands.SendIngestFileCommand'
            $errors[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
            $errors[0].TargetObject | Should -Be $missing
            $errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        }

        It 'the server''s own words where it refuses a file' {
            $bad = New-TestFile $TestDrive 'bad#name.jpg'
            $result = Send-IngestFile $bad -Shortcode $shortcode -Force -ErrorVariable errors -ErrorAction SilentlyContinue
            $result.Status | Should -Be 'Failed'
            $errors[0].CategoryInfo.Category | Should -Be 'InvalidData'
            $errors[0].Exception.StatusCode | Should -Be 'BadRequest'
            $errors[0].ToString() | Should -Match 'invalid'
        }

        It 'an error that ends it for a shortcode that is none' {
            $failure = Get-FirstError { [CmdletBinding()] param() $files | Send-IngestFile -Shortcode 000G }
            $failure.FullyQualifiedErrorId | Should -Be 'Rejected,IngestTools.PowerShell.Commands.SendIngestFileCommand'
            $failure.TargetObject | Should -Be '000G'
        }

        It 'an error and a failed result for what is no file: <_>' -ForEach 'env:PATH', 'env:P*', 'env:/P*', 'NoDrive:/nope.txt', 'NoDrive:/*.txt', '/no/folder/*', 'NoProvider::x' {
            $path = $_
            foreach ($given in @{ Path = $path }, @{ LiteralPath = $path }) {
                $result = Send-IngestFile @given -Shortcode $shortcode.ToLowerInvariant() -ErrorVariable errors -ErrorAction SilentlyContinue
                $errors.Count | Should -Be 1
                $errors[0].FullyQualifiedErrorId | Should -BeLike 'FileNotFound,*'
                $errors[0].TargetObject | Should -Be $path
                $result.Status | Should -Be 'Failed'
                $result.Path | Should -Be $path
                $result.RemoteName | Should -Not -BeNullOrEmpty
                $result.Shortcode | Should -Be $shortcode
                $result.Connection | Should -Be 'DspIngest'
                $result.Error | Should -Be $errors[0].Exception
            }
        }

        It 'a warning and nothing else where no file matches' {
            $result = Send-IngestFile (Join-Path $folder '*.none') -Shortcode $shortcode -WarningVariable warnings -WarningAction SilentlyContinue
            $result | Should -BeNullOrEmpty
            "$warnings" | Should -Match 'No file matches'
        }

        It 'an error for an object whose connection is not known, and sends the others' {
            $rows = foreach ($connection in 'nosuch', 'DspIngest') { [pscustomobject]@{ Path = $files[0]; Shortcode = $shortcode; Connection = $connection } }
            $result = $rows | Send-IngestFile -ErrorVariable errors -ErrorAction SilentlyContinue
            $result.Status | Should -Be 'Uploaded'
            $errors.Count | Should -Be 1
            $errors[0].FullyQualifiedErrorId | Should -BeLike 'NoConnection,*'
        }

        It 'an error that ends it where the connection of the command line is not known' {
            { $files | Send-IngestFile -Shortcode $shortcode -Connection nosuch -ErrorAction SilentlyContinue } | Should -Throw -ErrorId 'NoConnection,*'
        }

        It 'one error where the token is wrong, whatever the number of files, and every result has it' {
            $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -Name wrong -Token (ConvertTo-Secure 'x.y.z')
            try {
                $many = 1..200 | ForEach-Object { New-TestFile (Join-Path $TestDrive 'many') "$_.jpg" }
                $results = $many | Send-IngestFile -Shortcode $shortcode -Connection wrong -ErrorVariable errors -ErrorAction SilentlyContinue -WarningVariable warnings -WarningAction SilentlyContinue
            }
            finally { Disconnect-IngestService wrong }
            $errors | Should -HaveCount 1
            $errors[0].FullyQualifiedErrorId | Should -BeLike 'NotSignedIn,*'
            $errors[0].TargetObject | Should -Be $shortcode
            $errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
            $warnings | Should -Be '200 files were not sent for one reason (NotSignedIn), which each result has as its Error.'
            $results | Should -HaveCount 200
            $results.Error.ErrorId | Select-Object -Unique | Should -Be 'NotSignedIn'
        }

        It 'an error that is readable text in a CSV file, alone and in a result' {
            $result = Send-IngestFile (Join-Path $TestDrive 'missing.jpg') -Shortcode $shortcode -ErrorAction SilentlyContinue
            $row = $result | ConvertTo-Csv | ConvertFrom-Csv
            $row.Error | Should -Match '^FileNotFound: There is no file or folder .*missing\.jpg\. Check the path'
            "$($result | ConvertTo-Csv)$($result.Error | ConvertTo-Csv)" | Should -Not -Match '   at |\.cs:'
        }

        It 'an error that names Connect-IngestService where there is no connection' {
            $output = Invoke-Child -Argument $files[0] {
                param($file)
                try { Send-IngestFile $file -Shortcode 0001 } catch { $_.FullyQualifiedErrorId; "$_" }
            }
            $output[0] | Should -BeLike 'NoConnection,*'
            $output[1] | Should -Match 'Connect-IngestService'
        }
    }

    Context 'goes on' {
        BeforeEach { $shortcode = New-Shortcode }

        It 'through answers of 503 and resets, and sends each file whole' {
            # With eight attempts a file fails once in half a million times.
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name patient -Token (ConvertTo-Secure (Get-SandboxToken $sandbox)) -MaxAttempts 8
            Set-SandboxFault $sandbox '503=10%', 'reset-body=10%'
            $many = New-TestFile (Join-Path $TestDrive $shortcode) (1..30 | ForEach-Object { "f$_.jpg" }) 5000
            $results = $many | Send-IngestFile -Shortcode $shortcode -Connection patient
            Disconnect-IngestService patient
            $results.Status | Should -Be (@('Uploaded') * 30)
            ($results | Measure-Object Attempts -Sum).Sum | Should -BeGreaterThan 30
            $project = Get-SandboxProject $sandbox $shortcode
            $arrived = $project.waiting | ForEach-Object { "$($_.path) $($_.sha256)" } | Sort-Object
            $arrived | Should -Be ($results | ForEach-Object { "$($_.RemoteName) $($_.Sha256)" } | Sort-Object)
        }

        It 'with just what failed' {
            Set-SandboxFault $sandbox "400=POST /projects/*/bulk-ingest/ingest/one.jpg"
            $first = Send-IngestFile $folder -Shortcode $shortcode -ErrorAction SilentlyContinue
            ($first | Where-Object Status -EQ Failed).RemoteName | Should -Be 'one.jpg'
            Clear-SandboxFault $sandbox
            $again = $first | Where-Object Status -EQ Failed | Send-IngestFile
            $again.Status | Should -Be 'Uploaded'
            $again.RemoteName | Should -Be 'one.jpg'
            $again.Shortcode | Should -Be $shortcode
        }

        It 'in other runspaces that are handed the connection' {
            $jobs = 1..3 | ForEach-Object -Parallel {
                Import-Module $using:Manifest
                Send-IngestFile -LiteralPath ($using:files)[$_] -Shortcode $using:shortcode -Connection ($using:sandbox).Connections[0]
            }
            $jobs.Status | Should -Be 'Uploaded', 'Uploaded', 'Uploaded'
        }

        It 'with a project and a connection that come with the results' {
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name nowhere -Token (ConvertTo-Secure x)
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name here -Token (ConvertTo-Secure (Get-SandboxToken $sandbox))
            $first = Send-IngestFile $files[0] -Shortcode $shortcode -Connection here
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name nowhere -Token (ConvertTo-Secure x)
            try { ($first | Send-IngestFile).Connection | Should -Be 'here' }
            finally { Disconnect-IngestService nowhere, here }
        }
    }

    Context '-WhatIf' {
        It 'names each file and sends nothing' {
            $shortcode = New-Shortcode
            $before = @(Get-SandboxRequest $sandbox).number
            $told = Invoke-Child -Argument $sandbox.Uri, $folder, $shortcode {
                param($uri, $folder, $shortcode)
                $null = Connect-IngestService DspIngest $uri -NoCheck -Token (ConvertTo-SecureString x -AsPlainText -Force)
                Send-IngestFile $folder -Recurse -Shortcode $shortcode -Destination box-7 -WhatIf
            }
            $told.Count | Should -Be 4
            $told -join "`n" | Should -Match ([regex]::Escape("box-7/box/a[1].jpg"))
            Get-SandboxRequest $sandbox | Where-Object number -NotIn $before | Should -BeNullOrEmpty
        }
    }

    Context 'stops' {
        BeforeAll {
            $slow = New-TestFile (Join-Path $TestDrive 'slow') (1..40 | ForEach-Object { "s$_.jpg" }) 200000
            $sending = {
                param($uri, $token, $folder, $shortcode)
                $null = Connect-IngestService DspIngest $uri -Token (ConvertTo-SecureString $token -AsPlainText -Force)
                Send-IngestFile $folder -Shortcode $shortcode
            }
        }

        It 'at Ctrl+C in the middle of uploads, and closes its connections' {
            Set-SandboxFault $sandbox 'slow-body=1KiB,200ms'
            $open = (Get-SandboxConnection $sandbox).open
            $stopped = Invoke-AndStop $sending @($sandbox.Uri, (Get-SandboxToken $sandbox), (Split-Path $slow[0]), (New-Shortcode)) {
                (Get-SandboxConnection $sandbox).requestsInFlight -gt 0
            }
            $stopped.State | Should -Be 'Stopped'
            $stopped.Elapsed | Should -BeLessThan $StopLimit
            Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 } 'the server sees the uploads break off'
            Wait-Until { (Get-SandboxConnection $sandbox).open -le $open } 'the connections close'
        }

        It 'at Ctrl+C while the server does not answer' {
            Set-SandboxFault $sandbox 'stall=POST /projects/**'
            $stopped = Invoke-AndStop $sending @($sandbox.Uri, (Get-SandboxToken $sandbox), (Split-Path $slow[0]), (New-Shortcode)) {
                (Get-SandboxConnection $sandbox).requestsInFlight -gt 0
            }
            $stopped.Elapsed | Should -BeLessThan $StopLimit
        }

        It 'when the pipeline has what it wants' {
            $shortcode = New-Shortcode
            $null = Send-IngestFile $slow[0] -Shortcode $shortcode
            Set-SandboxFault $sandbox 'slow-body=8KiB,50ms'
            $first = $slow | Send-IngestFile -Shortcode $shortcode -Again | Select-Object -First 1
            $first.Status | Should -Be 'Uploaded'
            Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 } 'the uploads end'
            @((Get-SandboxProject $sandbox $shortcode).waiting).Count | Should -BeLessThan 40
        }

        It 'again and again when the pipeline has what it wants' {
            $shortcode = New-Shortcode
            foreach ($i in 1..20) { @($slow[0..9] | Send-IngestFile -Shortcode $shortcode -Again | Select-Object -First 3).Count | Should -Be 3 }
            Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 } 'the uploads end'
        }

        It 'when an error ends the pipeline' {
            $shortcode = New-Shortcode
            { $slow[0], (Join-Path $TestDrive 'missing.jpg'), $slow[1] | Send-IngestFile -Shortcode $shortcode -ErrorAction Stop } | Should -Throw -ErrorId 'FileNotFound,*'
            Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 } 'the uploads end'
        }

        It 'when what gives it files fails' {
            $shortcode = New-Shortcode
            { & { $slow[0]; throw 'no more' } | Send-IngestFile -Shortcode $shortcode } | Should -Throw 'no more'
            Wait-Until { (Get-SandboxConnection $sandbox).requestsInFlight -eq 0 } 'the uploads end'
        }
    }

    Context 'streams' {
        It 'results while files still come' {
            $shortcode = New-Shortcode
            $seen = [System.Collections.Generic.List[string]]::new()
            & {
                $files[0]
                foreach ($i in 1..1000) {
                    if ($seen.Count) { break }
                    Start-Sleep -Milliseconds 20
                    $files[1]
                }
            } | Send-IngestFile -Shortcode $shortcode -ErrorAction SilentlyContinue | ForEach-Object { $seen.Add($_.RemoteName) }
            # In the order in which they end: the second file may end first.
            $seen | Should -Contain 'one.jpg'
            $seen.Count | Should -BeLessThan 900
        }

        It 'more files than its queues hold, each once' {
            $shortcode = New-Shortcode
            $many = New-TestFile (Join-Path $TestDrive $shortcode) (1..3000 | ForEach-Object { "f$_.jpg" }) 10
            $results = $many | Send-IngestFile -Shortcode $shortcode
            $results.Count | Should -Be 3000
            @($results.RemoteName | Sort-Object -Unique).Count | Should -Be 3000
            @((Get-SandboxProject $sandbox $shortcode).waiting).Count | Should -Be 3000
        }

        It 'its messages to the streams they belong to' {
            $shortcode = New-Shortcode
            $all = Send-IngestFile $files[0] -Shortcode $shortcode -Verbose -Debug *>&1
            $all | Where-Object { $_ -is [System.Management.Automation.DebugRecord] } | Should -Not -BeNullOrEmpty
            $all | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] } | Should -Not -BeNullOrEmpty
            @($all | Where-Object { $_.PSObject.TypeNames -contains 'IngestTools.UploadResult' }).Count | Should -Be 1
        }
    }
}

Describe 'Send-IngestFile to VOSS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-VossOption $sandbox @{ requestsPerSecond = 0 }
        $book = New-TestWorkbook (Join-Path $TestDrive 'all users.xlsx') -Row @(, ('jane', 'jane@example.org'))
    }
    AfterAll { Stop-IngestSandbox }

    It 'sends a workbook, and tells the name that came back' {
        $sent = Send-IngestFile $book -Hierarchy sys.hcs.Provider
        $sent.Status, $sent.FileName, $sent.Hierarchy, $sent.Connection | Should -Be 'Uploaded', 'all users.xlsx', 'sys.hcs.Provider', 'Voss'
        $sent.Sha256 | Should -Be (Get-FileHash $book).Hash
    }

    It 'makes names that no other run has' {
        $names = 1..2 | ForEach-Object { (Send-IngestFile $book -Hierarchy sys.hcs.Provider -UniqueName).FileName }
        $names | Select-Object -Unique | Should -HaveCount 2
        $names[0] | Should -Match '^all users-\d{8}T\d{6}Z-[0-9a-f]{8}\.xlsx$'
    }

    It 'refuses what is not a workbook, with the reason, and sends the others' {
        $text = Join-Path $TestDrive 'list.xlsx'
        'Username,Email' | Set-Content $text
        $errors = @()
        $sent = Send-IngestFile $text, $book -Hierarchy sys.hcs.Provider -Again -ErrorAction SilentlyContinue -ErrorVariable errors
        $sent.Status | Sort-Object | Should -Be 'Uploaded', 'Failed'
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'NotAWorkbook,*'
        $errors[0].TargetObject | Should -Be $text
        "$($errors[0])" | Should -Match 'it is text'
    }

    It 'sends results again to their hierarchy' {
        $sent = Send-IngestFile $book -Hierarchy sys.hcs.Provider -UniqueName
        $again = $sent | Send-IngestFile -Again
        $again.FileName, $again.Hierarchy | Should -Be $sent.FileName, $sent.Hierarchy
    }

    It 'refuses what does not go together: <What>' -ForEach @(
        @{ What = 'a project and a hierarchy'; Arguments = @{ Hierarchy = 'sys'; Shortcode = '0001' } }
        @{ What = 'a hierarchy and folders'; Arguments = @{ Hierarchy = 'sys'; Destination = 'a' } }
        @{ What = 'a project and -UniqueName'; Arguments = @{ Shortcode = '0001'; UniqueName = $true } }
        @{ What = 'no place at all'; Arguments = @{} }
        @{ What = 'a hierarchy that cannot be'; Arguments = @{ Hierarchy = 'sys..hcs' } }
    ) {
        $failure = Get-FirstError { Send-IngestFile $book @Arguments }
        $failure.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
        $failure.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'names what it would send at -WhatIf' {
        Send-IngestFile $book -Hierarchy sys.hcs.Provider -WhatIf | Should -BeNullOrEmpty
    }
}
