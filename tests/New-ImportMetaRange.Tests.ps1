Describe 'New-ImportMetaRange' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        $sandbox = Start-IngestSandbox -Connect
        Set-LakeFsOption $sandbox @{ version = '0.110.0'; rangeSize = 400 }
        $ranges = New-ImportRange lake s3://bucket/prefix/ -All
        function Invoke-LakeFs([string] $Route, $Body) {
            $login = [Convert]::ToBase64String([System.Text.Encoding]::ASCII.GetBytes('AKIASANDBOX:sandbox'))
            Invoke-RestMethod "$($sandbox.Uri)api/v1/$Route" -Method Post -Body (ConvertTo-Json $Body) -ContentType application/json -Headers @{ Authorization = "Basic $login" } -NoProxy
        }
    }

    AfterAll { Stop-IngestSandbox }

    It 'makes one metarange of all ranges, that a commit can hold' {
        $metaRange = $ranges | New-ImportMetaRange
        $metaRange.PSObject.TypeNames[0] | Should -Be 'IngestTools.ImportMetaRange'
        $metaRange.Repository, $metaRange.Ranges, $metaRange.Count | Should -Be 'lake', 3, 1000
        Set-LakeFsBranch $sandbox by-hand @{ keys = @('gone') }
        $null = Invoke-LakeFs "repositories/lake/branches/by-hand/commits?source_metarange=$($metaRange.Id)" @{ message = 'by hand' }
        ((Get-LakeFsRepository $sandbox).branches | Where-Object name -EQ by-hand).count | Should -Be 1000
    }

    It 'serves the example script that commits, with what came out of order' {
        Set-LakeFsOption $sandbox @{ stagedPerRange = 3 }
        try {
            $example = Join-Path $PSScriptRoot '..' 'examples' '08-lakefs-by-hand.ps1'
            $login = [pscredential]::new('AKIASANDBOX', (ConvertTo-Secure sandbox))
            $made = & $example -Uri $sandbox.Uri -Credential $login -Repository lake -Source s3://bucket/prefix/ -Prepend in/ -ImportBranch made 6>$null
            $made.Count | Should -Be 994
            $branch = (Get-LakeFsRepository $sandbox).branches | Where-Object name -EQ made
            $branch.count, $branch.commitId | Should -Be 1000, $made.CommitId
        }
        finally { Set-LakeFsOption $sandbox @{ stagedPerRange = 0 } }
    }

    It 'knows ranges that were read from a file: <_>' -ForEach 'Clixml', 'Csv', 'Json' {
        (Use-File $ranges $_ | New-ImportMetaRange).Count | Should -Be 1000
    }

    It 'takes ranges as a parameter, for a repository that is named' {
        (New-ImportMetaRange -Repository lake -Range $ranges).Ranges | Should -Be 3
    }

    It 'refuses a range twice, and ranges without keys, before anything is sent' {
        $failed = Get-FirstError { $ranges[0], $ranges[0] | New-ImportMetaRange }
        $failed.FullyQualifiedErrorId | Should -BeLike 'Rejected,*'
        "$failed" | Should -Match 'given twice'
        $empty = [pscustomobject]@{ Repository = 'lake'; Id = 'x'; Count = 0 }
        "$(Get-FirstError { $empty | New-ImportMetaRange })" | Should -Match 'No range has a key'
    }

    It 'says what a range is where something else comes' {
        "$(Get-FirstError { [pscustomobject]@{ Repository = 'lake'; Count = 5 } | New-ImportMetaRange })" | Should -Match 'has no Id'
    }

    It 'makes nothing with -WhatIf' {
        $ranges | New-ImportMetaRange -WhatIf | Should -BeNullOrEmpty
    }

    It 'tells where metaranges ended' {
        Set-LakeFsOption $sandbox @{ version = '0.111.0' }
        try { "$(Get-FirstError { $ranges | New-ImportMetaRange })" | Should -Match 'v0\.111\.0' }
        finally { Set-LakeFsOption $sandbox @{ version = '0.110.0' } }
    }
}
