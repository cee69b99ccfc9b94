Describe 'Connect-IngestService' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        $token = Get-SandboxToken $sandbox
        $file = New-TestFile $TestDrive 'one.jpg'
    }

    AfterEach {
        Get-IngestConnection | Disconnect-IngestService
        Get-IngestConnection -Saved | Disconnect-IngestService -Saved
        Get-ChildItem env:INGESTTOOLS_DSPINGEST_* | Remove-Item
    }

    AfterAll { Stop-IngestSandbox }

    It 'takes a day for an attempt, and no more' {
        (Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Name patient -TimeoutSec 86400 -MaxAttempts 1).Name | Should -Be 'patient'
        Disconnect-IngestService patient
        { Connect-IngestService DspIngest http://127.0.0.1:1/ -TimeoutSec 86401 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    Context '-OutageTimeout' {
        It 'takes a number as seconds, a time span, and 0' {
            foreach ($case in @{ Given = 90; Seconds = 90 }, @{ Given = '90'; Seconds = 90 }, @{ Given = '00:05:00'; Seconds = 300 }, @{ Given = 0; Seconds = 0 }) {
                $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -Name outage -SecretFrom env:NOWHERE -OutageTimeout $case.Given -Save
                (Get-IngestConnection outage -Saved).OutageTimeoutSeconds | Should -Be $case.Seconds
            }
            Get-IngestConnection outage -Saved | Format-List | Out-String | Should -Match 'OutageTimeoutSeconds *: 0'
        }

        It 'is not in a profile that was saved without it' {
            $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -Name outage -SecretFrom env:NOWHERE -Save
            (Get-IngestConnection outage -Saved).OutageTimeoutSeconds | Should -BeNullOrEmpty
        }

        It 'is not negative' {
            { Connect-IngestService DspIngest $sandbox.Uri -OutageTimeout -1 } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,*'
        }

        It 'waits for a server that is down, warns once, and says in the error how long' {
            $null = Connect-IngestService DspIngest http://127.0.0.1:1/ -NoCheck -Token (ConvertTo-Secure x) -OutageTimeout 3
            $files = 1..20 | ForEach-Object { New-TestFile $TestDrive "outage$_.jpg" }
            $results = $files | Send-IngestFile -Shortcode 0001 -WarningVariable warnings -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
            @($warnings -match 'has been unavailable since') | Should -HaveCount 1
            "$warnings" | Should -Match '127\.0\.0\.1:1 has been unavailable since \d\d:\d\d:\d\d\. Waiting up to 3 s'
            $results | Should -HaveCount 20
            $results.Error.ErrorId | Select-Object -Unique | Should -Be 'ConnectionFailed'
            $results[0].Error.Message | Should -Match 'this call waited 3 s'
        }
    }

    Context 'signs in with' {
        It 'a token' {
            $connection = Connect-IngestService DspIngest $sandbox.Uri -Token (ConvertTo-Secure $token)
            $connection.PSObject.TypeNames[0] | Should -Be 'IngestTools.Connections.IngestConnection'
            $connection.SignIn | Should -Be 'Token'
            (Test-IngestService).SignedIn | Should -BeTrue
        }

        It 'a user name and a password, at another address' {
            $credential = [pscredential]::new('root@example.com', (ConvertTo-Secure 'test'))
            (Connect-IngestService DspIngest $sandbox.Uri -AuthenticationUri $sandbox.Uri -Credential $credential).UserName | Should -Be 'root@example.com'
            (Test-IngestService).SignedIn | Should -BeTrue
        }

        It 'a secret from the environment' {
            $env:INGESTTOOLS_TEST_SECRET = $token
            try {
                $null = Connect-IngestService DspIngest $sandbox.Uri -SecretFrom env:INGESTTOOLS_TEST_SECRET
                (Test-IngestService).SignedIn | Should -BeTrue
            }
            finally { Remove-Item env:INGESTTOOLS_TEST_SECRET }
        }

        It 'a secret from a file that nobody else can read' -Skip:$IsWindows {
            $secret = Join-Path $TestDrive 'secret'
            Set-Content $secret $token
            chmod 600 $secret
            $null = Connect-IngestService DspIngest $sandbox.Uri -SecretFrom "file:$secret"
            (Test-IngestService).SignedIn | Should -BeTrue
        }

        It 'a secret from a file beside the session, and a profile that finds it from anywhere' {
            Push-Location $TestDrive
            try { $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -Name beside -SecretFrom file:./token -Save }
            finally { Pop-Location }
            (Get-IngestConnection beside -Saved).SecretFrom | Should -Be "file:$(Join-Path $TestDrive token)"
            Disconnect-IngestService beside -Saved
        }

        It 'no secret from a file that others can read' -Skip:$IsWindows {
            $secret = Join-Path $TestDrive 'open-secret'
            Set-Content $secret $token
            chmod 644 $secret
            $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -SecretFrom "file:$secret"
            (Get-FirstError { [CmdletBinding()] param() Get-IngestMapping 0001 }).FullyQualifiedErrorId | Should -BeLike 'SecretUnavailable,*'
        }

        It 'no secret from a vault without the module that reads vaults' -Skip:([bool] (Get-Module -ListAvailable Microsoft.PowerShell.SecretManagement)) {
            $null = Connect-IngestService DspIngest $sandbox.Uri -NoCheck -SecretFrom vault:token
            $failure = Get-FirstError { [CmdletBinding()] param() Get-IngestMapping 0001 }
            $failure.FullyQualifiedErrorId | Should -BeLike 'SecretUnavailable,*'
            "$failure" | Should -Match 'SecretManagement'
        }

        It 'a text that is read from a vault' {
            $modules = Join-Path $TestDrive 'modules'
            $module = Join-Path $modules 'Microsoft.PowerShell.SecretManagement' '1.0.0'
            $null = New-Item -ItemType Directory $module
            Set-Content (Join-Path $module 'Microsoft.PowerShell.SecretManagement.psm1') "function Get-Secret { param(`$Name, `$Vault) if (`$Vault -eq 'team') { ConvertTo-SecureString '$token' -AsPlainText -Force } }"
            New-ModuleManifest (Join-Path $module 'Microsoft.PowerShell.SecretManagement.psd1') -ModuleVersion 1.0.0 -RootModule 'Microsoft.PowerShell.SecretManagement.psm1' -FunctionsToExport Get-Secret
            $path = $env:PSModulePath
            $env:PSModulePath = $modules + [System.IO.Path]::PathSeparator + $path
            try {
                $null = Connect-IngestService DspIngest $sandbox.Uri -SecretFrom vault:team/dsp
                (Test-IngestService).SignedIn | Should -BeTrue
            }
            finally { $env:PSModulePath = $path }
        }

        It 'no plain text' {
            { Connect-IngestService DspIngest $sandbox.Uri -Token 'plain' } | Should -Throw -ErrorId 'CannotConvertArgumentNoMessage,*'
        }
    }

    Context 'tries the sign-in' {
        BeforeEach { $before = @(Get-EndedRequest $sandbox).Count }

        It 'and says that the credentials were taken' {
            $connection = Connect-IngestService DspIngest $sandbox.Uri -Token (ConvertTo-Secure $token) -Verbose 4>&1
            "$($connection[0..($connection.Count - 2)])" | Should -Match 'takes the credentials'
            $connection[-1].SignedIn | Should -BeTrue
            $connection[-1] | Format-List | Out-String | Should -Match 'SignedIn *: True'
        }

        It 'and makes no connection, nor a profile, where they are wrong' {
            $env:INGESTTOOLS_TEST_SECRET = 'x.y.z'
            try {
                $failure = Get-FirstError { [CmdletBinding()] param() Connect-IngestService DspIngest $sandbox.Uri -Name wrong -SecretFrom env:INGESTTOOLS_TEST_SECRET -Save }
            }
            finally { Remove-Item env:INGESTTOOLS_TEST_SECRET }
            $failure.FullyQualifiedErrorId | Should -BeLike 'NotSignedIn,*'
            $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
            $failure.ErrorDetails.RecommendedAction | Should -Match '-NoCheck'
            Get-IngestConnection | Should -BeNullOrEmpty
            Get-IngestConnection -Saved | Should -BeNullOrEmpty
        }

        It 'and makes none where nothing answers' {
            $failure = Get-FirstError { [CmdletBinding()] param() Connect-IngestService DspIngest http://127.0.0.1:1/ -Token (ConvertTo-Secure x) -MaxAttempts 1 }
            $failure.FullyQualifiedErrorId | Should -BeLike 'ConnectionFailed,*'
            $failure.ErrorDetails.RecommendedAction | Should -Match '-NoCheck'
            Get-IngestConnection | Should -BeNullOrEmpty
        }

        It 'not at -NoCheck, which sends nothing' {
            $connection = Connect-IngestService DspIngest $sandbox.Uri -Token (ConvertTo-Secure 'x.y.z') -NoCheck
            $connection.SignedIn | Should -BeNullOrEmpty
            @(Get-EndedRequest $sandbox).Count | Should -Be $before
        }
    }

    Context '-ProxyCredential' {
        It 'goes with -Proxy only' {
            $credential = [pscredential]::new('me', (ConvertTo-Secure 'canary-proxy'))
            { Connect-IngestService DspIngest $sandbox.Uri -ProxyCredential $credential } | Should -Throw -ErrorId 'Rejected,*'
        }

        It 'is saved nowhere' {
            $credential = [pscredential]::new('me', (ConvertTo-Secure 'canary-proxy'))
            { Connect-IngestService DspIngest $sandbox.Uri -Name proxied -SecretFrom env:NOTHING -Proxy http://127.0.0.1:1 -ProxyCredential $credential -NoCheck -Save } |
                Should -Throw -ErrorId 'SecretUnavailable,*'
            Get-IngestConnection -Saved | Should -BeNullOrEmpty
            $connection = Connect-IngestService DspIngest $sandbox.Uri -Proxy http://127.0.0.1:1 -ProxyCredential $credential -NoCheck
            $connection | Format-List * -Force | Out-String | Should -Not -Match 'canary'
            $connection | ConvertTo-Json -Depth 4 -WarningAction SilentlyContinue | Should -Not -Match 'canary'
        }
    }

    Context 'refuses' {
        It '<Name>' -ForEach @(
            @{ Name = 'an address that is none'; Uri = 'ftp://example.org'; Id = 'Rejected' }
            @{ Name = 'a password in the address'; Uri = 'https://me:secret@example.org'; Id = 'Rejected' }
            @{ Name = 'plain http to another machine'; Uri = 'http://ingest.example.org'; Id = 'InsecureConnection' }
        ) {
            { Connect-IngestService DspIngest $Uri -Token (ConvertTo-Secure x) } | Should -Throw -ErrorId "$Id,IngestTools.PowerShell.Commands.ConnectIngestServiceCommand"
        }

        It 'to save a secret that was given' {
            { Connect-IngestService DspIngest $sandbox.Uri -Token (ConvertTo-Secure x) -Save } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
        }
    }

    Context 'is remembered' {
        It 'by the session: the newest of a service is used, a name names one' {
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name first -Token (ConvertTo-Secure $token)
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name second -Token (ConvertTo-Secure $token)
            (Send-IngestFile $file -Shortcode 0001).Connection | Should -Be 'second'
            (Send-IngestFile $file -Shortcode 0001 -Connection FIRST).Connection | Should -Be 'first'
            (Send-IngestFile $file -Shortcode 0001 -Connection (Get-IngestConnection first)).Connection | Should -Be 'first'
        }

        It 'by no other runspace' {
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name mine -Token (ConvertTo-Secure $token)
            $others = 1 | ForEach-Object -Parallel { Import-Module $using:Manifest; @(Get-IngestConnection).Count }
            $others | Should -Be 0
        }

        It 'as a profile, which a new session uses by its name or as the default' {
            $env:INGESTTOOLS_TEST_SECRET = $token
            try {
                $null = Connect-IngestService DspIngest $sandbox.Uri -Name archive -SecretFrom env:INGESTTOOLS_TEST_SECRET -Save -Default
                Get-IngestConnection | Disconnect-IngestService
                $saved = Get-IngestConnection archive -Saved
                $saved.Service | Should -Be 'DspIngest'
                $saved.IsDefault | Should -BeTrue
                Invoke-Child -Argument $file { (Send-IngestFile $args[0] -Shortcode 0001).Connection } | Should -Be 'archive'
                (Send-IngestFile $file -Shortcode 0001 -Connection archive).Connection | Should -Be 'archive'
                Get-Content (Join-Path $env:INGESTTOOLS_HOME profiles.json) -Raw | Should -Not -Match ([regex]::Escape($token))
            }
            finally { Remove-Item env:INGESTTOOLS_TEST_SECRET }
        }

        It 'without a profile and without a connection at -WhatIf: <_>' -ForEach @{ Save = $true }, @{} {
            $save = $_
            Connect-IngestService DspIngest $sandbox.Uri -NoCheck -Name archive -SecretFrom env:NOTHING @save -WhatIf | Should -BeNullOrEmpty
            Get-IngestConnection -Saved | Should -BeNullOrEmpty
            Get-IngestConnection | Where-Object Name -EQ archive | Should -BeNullOrEmpty
        }

        It 'by the environment' {
            Invoke-Child -Argument $sandbox.Uri, $token, $file {
                param($uri, $token, $file)
                $env:INGESTTOOLS_DSPINGEST_URI = $uri
                $env:INGESTTOOLS_DSPINGEST_TOKEN = $token
                "$((Send-IngestFile $file -Shortcode 0001 -Again).Status)"
            } | Should -Be 'Uploaded'
        }
    }

    Context 'completes' {
        It 'where a secret is, by the names of variables' {
            $env:INGEST_COMPLETED = 'canary'
            try {
                $text = 'Connect-IngestService Voss http://127.0.0.1 -SecretFrom env:INGEST_COMPL'
                (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Be 'env:INGEST_COMPLETED'
                $text = 'Connect-IngestService Voss http://127.0.0.1 -SecretFrom '
                (TabExpansion2 $text $text.Length).CompletionMatches.CompletionText | Should -Contain 'file:'
            }
            finally { Remove-Item env:INGEST_COMPLETED }
        }

        It 'the names of connections' {
            $null = Connect-IngestService DspIngest $sandbox.Uri -Name 'my archive' -Token (ConvertTo-Secure $token)
            $text = 'Send-IngestFile x -Shortcode 0001 -Connection my'
            $found = [System.Management.Automation.CommandCompletion]::CompleteInput($text, $text.Length, $null).CompletionMatches
            $found.CompletionText | Should -Be "'my archive'"
        }
    }
}

Describe 'Connect-IngestService, to lakeFS' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox
        Set-LakeFsOption $sandbox @{ oidcSession = 'oidc-canary'; samlSession = 'saml-canary' }
        function New-Credential([string] $Name, [string] $Secret) { [pscredential]::new($Name, (ConvertTo-Secure $Secret)) }
    }

    AfterEach { Get-IngestConnection | Disconnect-IngestService }
    AfterAll { Stop-IngestSandbox }

    It 'takes an access key and its secret, with the address in either form: <_>' -ForEach '', 'api/v1', 'api/v1/' {
        $null = Connect-IngestService LakeFs "$($sandbox.Uri)$_" -Credential (New-Credential AKIASANDBOX sandbox)
        (Test-IngestService).SignedIn | Should -BeTrue
    }

    It 'exchanges them for a token where it is told where' {
        $null = Connect-IngestService LakeFs $sandbox.Uri -AuthenticationUri $sandbox.Uri -Credential (New-Credential AKIASANDBOX sandbox)
        (Test-IngestService).SignedIn | Should -BeTrue
        $null = Invoke-Sandbox $sandbox 'lakefs/tokens/expire' Post
        (Test-IngestService).SignedIn | Should -BeTrue
        @(Get-EndedRequest $sandbox | Where-Object target -Like '*/auth/login').Count | Should -Be 2
    }

    It 'takes the session cookie <Name>' -ForEach @{ Name = 'oidc_auth_session'; Value = 'oidc-canary' }, @{ Name = 'saml_auth_session'; Value = 'saml-canary' } {
        $null = Connect-IngestService LakeFs $sandbox.Uri -SessionCookie (New-Credential $Name $Value)
        (Test-IngestService).SignedIn | Should -BeTrue
        $null = Connect-IngestService LakeFs $sandbox.Uri -NoCheck -SessionCookie (New-Credential $Name wrong)
        (Test-IngestService).SignedIn | Should -BeFalse
    }

    It 'refuses what lakeFS does not know' {
        { Connect-IngestService LakeFs $sandbox.Uri -ApiKey (ConvertTo-Secure x) } | Should -Throw -ErrorId 'Rejected,*'
        { Connect-IngestService LakeFs $sandbox.Uri -SessionCookie (New-Credential session x) } | Should -Throw -ExpectedMessage '*no session cookie*'
    }

    It 'finds the settings of lakectl, and neither prints nor saves their secret' {
        $said = Invoke-Child -Argument $sandbox.Uri, (Join-Path $TestDrive 'home') {
            param($uri, $folder)
            $null = New-Item -ItemType Directory $folder -Force
            $env:LAKECTL_CONFIG_FILE = Join-Path $folder '.lakectl.yaml'
            $env:INGESTTOOLS_HOME = $folder
            "credentials:`n    access_key_id: AKIASANDBOX`n    secret_access_key: sandbox`nserver:`n    endpoint_url: $uri" | Set-Content $env:LAKECTL_CONFIG_FILE
            (Test-IngestService -Service LakeFs).SignedIn
            $all = & { Get-IngestConnection | Format-List * -Force; Get-IngestConnection | ConvertTo-Json -Depth 3 -WarningAction SilentlyContinue; Start-Import lake main s3://bucket/prefix/ raw/ -Verbose -Debug } *>&1 | Out-String
            $all -match '\bsandbox\b' -and $all -notmatch 'AKIA'
            $all -match 'secret_access_key'
            (Get-ChildItem $folder -Recurse -File -Force -Exclude 'journal.db*').Name
        }
        $said | Should -Be 'True', 'False', 'False', '.lakectl.yaml'
    }

    It 'lets the variables of lakectl count more than its file' {
        $said = Invoke-Child -Argument $sandbox.Uri, $TestDrive {
            param($uri, $folder)
            $env:LAKECTL_CONFIG_FILE = Join-Path $folder 'lakectl.yaml'
            "credentials:`n    access_key_id: other`n    secret_access_key: other`nserver:`n    endpoint_url: http://127.0.0.1:1" | Set-Content $env:LAKECTL_CONFIG_FILE
            $env:LAKECTL_SERVER_ENDPOINT_URL = $uri
            $env:LAKECTL_CREDENTIALS_ACCESS_KEY_ID = 'AKIASANDBOX'
            $env:LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY = 'sandbox'
            (Test-IngestService -Service LakeFs).SignedIn
        }
        $said | Should -Be 'True'
    }
}
