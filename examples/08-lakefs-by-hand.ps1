#requires -Version 7.4
#requires -Modules IngestTools
<#
.SYNOPSIS
Makes ranges, a metarange and a commit by hand, on a lakeFS server of v0.65 to v0.110.

.DESCRIPTION
A commit of a metarange makes it the content of its branch, and the branch then holds nothing else. So it is made on a
branch of its own, which you merge when you have looked at it.

Keys that the object store lists out of order are in no range. The server keeps them under a staging token; they need a
second commit, and without it they are lost.

.PARAMETER Uri
The server's address.

.PARAMETER Credential
Access key and secret.

.PARAMETER Repository
The repository.

.PARAMETER Source
What to import, such as s3://bucket/prefix/.

.PARAMETER Prepend
What the keys get before their names.

.PARAMETER Branch
The branch into which you will merge.

.PARAMETER ImportBranch
The branch that is made for the import.

.EXAMPLE
$sandbox = Start-IngestSandbox
Invoke-RestMethod "$($sandbox.Uri)sandbox/lakefs/options" -Method Post -Body '{"version":"0.110.0"}' -NoProxy
$login = [pscredential]::new('AKIASANDBOX', (ConvertTo-SecureString sandbox -AsPlainText -Force))
./08-lakefs-by-hand.ps1 -Uri $sandbox.Uri -Credential $login -Repository lake -Source s3://bucket/prefix/ -Prepend raw/
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [uri] $Uri,
    [Parameter(Mandatory)] [pscredential] $Credential,
    [Parameter(Mandatory)] [string] $Repository,
    [Parameter(Mandatory)] [string] $Source,
    [string] $Prepend = '',
    [string] $Branch = 'main',
    [string] $ImportBranch = "import-$(Get-Date -Format yyyyMMdd-HHmmss)"
)

$ErrorActionPreference = 'Stop'
$connection = Connect-IngestService LakeFs $Uri -Credential $Credential -Name by-hand
$api = "$("$Uri".TrimEnd('/'))/api/v1/repositories/$([uri]::EscapeDataString($Repository))/branches"

# What has no cmdlet. Over plain http PowerShell sends credentials only with a switch; that is for this machine alone.
function Invoke-LakeFs([string] $Method, [string] $Route, [hashtable] $Body) {
    $request = @{
        Uri = "$api$Route"; Method = $Method; Body = ConvertTo-Json $Body; ContentType = 'application/json'
        Authentication = 'Basic'; Credential = $Credential; AllowUnencryptedAuthentication = $Uri.IsLoopback; NoProxy = $Uri.IsLoopback
    }
    Invoke-RestMethod @request
}

try {
    $ranges = New-ImportRange $Repository $Source -Prepend $Prepend -All -Connection $connection
    if (-not $ranges) { return }
    $metaRange = $ranges | New-ImportMetaRange
    Write-Host "$($metaRange.Count) keys in $($metaRange.Ranges) ranges, as metarange $($metaRange.Id)"

    $null = Invoke-LakeFs Post '' @{ name = $ImportBranch; source = $Branch }
    $commit = Invoke-LakeFs Post "/$ImportBranch/commits?source_metarange=$($metaRange.Id)" @{ message = "Import of $Source" }

    # What came out of order: the last range has the token, which New-ImportRange handed back each time.
    $stagingToken = @($ranges)[-1].StagingToken
    if ($stagingToken) {
        $null = Invoke-LakeFs Put "/$ImportBranch/update_token" @{ staging_token = $stagingToken }
        $commit = Invoke-LakeFs Post "/$ImportBranch/commits" @{ message = "Import of $Source, what came out of order" }
    }

    [pscustomobject]@{ Repository = $Repository; ImportBranch = $ImportBranch; CommitId = $commit.id; Count = $metaRange.Count }
    Write-Host "Look at the branch $ImportBranch, then merge it into $Branch."
}
finally { $connection | Disconnect-IngestService }
