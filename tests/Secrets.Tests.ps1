BeforeAll { . (Join-Path $PSScriptRoot 'common.ps1') }

Describe 'Twelve secrets, planted by every way in, while the server repeats them wherever it can write' {
    BeforeAll {
        # Characters that every encoding writes in another way; the test looks for the part that each of them keeps, and for the encoded forms.
        $names = 'TOKEN', 'PASSWORD', 'APIKEY', 'COOKIE', 'ENVIRONMENT', 'FILE', 'USERINFO', 'PROXY', 'VARIABLE', 'PRESIGNED', 'LAKECTL', 'PROFILE'
        $canary = [ordered]@{}
        foreach ($name in $names) { $canary[$name] = "Canary$name" + '7f3d+/9a1=b' + ($name.Length) }
        # The child must not have them on its command line, or in the text of its script, which each error quotes.
        foreach ($name in $names) { Set-Item "env:CANARY_$name" $canary[$name] }
        $env:CANARY_HOME = Join-Path $TestDrive home
        $env:CANARY_FILES = Join-Path $TestDrive files
        $env:CANARY_ECHO = Join-Path $PSScriptRoot EchoServer.cs
        $null = New-Item -ItemType Directory $env:CANARY_HOME, $env:CANARY_FILES
        $null = New-TestFile $env:CANARY_FILES one.jpg
        $null = New-TestWorkbook (Join-Path $env:CANARY_FILES users.xlsx) -Row @(, ('jane', 'jane@example.org'))

        $output = Invoke-Child -Argument $Manifest {
            # In a runspace of its own: progress cannot be redirected, and only the shell that runs a script keeps its records.
            $runspace = [runspacefactory]::CreateRunspace($Host)
            $runspace.Open()
            $shell = [powershell]::Create($runspace)
            $null = $shell.AddScript({
                param($manifest, $progress)
                Import-Module $manifest
                $ErrorActionPreference = 'Continue'
                $ProgressPreference = 'Continue'
                $env:INGESTTOOLS_HOME = $env:CANARY_HOME
                $env:LAKECTL_CONFIG_FILE = Join-Path $env:CANARY_FILES lakectl.yaml
                Add-Type -Path $env:CANARY_ECHO -WarningAction Ignore -IgnoreWarnings
                $secret = @{}
                Get-ChildItem env:CANARY_* | ForEach-Object { $secret[$_.Name -replace '^CANARY_'] = $_.Value }
                Get-ChildItem env:CANARY_* | Remove-Item
                function Secure($text) { $s = [securestring]::new(); foreach ($c in $text.ToCharArray()) { $s.AppendChar($c) }; $s }
                function Credential($user, $text) { [pscredential]::new($user, (Secure $text)) }
                # Before anything asks for the system's proxy, which a process looks up once.
                $servers = @{ proxy = [EchoServer]::new($null, $secret.PROXY) }
                $env:http_proxy = $servers.proxy.Uri -replace '//', "//user:$([uri]::EscapeDataString($secret.PROXY))@"
                $env:no_proxy = '127.0.0.1'
                $sandbox = Start-IngestSandbox -Option acceptAnyToken
                $servers.proxy.Sandbox = $sandbox.Uri
                $servers.proxy.IsProxy = $true
                function Set-Option($service, $body) { $null = Invoke-RestMethod "$($sandbox.Uri)sandbox/$service/options" -Method Post -Body (ConvertTo-Json $body) -ContentType application/json -NoProxy }
                Set-Option ica @{ apiKey = $secret.APIKEY; queueMs = 0 }
                Set-Option voss @{ password = $secret.PASSWORD; rowMs = 0; queueMs = 0 }
                Set-Option lakefs @{ secretAccessKey = $secret.LAKECTL; samlSession = $secret.COOKIE }
                [Telemetry]::Listen()
                function Server($name, [string[]] $known) { $servers[$name] = [EchoServer]::new($sandbox.Uri, $known); $servers[$name].Uri }
                $null = Start-Transcript (Join-Path $secret.FILES transcript.txt)
                $null = Start-IngestLog (Join-Path $env:INGESTTOOLS_HOME ingest.log)
                & {
                    $env:CANARY_IN_ENV = $secret.ENVIRONMENT
                    $secretFile = Join-Path $secret.FILES secret
                    [System.IO.File]::WriteAllText($secretFile, $secret.FILE)
                    if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($secretFile, 'UserRead, UserWrite') }
                    $profileFile = Join-Path $secret.FILES profile-secret
                    [System.IO.File]::WriteAllText($profileFile, $secret.PROFILE)
                    if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($profileFile, 'UserRead, UserWrite') }
                    $quick = @{ MaxAttempts = 1; OutageTimeout = 0; Verbose = $true; Debug = $true }
                    $local = $quick + @{ NoProxy = $true }
                    Connect-IngestService DspIngest (Server token $secret.TOKEN) -Name token -Token (Secure $secret.TOKEN) @local
                    Connect-IngestService Voss (Server password $secret.PASSWORD) -Name password -Credential (Credential hcsadmin@sys.hcs $secret.PASSWORD) @local
                    Connect-IngestService DspIngest (Server login $secret.PASSWORD) -Name login -Credential (Credential root@example.com $secret.PASSWORD) -AuthenticationUri $servers.login.Uri @local
                    $session = Server session $secret.PASSWORD
                    Connect-IngestService Voss $session -Name session -Credential (Credential hcsadmin@sys.hcs $secret.PASSWORD) -AuthenticationUri $session @local
                    Connect-IngestService Ica "$(Server apikey $secret.APIKEY)ica/rest" -Name apikey -ApiKey (Secure $secret.APIKEY) @local
                    # Unchecked, so that the first request is the import: the server cannot repeat what it was not told.
                    Connect-IngestService LakeFs (Server cookie $secret.COOKIE, $secret.PRESIGNED) -Name cookie -SessionCookie (Credential saml_auth_session $secret.COOKIE) -NoCheck @local
                    Connect-IngestService DspIngest (Server environment $secret.ENVIRONMENT) -Name environment -SecretFrom env:CANARY_IN_ENV @local
                    Connect-IngestService Ica "$(Server file $secret.FILE)ica/rest" -Name file -SecretFrom "file:$secretFile" @local
                    Connect-IngestService DspIngest (Server profile $secret.PROFILE) -Name profile -SecretFrom "file:$profileFile" -Save @local
                    foreach ($address in "https://user:$($secret.USERINFO)@127.0.0.1/", "https://host.example.org/?sig=$($secret.USERINFO)", "https://user:$($secret.USERINFO)@host:99999/", "user:$($secret.USERINFO)@host") {
                        Connect-IngestService DspIngest $address -Name userinfo @local
                        Connect-IngestService DspIngest https://host.example.org -Name userinfo -Proxy $address @quick
                        Connect-IngestService DspIngest https://host.example.org -Name userinfo -AuthenticationUri $address @local
                    }

                    Connect-IngestService DspIngest http://nowhere.example.org/ -Name proxy -Token (Secure $secret.TOKEN) -AllowInsecure @quick
                    $env:INGESTTOOLS_ICA_URI = "$(Server variable $secret.VARIABLE)ica/rest"
                    $env:INGESTTOOLS_ICA_APIKEY = $secret.VARIABLE
                    [System.IO.File]::WriteAllText($env:LAKECTL_CONFIG_FILE, "credentials:`n  access_key_id: AKIASANDBOX`n  secret_access_key: $($secret.LAKECTL)`nserver:`n  endpoint_url: $(Server lakectl $secret.LAKECTL, $secret.PRESIGNED)`n")
                    if (-not $IsWindows) { [System.IO.File]::SetUnixFileMode($env:LAKECTL_CONFIG_FILE, 'UserRead, UserWrite') }

                    $source = "s3://bucket/prefix/?X-Amz-Signature=$([uri]::EscapeDataString($secret.PRESIGNED))&other=$([uri]::EscapeDataString($secret.PRESIGNED))"
                    $picture = Join-Path $secret.FILES one.jpg
                    $book = Join-Path $secret.FILES users.xlsx
                    $project = '8e7d9d4c-0b9a-4b8e-9d57-5b7f0b1f2c3d'
                    $data = 1..2 | ForEach-Object { 'fil.{0:x32}' -f $_ }
                    $loud = @{ Verbose = $true; Debug = $true }
                    foreach ($mode in 'pass', 'words', 'fail', 'fail') {
                        foreach ($server in $servers.Values) { $server.Mode = $mode }
                        foreach ($c in 'token', 'login', 'environment', 'profile', 'proxy') {
                            Test-IngestService $c @loud
                            $sent = Send-IngestFile $picture -Shortcode 0001 -Connection $c -Again @loud
                            $sent
                            if ($c -eq 'token') {
                                Start-BulkIngest 0001 -Connection $c @loud | Wait-Transaction -Timeout 0.5 -PollInterval 0.1 -Connection $c @loud
                                Get-IngestMapping 0001 -Connection $c @loud
                                Get-IngestMapping 0001 -Connection $c -OutFile (Join-Path $secret.FILES mapping.csv) @loud
                                Complete-BulkIngest 0001 -Connection $c -Force -Confirm:$false @loud
                            }
                            Get-Transaction dsp:0001 -Connection $c @loud
                        }
                        # Ica and LakeFs are the connections of the environment and of lakectl's file. Without a name, a connection of the session would be used.
                    foreach ($c in 'apikey', 'file', 'Ica') {
                            $to = @{ Connection = $c }
                            Test-IngestService $c @loud
                            $batch = $data | New-LinkingBatch -ProjectId $project @to @loud
                            $batch
                            $batch | Wait-Transaction -Timeout 0.5 -PollInterval 0.1 @to @loud
                            $batch | Get-LinkingBatchItem @to @loud
                        }
                        foreach ($c in 'cookie', 'LakeFs') {
                            $to = @{ Connection = $c }
                            # First, so that the server cannot repeat what it was not told.
                            $import = Start-Import lake main $source raw/ @to @loud
                            $import
                            Test-IngestService $c -Repository lake @loud
                            $import | Wait-Transaction -Timeout 0.5 -PollInterval 0.1 @to @loud
                            $import | Stop-Transaction @to @loud
                            New-ImportRange lake $source @to @loud
                            Start-Import lake main $source raw/ @to -WhatIf
                        }
                        foreach ($c in 'password', 'session') {
                            Test-IngestService $c -Hierarchy sys.hcs.Provider @loud
                            $sent = Send-IngestFile $book -Hierarchy sys.hcs.Provider -Connection $c -Again @loud
                            $sent
                            $load = Start-BulkLoad -FileName users.xlsx -Hierarchy sys.hcs.Provider -Connection $c -Again @loud
                            $load
                            $load | Get-Transaction -Connection $c @loud
                            $load | Wait-Transaction -Timeout 0.5 -PollInterval 0.1 -Connection $c @loud
                            $load | Stop-Transaction -Connection $c @loud
                        }
                    }

                    foreach ($server in $servers.Values) { $server.Mode = 'pass' }
                    # A transaction that runs on, and whose status is the server's words, until its bar was shown: that takes a second.
                    Set-Option ica @{ queueMs = 600000 }
                    $batch = $data | New-LinkingBatch -ProjectId $project -Connection apikey @loud
                    $servers.apikey.Mode = 'words'
                    $before = $progress.Count
                    for ($i = 0; $i -lt 30 -and $progress.Count -eq $before; $i++) { $batch | Wait-Transaction -Timeout 2 -PollInterval 0.1 -Connection apikey @loud }
                    $servers.apikey.Mode = 'pass'
                    $scheduler = Start-IngestScheduler
                    Register-BulkLoadSchedule -Name secret -Source $source -Repository lake -Branch main -Connection profile -At (Get-Date).AddYears(1) @loud
                    Register-BulkLoadSchedule -Name kept -Path $picture -Shortcode 0001 -Connection profile -At (Get-Date).AddYears(1) @loud
                    Start-BulkLoadSchedule kept @loud | Wait-Transaction -Timeout 60 -PollInterval 0.2 @loud
                    Get-BulkLoadRun
                    Get-BulkLoadSchedule
                    Get-IngestConnection
                    Get-IngestConnection -Saved
                    Get-IngestJob
                    Get-Transaction -All
                    # What other accounts can see of a process.
                    if ($IsLinux) {
                        foreach ($id in $sandbox.ProcessId, $scheduler.ProcessId) { 'command line ' + [System.IO.File]::ReadAllText("/proc/$id/cmdline").Replace([char] 0, ' ') }
                    }

                    Stop-IngestScheduler
                } *>&1 | Tee-Object -Variable all | Out-String -Width 400 -Stream
                $null = Stop-Transcript
                Stop-IngestSandbox
                # A variable that stayed empty writes a null.
                $all = @($all | Where-Object { $null -ne $_ })
                foreach ($one in $all) {
                    # Each property of each object, and all that is behind an error. Other records have their text, which was written already.
                    if ($one -is [System.Management.Automation.InformationalRecord] -or $one -is [string]) { continue }
                    $one | Format-List * -Force | Out-String -Width 400 -Stream
                    if ($one -isnot [System.Management.Automation.ErrorRecord]) { $one | ConvertTo-Json -Depth 3 -WarningAction SilentlyContinue }
                    if ($one -is [System.Management.Automation.ErrorRecord]) {
                        "$($one.TargetObject) $($one.CategoryInfo) $($one.FullyQualifiedErrorId) $($one.ErrorDetails) $($one.Exception.ToString())"
                        for ($e = $one.Exception; $e; $e = $e.InnerException) { $e.GetType().FullName + $e.Message + ($e.Data.Values -join ' ') }
                    }
                }
                foreach ($e in $Error) { "$e"; if ($e.Exception) { $e.Exception.ToString() } }
                [Telemetry]::Seen
                Get-Content (Join-Path $secret.FILES transcript.txt)
                Stop-IngestLog
                'lines logged ' + @(Get-Content (Join-Path $env:INGESTTOOLS_HOME ingest.log)).Count
                foreach ($file in Get-ChildItem $env:INGESTTOOLS_HOME -Recurse -File -Force) { "file $($file.Name)"; [System.Text.Encoding]::Latin1.GetString([System.IO.File]::ReadAllBytes($file.FullName)) -replace '[^ -~]+', ' ' }
                'kinds ' + (($all | ForEach-Object { $_.GetType().Name } | Sort-Object -Unique) -join ' ')
                'errors ' + (($all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | ForEach-Object { ($_.FullyQualifiedErrorId -split ',')[0] } | Sort-Object -Unique) -join ' ')
                'without advice ' + @($all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] -and $_.Exception.GetType().Name -eq 'IngestException' -and -not $_.ErrorDetails.RecommendedAction }).Count
                'answers ' + ($servers.Values.Answers | Measure-Object -Sum).Sum
                foreach ($server in $servers.Keys) { "answers of $server $($servers[$server].Answers)" }
                foreach ($name in $secret.Keys) { foreach ($server in $servers.Keys) { if ($servers[$server].Heard($secret[$name])) { "$server was sent $name" } } }
                foreach ($server in $servers.Values) { $server.Dispose() }
            }).AddArgument($args[0]).AddArgument($shell.Streams.Progress)
            $shell.Invoke()
            foreach ($record in $shell.Streams.Progress) { "progress $($record.Activity) | $($record.StatusDescription) | $($record.CurrentOperation)" }
            foreach ($record in $shell.Streams.Error) { "error of the script $record $($record.Exception)" }
        } 2>&1 | ForEach-Object { "$_" }
        $all = $output -join "`n"
        Get-ChildItem env:CANARY_* | Remove-Item
    }

    It 'are nowhere: <_>' -ForEach 'TOKEN', 'PASSWORD', 'APIKEY', 'COOKIE', 'ENVIRONMENT', 'FILE', 'USERINFO', 'PROXY', 'VARIABLE', 'PRESIGNED', 'LAKECTL', 'PROFILE' {
        $value = $canary[$_]
        $forms = @($value, "Canary$_", [uri]::EscapeDataString($value), [Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes($value)).Substring(0, 16))
        $forms += [Convert]::ToBase64String([System.Text.Encoding]::UTF8.GetBytes("user:$value")).Substring(8, 12)
        $forms += -join ($value.Substring(0, 8).ToCharArray() | ForEach-Object { "&#$([int] $_);" })
        $forms += -join ($value.Substring(0, 8).ToCharArray() | ForEach-Object { '\u{0:x4}' -f [int] $_ })
        $forms.Where{ $all.Contains($_, [System.StringComparison]::OrdinalIgnoreCase) } | ForEach-Object {
            $at = $all.IndexOf($_, [System.StringComparison]::OrdinalIgnoreCase)
            $start = [Math]::Max(0, $at - 200)
            $all.Substring($start, [Math]::Min($all.Length - $start, 400))
        } | Should -BeNullOrEmpty
    }

    It 'were looked for in every stream, in what a listener hears, and in the journal' {
        ($output -match '^kinds ')[0] | Should -Match 'DebugRecord'
        ($output -match '^kinds ')[0] | Should -Match 'ErrorRecord'
        ($output -match '^kinds ')[0] | Should -Match 'VerboseRecord'
        ($output -match '^kinds ')[0] | Should -Match 'WarningRecord'
        ($output -match '^progress LinkingBatch .+ \| .*\*\*\*').Count | Should -BeGreaterThan 0
        $output -match '^error of the script' | Should -BeNullOrEmpty
        [int] (($output -match '^lines logged ')[0] -replace '\D') | Should -BeGreaterThan 100
        ($output -match '^activity ').Count | Should -BeGreaterThan 100
        ($output -match '^meter ').Count | Should -BeGreaterThan 100
        ($output -match '^file journal\.db').Count | Should -BeGreaterThan 0
        ($output -match '^file .*scheduler').Count | Should -BeGreaterThan 0
        if ($IsLinux) { ($output -match '^command line ').Count | Should -BeGreaterOrEqual 2 }
        foreach ($server in 'token', 'password', 'login', 'session', 'apikey', 'cookie', 'environment', 'file', 'profile', 'proxy', 'variable', 'lakectl') {
            $output -match "^answers of $server [1-9]" | Should -Not -BeNullOrEmpty -Because "the server of $server has to repeat it"
        }
        ($output -match '^errors ')[0] | Should -Match 'NotFound.*Rejected'
    }

    It 'were each sent to the server that repeats it, but one in an address that is refused' {
        $sent = $output -match '^\w+ was sent (TOKEN|PASSWORD|APIKEY|COOKIE|ENVIRONMENT|FILE|USERINFO|PROXY|VARIABLE|PRESIGNED|LAKECTL|PROFILE)$' | Sort-Object
        $sent | Should -Be (@(
            'token was sent TOKEN', 'proxy was sent TOKEN', 'password was sent PASSWORD', 'login was sent PASSWORD', 'session was sent PASSWORD', 'apikey was sent APIKEY', 'cookie was sent COOKIE'
            'environment was sent ENVIRONMENT', 'file was sent FILE', 'proxy was sent PROXY', 'variable was sent VARIABLE', 'cookie was sent PRESIGNED', 'lakectl was sent PRESIGNED'
            'lakectl was sent LAKECTL', 'profile was sent PROFILE') | Sort-Object)
    }

    It 'leave advice with each error' { ($output -match '^without advice ')[0] | Should -Be 'without advice 0' }

    It 'leave the rest of the words of a server' {
        ($output -match 'You sent \*\*\*').Count | Should -BeGreaterThan 0
    }
}
