namespace IngestTools.Services.DspIngest;

/// <summary>A project's shortcode: four hexadecimal digits, in upper case.</summary>
/// <remarks>The server compares shortcodes without regard to case, and answers in upper case.</remarks>
internal readonly record struct Shortcode
{
    private const int Digits = 4;

    private Shortcode(string value) => Value = value;

    public string Value { get; }

    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not a shortcode.</exception>
    public static Shortcode Parse(string? text)
    {
        if (text is { Length: Digits } && text.All(char.IsAsciiHexDigit))
            return new Shortcode(text.ToUpperInvariant());
        string shown = text is null ? "" : Http.Redaction.EscapeControls(text);
        throw new IngestException(
            ErrorId.Rejected,
            $"'{shown}' is not a shortcode: a project's shortcode is four hexadecimal digits, such as 0001 or 082E."
        )
        {
            Service = IngestService.DspIngest,
            Advice = "Give the project's shortcode; digits with leading zeros need quotes: '0001'.",
            Target = text,
        };
    }

    public override string ToString() => Value;
}
