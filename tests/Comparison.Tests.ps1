# README compares IngestTools with four other tools, in forty rows. What each row says of IngestTools is proved here: by tests that do it, by
# names that exist, and for a "no" by the absence of whatever would do it.
BeforeDiscovery {
    . (Join-Path $PSScriptRoot comparison.ps1)
    $rows = @(Get-ComparisonRow (Join-Path $PSScriptRoot '..' README.md))
    $proofs = Get-ComparisonProof
    $others = @($rows | Where-Object IngestTools -NE 'no' | ForEach-Object { @{ Row = $_; Proof = $proofs[$_.Name] } })
    $missing = @($rows | Where-Object IngestTools -EQ 'no' | ForEach-Object { @{ Row = $_; Proof = $proofs[$_.Name] } })
}

Describe 'The comparison with other tools' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        . (Join-Path $PSScriptRoot comparison.ps1)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
        $rows = @(Get-ComparisonRow (Join-Path $root README.md))
    }

    It 'has forty rows, each with a proof, and no proof without a row' {
        $rows | Should -HaveCount 40
        (Get-ComparisonProof).Keys | Sort-Object | Should -Be @($rows.Name | Sort-Object)
    }

    It 'has short cells' {
        foreach ($row in $rows) {
            foreach ($cell in $row.AzCopy, $row.rclone, $row.restic, $row.'dsp-tools', $row.IngestTools) {
                $cell | Should -Match '^(yes|no|partly|`[^`|]{2,25}`)$' -Because $row.Name
            }
        }
    }

    It 'says what "partly" stands for at IngestTools' {
        $partly = @($rows | Where-Object IngestTools -EQ partly)
        $notes = Get-ComparisonNote (Join-Path $root README.md)
        $notes | Should -HaveCount $partly.Count
    }

    It 'is proved: <Row.Name>' -ForEach $others {
        if ($Row.IngestTools.StartsWith('`')) {
            $name = $Row.IngestTools.Trim('`')
            $command = $name.StartsWith('-') ? (Get-Command $Proof.Command -Module IngestTools) : (Get-Command $name -Module IngestTools)
            if ($name.StartsWith('-')) { $command.Parameters.Keys | Should -Contain $name.Substring(1) }
        }
        $Proof.Tests | Should -Not -BeNullOrEmpty
        $Proof.Tests | Where-Object { -not (Test-Proof $_ $root) } | Should -BeNullOrEmpty
    }

    It 'is not there: <Row.Name>' -ForEach $missing {
        $Proof.Absent | Where-Object { $_ } | ForEach-Object { Find-Feature $_ } | Should -BeNullOrEmpty
        if ($Proof.Holds) { & $Proof.Holds $root | Should -BeTrue }
        [bool] $Proof.Absent -or [bool] $Proof.Holds | Should -BeTrue
    }
}

Describe 'The proofs of the comparison' {
    BeforeAll {
        . (Join-Path $PSScriptRoot common.ps1)
        . (Join-Path $PSScriptRoot comparison.ps1)
        $root = (Resolve-Path (Join-Path $PSScriptRoot '..')).ProviderPath
    }

    It 'are not taken where <What>' -ForEach @(
        @{ What = 'no Pester test has the name'; Proof = 'Journal.Tests.ps1: lets the same line send everything' }
        @{ What = 'the file does not exist'; Proof = 'Nothing.Tests.ps1: does it' }
        @{ What = 'no xunit test has the name'; Proof = 'UploadTests.Progress_ends' }
        @{ What = 'the method is not a test'; Proof = 'UploadTests.FirstAsync' }
    ) {
        Test-Proof $Proof $root | Should -BeFalse
    }

    It 'find <What> that exists' -ForEach @(
        @{ What = 'a parameter'; Feature = 'Send-IngestFile -*Bytes*'; Found = 'Send-IngestFile -MaxBytesPerSecond' }
        @{ What = 'a command'; Feature = 'Get-IngestJo*'; Found = 'Get-IngestJob' }
    ) {
        Find-Feature $Feature | Should -Be $Found
    }
}
