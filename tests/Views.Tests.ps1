#requires -Version 7.4
# Each view of IngestTools.Format.ps1xml as a console of 80, 100 and 200 columns shows it, against the files in tests/approved.
# views.ps1 says how to refresh them.
BeforeDiscovery {
    . "$PSScriptRoot/common.ps1"
    . "$PSScriptRoot/views.ps1"
    $cases = foreach ($view in Get-View) {
        foreach ($width in $script:ViewWidths) { @{ Name = $view.Name; View = $view.View; Kind = $view.Kind; Width = $width } }
    }
    $views = Get-View | ForEach-Object { @{ Name = $_.Name; Xml = $_.Xml } }
}

Describe 'Views' {
    BeforeAll {
        . "$PSScriptRoot/common.ps1"
        . "$PSScriptRoot/views.ps1"
    }

    It 'shows <Name> at <Width> columns as approved' -ForEach $cases {
        $approved = Join-Path $script:ApprovedFolder "$Name.$Width.txt"
        $approved | Should -Exist -Because 'a view has an approved file at each width'
        $text = Format-View $View $Kind $Width
        $text | Should -BeExactly ([System.IO.File]::ReadAllText($approved).Replace("`r`n", "`n"))
        # Nothing is cut, and no record is shown as code.
        $text | Should -Not -Match '…|\{ \w+ = |IngestTools\.[A-Z]'
        ($text -split "`n" | Measure-Object -Property Length -Maximum).Maximum | Should -BeLessThan $Width
    }

    It 'shows <Name> in colour with the same text' -ForEach $views {
        $kind = $Name.Split('.')[-1]
        $colored = Format-View $Name.Split('.')[0] $kind 100 Ansi
        $colored | Should -Match "`e\["
        [System.Management.Automation.Internal.StringDecorated]::new($colored).ToString('PlainText') |
            Should -BeExactly (Format-View $Name.Split('.')[0] $kind 100)
    }

    It 'has a view for each approved file' {
        $names = Get-View | ForEach-Object { foreach ($width in $script:ViewWidths) { "$($_.Name).$width.txt" } }
        (Get-ChildItem $script:ApprovedFolder).Name | Should -BeIn $names
    }

    It 'shows the id of a transaction whole where the console has room: <Width>' -ForEach @{ Width = 80; Count = 1 }, @{ Width = 100; Count = 2 } {
        $ids = (Get-ViewObject).Transaction.Id | Where-Object Length -GT 20
        $shown = Format-View Transaction Table $Width
        @($ids | Where-Object { $shown.Contains($_) }).Count | Should -Be $Count
    }
}
