# Dot-sourced by Readme.Tests.ps1: reads the blocks of README.md, types them into a PowerShell, and compares what it prints.
#
# A block with lines that begin with "PS> " is a session: what follows a command is its output. Another block of the language powershell
# is typed too, and must not print an error, unless it speaks to example.org or builds the module: then its commands must exist and take
# their parameters.
#
# To add to README.md, write the PS> lines and run this, which writes their output:
#   pwsh -NoProfile -Command '. ./tests/common.ps1; . ./tests/readme.ps1; Update-Readme ./README.md'

$script:Prompt = 'PS> '
$script:Continuation = '>> '

# Far more than it takes; a session that waits for an answer would never end.
$script:SessionLimit = [timespan]::FromMinutes(3)

# What is not run: it needs a server that does not exist, or it builds what the tests run on.
$script:NotRun = 'example\.org|build\.ps1|dotnet '

# The blocks between fences, with the line in which each begins.
function Get-ReadmeBlock([string] $Path) {
    $number = 0
    $block = $null
    foreach ($line in [System.IO.File]::ReadAllLines($Path)) {
        $number++
        if ($line -notmatch '^```(\w*)$') {
            if ($block) { $block.Text.Add($line) }
            continue
        }
        if ($block) {
            $text = $block.Text -join "`n"
            $block.Kind = if ($text -match '(?m)^PS> ') { 'Session' }
            elseif ($block.Language -ne 'powershell') { 'Other' }
            elseif ($text -match $script:NotRun) { 'Checked' }
            else { 'Typed' }
            $block
            $block = $null
        }
        else {
            $text = [System.Collections.Generic.List[string]]::new()
            $block = [pscustomobject]@{ Line = $number; Language = $Matches[1]; Kind = ''; Text = $text }
        }
    }
    if ($block) { throw "The block that begins in line $($block.Line) has no end." }
}

# What is typed, command by command: the lines of a command, and the lines that README shows after it; $null for a block without any.
function Get-ReadmeStep($Block) {
    $step = $null
    $number = $Block.Line
    if ($Block.Kind -eq 'Typed') {
        return [pscustomobject]@{ Line = $number + 1; Typed = @($Block.Text); Shown = $null }
    }
    foreach ($line in $Block.Text) {
        $number++
        if ($line.StartsWith($script:Prompt)) {
            if ($step) { $step }
            $shown = [System.Collections.Generic.List[string]]::new()
            $step = [pscustomobject]@{ Line = $number; Typed = @($line.Substring($script:Prompt.Length)); Shown = $shown }
        }
        elseif ($line.StartsWith($script:Continuation) -and $step.Shown.Count -eq 0) {
            $step.Typed += $line.Substring($script:Continuation.Length)
        }
        else { $step.Shown.Add($line) }
    }
    $step
}

# Types the steps into a PowerShell of its own, in a home folder of its own, and returns what it printed after each.
function Invoke-ReadmeStep([object[]] $Step, [string] $HomeFolder) {
    # Where its input is a file, PowerShell writes the prompt and repeats what it reads. So the prompt marks what is not output, and a line
    # that is printed after each step divides the rest. The line editor is for keyboards.
    $mark = "<$([guid]::NewGuid())>"
    $divider = "<$([guid]::NewGuid())>"
    $begin = Join-Path $HomeFolder '.begin.ps1'
    [System.IO.File]::WriteAllLines($begin, @(
            "function prompt { '$mark' }"
            "function Write-Divider { '$divider' }"
            'Remove-Module PSReadLine -ErrorAction Ignore'
            '$PSStyle.OutputRendering = "PlainText"'
            "Import-Module '$script:Manifest'"
        ))
    $lines = @(
        ". '$begin'"
        'Write-Divider'
        foreach ($one in $Step) {
            if ($null -eq $one.Shown) { '$Error.Clear()' }
            $one.Typed
            # An empty line ends a command of several lines there.
            if ($one.Typed.Count -gt 1) { '' }
            'Write-Divider'
            # A command of several lines is an error of its first line until it is whole.
            if ($null -eq $one.Shown) { '$Error | Where-Object { "$_" -notlike "*IncompleteParseException*" } | ForEach-Object ToString' }
            'Write-Divider'
        }
    )
    $text = Invoke-Session $lines $HomeFolder
    $parts = @($text.Split($divider) | ForEach-Object { , @(Select-Printed $_ $mark) })
    if ($parts.Count -ne 2 * $Step.Count + 2) {
        throw "The session ended before its last command. It printed:`n$($text.Replace($mark, $script:Prompt))"
    }
    for ($i = 0; $i -lt $Step.Count; $i++) {
        [pscustomobject]@{ Step = $Step[$i]; Printed = $parts[2 * $i + 1]; Errors = $parts[2 * $i + 2] }
    }
}

# The output of a session: without prompts, what was typed after them, and the empty lines around it.
function Select-Printed([string] $Text, [string] $Mark) {
    $isTyped = $false
    $lines = @(
        foreach ($line in $Text -split "`n") {
            $isTyped = $line.StartsWith($Mark) -or ($isTyped -and $line.StartsWith($script:Continuation))
            if (-not $isTyped) { $line.TrimEnd() }
        }
    )
    Remove-Margin $lines
}

# The lines between the first and the last that are not empty.
function Remove-Margin([string[]] $Line) {
    $text = ($Line -join "`n") -replace '\A(\s*\n)+' -replace '\s+\z'
    if ($text) { $text -split "`n" }
}

# Runs a PowerShell that reads these lines, and returns what it wrote on both streams, in their order.
function Invoke-Session([string[]] $Line, [string] $HomeFolder) {
    $inputFile = Join-Path $HomeFolder '.typed.txt'
    $outputFile = Join-Path $HomeFolder '.printed.txt'
    [System.IO.File]::WriteAllLines($inputFile, $Line)
    $shell = Get-PowerShell
    $command = (@($shell.Program) + $shell.Arguments + '-NoProfile', '-NoLogo' | ForEach-Object { "'$_'" }) -join ' '

    $start = [System.Diagnostics.ProcessStartInfo]::new('/bin/sh')
    $start.WorkingDirectory = $HomeFolder
    '-c', "exec $command < '$inputFile' > '$outputFile' 2>&1" | ForEach-Object { $start.ArgumentList.Add($_) }
    $theirs = @($start.Environment.Keys) -match '^(XDG_|INGESTTOOLS_|ICAV2_|LAKECTL_)|_PROXY$'
    foreach ($name in $theirs) { $null = $start.Environment.Remove($name) }
    $settings = @{ HOME = $HomeFolder; TZ = 'Europe/Zurich'; TERM = 'readme'; TERMINFO = New-Terminal $HomeFolder }
    foreach ($name in $settings.Keys) { $start.Environment[$name] = $settings[$name] }

    $process = [System.Diagnostics.Process]::Start($start)
    try {
        if (-not $process.WaitForExit($script:SessionLimit)) {
            $process.Kill($true)
            throw "The session did not end. It printed:`n$([System.IO.File]::ReadAllText($outputFile))"
        }
    }
    finally {
        $process.Dispose()
        Stop-LeftScheduler $HomeFolder
    }
    [System.IO.File]::ReadAllText($outputFile)
}

# Describes a terminal that is 100 columns wide and has no capabilities, in the compiled form of term(5), and returns the folder. Without it
# the width would be that of the terminal in which the tests run.
function New-Terminal([string] $HomeFolder) {
    $width = 100
    $name = [System.Text.Encoding]::ASCII.GetBytes("readme`0")
    $header = 0x011A, $name.Length, 0, 1, 0, 0 | ForEach-Object { [System.BitConverter]::GetBytes([int16] $_) }
    # Numbers begin at an even place; the first is the number of columns.
    $bytes = $header + $name + @(0) * ($name.Length % 2) + [System.BitConverter]::GetBytes([int16] $width)
    $folder = Join-Path $HomeFolder '.terminfo'
    $null = New-Item -ItemType Directory -Force (Join-Path $folder r)
    [System.IO.File]::WriteAllBytes((Join-Path $folder r readme), $bytes)
    $folder
}

# A session that failed in the middle leaves its scheduler, which outlives sessions.
function Stop-LeftScheduler([string] $HomeFolder) {
    $folder = Get-ChildItem $HomeFolder -Recurse -Force -Filter control.sock | Split-Path
    if (-not $folder) { return }
    $before = $env:INGESTTOOLS_HOME
    $env:INGESTTOOLS_HOME = Split-Path $folder
    try { Stop-IngestScheduler }
    finally { $env:INGESTTOOLS_HOME = $before }
}

# What differs from run to run, with a word in its place.
function Hide-Variation([string] $Text, [string] $HomeFolder) {
    $time = '\d\d:\d\d(:\d\d)?Z?( ?[+-]\d\d:\d\d)?( ?UTC)?'
    $rules = [ordered]@{
        [regex]::Escape($HomeFolder)                                     = '/home/ada'
        '127\.0\.0\.1:(\d{2,}|\d*\u2026)'                                = '127.0.0.1:PORT'
        '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'   = 'GUID'
        '\b[0-9a-f]{64}\b'                                               = 'SHA256'
        # Shortened by a view.
        '(?<=[a-z]:)[0-9a-z]*\u2026-?[0-9a-z]+(-[0-9a-z]+)*'             = 'ID'
        '\b[0-9A-Za-z]{11}-[0-9A-Za-z]{11}\b'                            = 'ASSET'
        '\b[0-9a-v]{20}\b'                                               = 'IMPORT'
        '\b\d+(\.\d+)? (B|KiB|MiB|GiB)/s'                                = 'RATE'
        "(\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4})( ?$time)?"                    = 'MOMENT'
        "$time|\d+\.\d+ ?s\b"                                            = 'TIME'
        '(?<=ProcessId +: )\d+|(?m)^ +\d+(?= yes )'                      = 'PID'
        '(?<=Node +: |Begins ?on ?)[\w.-]+'                              = 'HOST'
    }
    foreach ($pattern in $rules.Keys) { $Text = $Text -creplace $pattern, $rules[$pattern] }
    $Text
}

# Puts the values of a list on one line each. The width of the terminal breaks them anywhere, and a space at the break is lost.
function Join-ListValue([string[]] $Line) {
    $value = $null
    foreach ($one in $Line) {
        if ($value -and $one.StartsWith($indent)) { $value += $one.Substring($indent.Length); continue }
        if ($value) { $value; $value = $null }
        if ($one -match '^\w+ +: ') { $value = $one; $indent = ' ' * $Matches[0].Length } else { $one }
    }
    if ($value) { $value }
}

# The output in a form in which two runs are the same. Errors, and the rows of a table, come in any order; a column is as wide as its
# widest value.
function ConvertTo-Comparable([string[]] $Line, [string] $HomeFolder) {
    $text = (Hide-Variation (@(Join-ListValue $Line) -join "`n") $HomeFolder) -replace '\n +Recommendation: ', ' Recommendation: '
    $lines = @($text -split "`n" |
            ForEach-Object { $_ -match '^\w+ +: ' ? ($_ -replace ' ') : ($_ -replace ' {2,}', ' ' -replace '-{2,}', '--').Trim() })

    $errors, $others = $lines.Where({ $_ -cmatch '^[A-Z]\w+-[A-Z]\w+: ' }, 'Split')
    $rows = @()
    @($errors | Sort-Object -CaseSensitive) + @(
        foreach ($one in $others) {
            if ($one -match '^(-- ?)*$') { $rows | Sort-Object -CaseSensitive; $rows = @(); $one }
            else { $rows += $one }
        }
        $rows | Sort-Object -CaseSensitive
    ) | Where-Object { $_ } | Join-String -Separator "`n"
}

# Runs all that README.md types.
function Invoke-Readme([string] $Path, [string] $HomeFolder) {
    Invoke-ReadmeStep @(Get-ReadmeBlock $Path | Where-Object Kind -In Session, Typed | ForEach-Object { Get-ReadmeStep $_ }) $HomeFolder
}

# What is wrong with commands that are not run: syntax, names, parameters.
function Get-CommandFault([string] $Text, [string] $Root) {
    $tokens = $faults = $null
    $script = [System.Management.Automation.Language.Parser]::ParseInput($Text, [ref] $tokens, [ref] $faults)
    $faults | ForEach-Object Message
    if ($faults) { return }
    foreach ($command in $script.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true)) {
        $name = $command.GetCommandName()
        # A script of the repository.
        $found = Get-Command ($name -match '^\./' ? (Join-Path $Root $name) : $name) -ErrorAction Ignore
        if (-not $found) { "$name does not exist"; continue }
        if ($found.CommandType -eq 'Application') { continue }
        foreach ($parameter in $command.CommandElements.Where({ $_ -is [System.Management.Automation.Language.CommandParameterAst] })) {
            try { $null = $found.ResolveParameter($parameter.ParameterName) }
            catch { "$name has no parameter -$($parameter.ParameterName)" }
        }
    }
}

# Writes what the commands print now into README.md, where it is not what README.md shows.
function Update-Readme([string] $Path) {
    $Path = Convert-Path -LiteralPath $Path
    $folder = (New-Item -ItemType Directory (Join-Path ([System.IO.Path]::GetTempPath()) "readme-$PID")).FullName
    try { $ran = @(Invoke-Readme $Path $folder) }
    finally { Remove-Item $folder -Recurse -Force }

    $lines = [System.Collections.Generic.List[string]]::new([System.IO.File]::ReadAllLines($Path))
    # From the end, so that the numbers of the lines before stay right.
    [array]::Reverse($ran)
    foreach ($one in $ran | Where-Object { $null -ne $_.Step.Shown }) {
        # All of it: ids and times of one session belong together.
        $first = $one.Step.Line - 1 + $one.Step.Typed.Count
        $lines.RemoveRange($first, $one.Step.Shown.Count)
        $printed = @($one.Printed | ForEach-Object { $_.Replace($folder, '/home/ada') })
        # Tables and lists have an empty line before them, messages have none; one empty line comes before the next prompt.
        if ($printed.Count -gt 1 -and $printed[0] -cnotmatch '^([A-Z]\w+-[A-Z]\w+|What if): ') { $printed = @('') + $printed }
        if ($printed -and -not $lines[$first].StartsWith('```')) { $printed += '' }
        $lines.InsertRange($first, [string[]] $printed)
    }
    [System.IO.File]::WriteAllLines($Path, $lines)
}
