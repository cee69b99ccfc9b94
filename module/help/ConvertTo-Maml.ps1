#requires -Version 7.4
<#
.SYNOPSIS
Makes the files that Get-Help reads from the Markdown pages beside this script.

.DESCRIPTION
Verb-Noun.md becomes a command in <Destination>/IngestTools.dll-Help.xml, about_Topic.md becomes <Destination>/about_Topic.help.txt.

A page tells what code cannot tell. Syntax, types, positions, aliases, defaults and pipeline input are read from the compiled
cmdlets, so the script imports the module and belongs in a process of its own. It fails, and lists every reason, when a cmdlet
has no page, a page no cmdlet, a parameter no help, or help no parameter.

A page has these sections in this order; NOTES may be left out, nothing else, and nothing else may be there:

    # Verb-Noun
    ## SYNOPSIS         one paragraph
    ## DESCRIPTION      paragraphs and lists
    ## EXAMPLES         ### title: a ```powershell block, what it prints as a ```text block if that helps, then remarks
    ## PARAMETERS       ### -Name: paragraphs; in the order in which help shall show them
    ## INPUTS           ### Full.Type.Name, or None: paragraphs
    ## OUTPUTS          ### Full.Type.Name, or None: paragraphs; the types of the cmdlet's [OutputType]
    ## NOTES            paragraphs
    ## RELATED LINKS    a list of cmdlets and about topics

.PARAMETER Manifest
The module's manifest, in a folder that is complete but for the help.

.PARAMETER Destination
The folder that is written; Get-Help looks in en-US beside the manifest.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Manifest,
    [Parameter(Mandatory)] [string] $Destination
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3

$requiredSections = 'SYNOPSIS', 'DESCRIPTION', 'EXAMPLES', 'PARAMETERS', 'INPUTS', 'OUTPUTS', 'RELATED LINKS'
$knownSections = 'SYNOPSIS', 'DESCRIPTION', 'EXAMPLES', 'PARAMETERS', 'INPUTS', 'OUTPUTS', 'NOTES', 'RELATED LINKS'

# What every cmdlet means by them, so no page repeats it.
$sharedParameters = [ordered]@{
    WhatIf  = 'Says what would be done, and changes nothing.'
    Confirm = 'Asks before anything is changed. -Confirm:$false never asks.'
}
$commonParameters = [System.Management.Automation.Cmdlet]::CommonParameters

$problems = [System.Collections.Generic.List[string]]::new()

#region Markdown

# Text as a console shows it: no backticks, no emphasis, links by their words.
function ConvertFrom-Inline([string] $Text) {
    $Text -replace '\[([^\]]+)\]\([^)]+\)', '$1' -replace '`([^`]+)`', '$1' -replace '\*\*([^*]+)\*\*', '$1'
}

# The blocks of a page in order: Heading (with Level), Code (with Language), Item (of a list) and Text.
function Read-Block([string] $Path) {
    $text = [System.Collections.Generic.List[string]]::new()
    $kind = 'Text'
    $fence = $null
    $emit = {
        if ($text.Count -gt 0) {
            [pscustomobject]@{ Kind = $kind; Level = 0; Language = ''; Text = (ConvertFrom-Inline ($text -join ' ')) }
            $text.Clear()
        }
    }
    foreach ($line in Get-Content -LiteralPath $Path -Encoding utf8) {
        if ($null -ne $fence) {
            if ($line -eq '```') {
                [pscustomobject]@{ Kind = 'Code'; Level = 0; Language = $fence; Text = $text -join "`n" }
                $text.Clear()
                $fence = $null
            }
            else { $text.Add($line) }
        }
        elseif ($line -match '^```(\w*)$') {
            . $emit
            $fence = $Matches[1]
        }
        elseif ($line -match '^(#{1,3}) (.+)$') {
            . $emit
            [pscustomobject]@{ Kind = 'Heading'; Level = $Matches[1].Length; Language = ''; Text = $Matches[2].Trim() }
        }
        elseif ($line -match '^- (.+)$') {
            . $emit
            $kind = 'Item'
            $text.Add($Matches[1])
        }
        elseif ($line.Trim() -eq '') {
            . $emit
            $kind = 'Text'
        }
        else { $text.Add($line.Trim()) }
    }
    . $emit
    if ($null -ne $fence) { $problems.Add("$(Split-Path -Leaf $Path): a code block is not closed.") }
}

# A page as a tree: its name, and each section with its blocks and its ### entries.
function Read-Page([string] $Path) {
    $page = [pscustomobject]@{ Name = $null; File = (Split-Path -Leaf $Path); Sections = [ordered]@{} }
    $section = $entry = $null
    foreach ($block in Read-Block $Path) {
        if ($block.Kind -ne 'Heading') {
            if ($entry) { $entry.Blocks.Add($block) }
            elseif ($section) { $section.Blocks.Add($block) }
            else { $problems.Add("$($page.File): there is text before the first section.") }
            continue
        }
        switch ($block.Level) {
            1 { $page.Name = $block.Text }
            2 {
                $entry = $null
                $section = [pscustomobject]@{
                    Blocks  = [System.Collections.Generic.List[object]]::new()
                    Entries = [System.Collections.Generic.List[object]]::new()
                }
                if ($page.Sections.Contains($block.Text)) { $problems.Add("$($page.File): section $($block.Text) is there twice.") }
                $page.Sections[$block.Text] = $section
            }
            3 {
                $entry = [pscustomobject]@{ Title = $block.Text; Blocks = [System.Collections.Generic.List[object]]::new() }
                if ($section) { $section.Entries.Add($entry) }
                else { $problems.Add("$($page.File): '$($block.Text)' is in no section.") }
            }
        }
    }
    $page
}

#endregion

#region What the code tells

function Get-TypeName([type] $Type) {
    $Type = [Nullable]::GetUnderlyingType($Type) ?? $Type
    if ($Type -eq [switch]) { 'SwitchParameter' } else { $Type.Name }
}

# The words a parameter takes, where they are a closed list.
function Get-ValueList([System.Management.Automation.CommandParameterInfo] $Parameter) {
    $set = $Parameter.Attributes.Where({ $_ -is [ValidateSet] }, 'First')
    if ($set) { return $set[0].ValidValues }
    $type = $Parameter.ParameterType.IsArray ? $Parameter.ParameterType.GetElementType() : $Parameter.ParameterType
    $type = [Nullable]::GetUnderlyingType($type) ?? $type
    if ($type.IsEnum) { [Enum]::GetNames($type) }
}

function Get-PipelineInput([System.Management.Automation.CommandParameterInfo] $Parameter) {
    $ways = @(
        if ($Parameter.ValueFromPipeline) { 'ByValue' }
        if ($Parameter.ValueFromPipelineByPropertyName) { 'ByPropertyName' }
    )
    if ($ways) { "True ($($ways -join ', '))" } else { 'False' }
}

# What a parameter is when it is not given: the value that a fresh instance of the cmdlet has.
function Get-DefaultValue($Command, $Parameter) {
    if ($Parameter.ParameterType -eq [switch]) { return 'False' }
    $property = $Command.ImplementingType.GetProperty($Parameter.Name)
    if ($Parameter.IsMandatory -or -not $property) { return 'None' }
    $cmdlet = [Activator]::CreateInstance($Command.ImplementingType)
    try { $value = $property.GetValue($cmdlet) }
    finally { if ($cmdlet -is [System.IDisposable]) { $cmdlet.Dispose() } }
    if ($null -eq $value -or @($value).Count -eq 0) { 'None' } else { @($value) -join ', ' }
}

# The parameters of a set that help shows.
function Get-ShownParameter([System.Management.Automation.CommandParameterSetInfo] $Set) {
    $Set.Parameters.Where({ $_.Name -notin $commonParameters -and -not $_.Attributes.Where({ $_ -is [Parameter] -and $_.DontShow }) })
}

# The same as the syntax line orders them: by position, then mandatory ones, then the rest, each as the page has them.
function Get-SyntaxParameter([System.Management.Automation.CommandParameterSetInfo] $Set, [string[]] $PageOrder) {
    Get-ShownParameter $Set | Sort-Object -Property { $_.Position -lt 0 ? [int]::MaxValue : $_.Position }, { -not $_.IsMandatory },
        { $PageOrder.IndexOf($_.Name) }
}

#endregion

#region Checks

function Test-Page($Page, $Command) {
    $file = $Page.File
    $before = $problems.Count
    foreach ($name in $requiredSections) {
        if (-not $Page.Sections.Contains($name)) { $problems.Add("${file}: section $name is missing.") }
    }
    foreach ($name in $Page.Sections.Keys) {
        if ($name -cnotin $knownSections) { $problems.Add("${file}: section $name is unknown.") }
    }
    $order = @($Page.Sections.Keys.Where({ $_ -cin $knownSections }))
    if (($order -join '|') -cne ($knownSections.Where({ $_ -cin $order }) -join '|')) {
        $problems.Add("${file}: the sections are not in the order $($knownSections -join ', ').")
    }
    if ($problems.Count -gt $before) { return }

    if (@($Page.Sections['SYNOPSIS'].Blocks).Count -ne 1) { $problems.Add("${file}: SYNOPSIS is not one paragraph.") }
    if (@($Page.Sections['DESCRIPTION'].Blocks).Count -eq 0) { $problems.Add("${file}: DESCRIPTION is empty.") }
    if ($Page.Sections['EXAMPLES'].Entries.Count -eq 0) { $problems.Add("${file}: there is no example.") }
    foreach ($example in $Page.Sections['EXAMPLES'].Entries) {
        if ($example.Blocks.Count -eq 0 -or $example.Blocks[0].Language -ne 'powershell') {
            $problems.Add("${file}: example '$($example.Title)' does not begin with a powershell block.")
        }
    }

    $shown = @($Command.ParameterSets | ForEach-Object { Get-ShownParameter $_ } | ForEach-Object Name | Select-Object -Unique)
    $wanted = @($shown.Where({ $_ -notin $sharedParameters.Keys }))
    $told = @($Page.Sections['PARAMETERS'].Entries | ForEach-Object Title)
    foreach ($name in $wanted.Where({ "-$_" -cnotin $told })) {
        $problems.Add("$($Command.Name): parameter -$name has no help in $file.")
    }
    foreach ($title in $told.Where({ $_.TrimStart('-') -cnotin $wanted })) {
        $problems.Add("$($Command.Name): $file has help for $title, which is no parameter.")
    }
    foreach ($group in ($told | Group-Object).Where({ $_.Count -gt 1 })) {
        $problems.Add("$($Command.Name): $file has help for $($group.Name) twice.")
    }
    foreach ($entry in $Page.Sections['PARAMETERS'].Entries) {
        if ($entry.Blocks.Count -eq 0) { $problems.Add("$($Command.Name): the help for $($entry.Title) in $file is empty.") }
    }

    $types = @($Command.OutputType | ForEach-Object Name | Where-Object { $_ -ne 'System.Void' } | Sort-Object -Unique)
    $toldTypes = @($Page.Sections['OUTPUTS'].Entries | ForEach-Object Title | Where-Object { $_ -ne 'None' } | Sort-Object -Unique)
    if (($types -join ', ') -ne ($toldTypes -join ', ')) {
        $problems.Add("$($Command.Name): its [OutputType] is '$($types -join ', ')', its OUTPUTS in $file '$($toldTypes -join ', ')'.")
    }
    foreach ($link in $Page.Sections['RELATED LINKS'].Blocks) {
        $target = Join-Path $PSScriptRoot "$($link.Text).md"
        if (-not (Test-Path -LiteralPath $target)) { $problems.Add("${file}: related link '$($link.Text)' has no page.") }
    }
}

#endregion

#region MAML

$namespaces = @{
    maml    = 'http://schemas.microsoft.com/maml/2004/10'
    command = 'http://schemas.microsoft.com/maml/dev/command/2004/10'
    dev     = 'http://schemas.microsoft.com/maml/dev/2004/10'
}

# An element 'prefix:name' whose content is a string, or what a script block writes.
function Write-Element([string] $Name, $Content = '', [System.Collections.IDictionary] $Attribute = @{}) {
    $prefix, $local = $Name -split ':'
    $writer.WriteStartElement($prefix, $local, $namespaces[$prefix])
    foreach ($key in $Attribute.Keys) { $writer.WriteAttributeString($key, $Attribute[$key]) }
    if ($Content -is [scriptblock]) { & $Content } else { $writer.WriteString($Content) }
    $writer.WriteEndElement()
}

function Write-Paragraph($Blocks) {
    foreach ($block in $Blocks) {
        switch ($block.Kind) {
            'Item' { Write-Element maml:para "- $($block.Text)" }
            'Code' { foreach ($line in $block.Text -split "`n") { Write-Element maml:para "    $line" } }
            default { Write-Element maml:para $block.Text }
        }
    }
}

function Write-Parameter($Command, $Parameter, $Blocks, [switch] $InSyntax) {
    $type = Get-TypeName $Parameter.ParameterType
    $isSwitch = $Parameter.ParameterType -eq [switch]
    $globbing = $Parameter.Attributes.Where({ $_ -is [System.Management.Automation.SupportsWildcardsAttribute] }).Count -gt 0
    $attributes = [ordered]@{
        required       = "$($Parameter.IsMandatory)".ToLowerInvariant()
        variableLength = "$($Parameter.ParameterType.IsArray)".ToLowerInvariant()
        globbing       = "$globbing".ToLowerInvariant()
        pipelineInput  = Get-PipelineInput $Parameter
        position       = $Parameter.Position -lt 0 ? 'named' : "$($Parameter.Position)"
        aliases        = $Parameter.Aliases ? ($Parameter.Aliases -join ', ') : 'none'
    }
    Write-Element command:parameter -Attribute $attributes {
        Write-Element maml:name $Parameter.Name
        Write-Element maml:description { Write-Paragraph $Blocks }
        $values = @(Get-ValueList $Parameter)
        if ($InSyntax -and $values) {
            Write-Element command:parameterValueGroup {
                foreach ($value in $values) {
                    Write-Element command:parameterValue $value @{ required = 'false'; variableLength = 'false' }
                }
            }
        }
        if (-not ($InSyntax -and $isSwitch)) {
            Write-Element command:parameterValue $type @{ required = "$(-not $isSwitch)".ToLowerInvariant(); variableLength = 'false' }
        }
        Write-Element dev:type { Write-Element maml:name $type }
        Write-Element dev:defaultValue (Get-DefaultValue $Command $Parameter)
    }
}

function Write-TypeList([string] $ListName, [string] $ItemName, $Entries) {
    Write-Element $ListName {
        foreach ($entry in $Entries) {
            Write-Element $ItemName {
                Write-Element dev:type { Write-Element maml:name $entry.Title }
                Write-Element maml:description { Write-Paragraph $entry.Blocks }
            }
        }
    }
}

function Write-Example($Example, [int] $Number) {
    # What a command prints stays under it, where its columns are kept.
    $code, $rest = $Example.Blocks.Where({ $_.Kind -eq 'Code' }, 'Split')
    Write-Element command:example {
        Write-Element maml:title "--- Example ${Number}: $($Example.Title) ---"
        Write-Element dev:code (@($code | ForEach-Object Text) -join "`n`n")
        Write-Element dev:remarks { Write-Paragraph $rest }
    }
}

function Write-Command($Page, $Command) {
    $sections = $Page.Sections
    $help = @{}
    foreach ($entry in $sections['PARAMETERS'].Entries) { $help[$entry.Title.TrimStart('-')] = $entry.Blocks }
    $order = @($sections['PARAMETERS'].Entries | ForEach-Object { $_.Title.TrimStart('-') }) + @($sharedParameters.Keys)
    foreach ($name in $sharedParameters.Keys) { $help[$name] = @([pscustomobject]@{ Kind = 'Text'; Text = $sharedParameters[$name] }) }
    $sets = @($Command.ParameterSets | Sort-Object -Stable -Property { -not $_.IsDefault })

    Write-Element command:command {
        Write-Element command:details {
            Write-Element command:name $Command.Name
            Write-Element command:verb $Command.Verb
            Write-Element command:noun $Command.Noun
            Write-Element maml:description { Write-Paragraph $sections['SYNOPSIS'].Blocks }
        }
        Write-Element maml:description { Write-Paragraph $sections['DESCRIPTION'].Blocks }
        Write-Element command:syntax {
            foreach ($set in $sets) {
                Write-Element command:syntaxItem {
                    Write-Element maml:name $Command.Name
                    foreach ($parameter in Get-SyntaxParameter $set $order) {
                        Write-Parameter $Command $parameter $help[$parameter.Name] -InSyntax
                    }
                }
            }
        }
        Write-Element command:parameters {
            foreach ($name in $order) {
                $parameter = @($sets | ForEach-Object Parameters).Where({ $_.Name -eq $name }, 'First')
                if ($parameter) { Write-Parameter $Command $parameter[0] $help[$name] }
            }
        }
        Write-TypeList command:inputTypes command:inputType $sections['INPUTS'].Entries
        Write-TypeList command:returnValues command:returnValue $sections['OUTPUTS'].Entries
        if ($sections.Contains('NOTES')) {
            Write-Element maml:alertSet { Write-Element maml:alert { Write-Paragraph $sections['NOTES'].Blocks } }
        }
        Write-Element command:examples {
            $number = 0
            foreach ($example in $sections['EXAMPLES'].Entries) { Write-Example $example (++$number) }
        }
        Write-Element command:relatedLinks {
            foreach ($link in $sections['RELATED LINKS'].Blocks) {
                Write-Element maml:navigationLink { Write-Element maml:linkText $link.Text; Write-Element maml:uri }
            }
        }
    }
}

#endregion

#region About topics

# Lines of at most 80 columns, as Get-Help shows a topic as it stands.
function Format-Wrapped([string] $Text, [string] $First, [string] $Rest) {
    $line = $First
    $empty = $true
    foreach ($word in $Text -split ' +') {
        if (-not $empty -and $line.Length + 1 + $word.Length -gt 80) {
            $line
            $line = $Rest
            $empty = $true
        }
        $line += $empty ? $word : " $word"
        $empty = $false
    }
    $line
}

function ConvertTo-AboutText([string] $Path) {
    $previous = ''
    foreach ($block in Read-Block $Path) {
        $gap = $previous -and -not ($block.Kind -eq 'Item' -and $previous -eq 'Item') -and $previous -ne 'Heading'
        if ($gap) { '' }
        switch ($block.Kind) {
            'Heading' {
                if ($block.Level -eq 1) { 'TOPIC'; "    $($block.Text)" }
                elseif ($block.Level -eq 2) { $block.Text.ToUpperInvariant() }
                else { "  $($block.Text)" }
            }
            'Code' { foreach ($line in $block.Text -split "`n") { $line ? "        $line" : '' } }
            'Item' { Format-Wrapped $block.Text '    - ' '      ' }
            default { Format-Wrapped $block.Text '    ' '    ' }
        }
        # The topic's own name is followed by a blank line: Get-Help takes the fifth line for the synopsis.
        $previous = $block.Kind -eq 'Heading' -and $block.Level -eq 1 ? 'Topic' : $block.Kind
    }
}

#endregion

$module = Import-Module -Name $Manifest -PassThru
$commands = @($module.ExportedCmdlets.Values | Sort-Object Name)
$pages = @(Get-ChildItem -LiteralPath $PSScriptRoot -Filter '*-*.md' | Sort-Object Name | ForEach-Object { Read-Page $_.FullName })

foreach ($command in $commands) {
    if ($command.Name -cnotin $pages.Name) { $problems.Add("$($command.Name) has no page: module/help/$($command.Name).md is missing.") }
}
foreach ($page in $pages) {
    $command = $commands.Where({ $_.Name -ceq $page.Name }, 'First')
    if ($page.File -cne "$($page.Name).md") { $problems.Add("$($page.File): its heading is '$($page.Name)'.") }
    elseif (-not $command) { $problems.Add("$($page.File): there is no cmdlet $($page.Name).") }
    else { Test-Page $page $command[0] }
}
if ($problems.Count -gt 0) {
    [System.Console]::Error.WriteLine("The help does not fit the cmdlets:`n  $(($problems | Sort-Object -Unique) -join "`n  ")")
    exit 1
}

$null = New-Item -ItemType Directory -Force -Path $Destination
$settings = [System.Xml.XmlWriterSettings]@{ Indent = $true; Encoding = [System.Text.UTF8Encoding]::new($false) }
$maml = Join-Path (Resolve-Path -LiteralPath $Destination).ProviderPath 'IngestTools.dll-Help.xml'
$writer = [System.Xml.XmlWriter]::Create($maml, $settings)
try {
    $writer.WriteStartElement('helpItems', 'http://msh')
    $writer.WriteAttributeString('schema', 'maml')
    foreach ($prefix in $namespaces.Keys | Sort-Object) { $writer.WriteAttributeString('xmlns', $prefix, $null, $namespaces[$prefix]) }
    foreach ($page in $pages) { Write-Command $page $commands.Where({ $_.Name -ceq $page.Name }, 'First')[0] }
    $writer.WriteEndElement()
}
finally { $writer.Dispose() }

foreach ($topic in Get-ChildItem -LiteralPath $PSScriptRoot -Filter 'about_*.md') {
    $text = Join-Path $Destination "$($topic.BaseName).help.txt"
    ConvertTo-AboutText $topic.FullName | Set-Content -LiteralPath $text -Encoding utf8NoBOM
}
