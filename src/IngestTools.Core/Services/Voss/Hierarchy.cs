using System.Text.RegularExpressions;

namespace IngestTools.Services.Voss;

/// <summary>A node of the hierarchy, by its pkid or by its path.</summary>
/// <remarks>VOSS Automate, data/HierarchyNode: what a node's name may hold. A name has no dots, so a path can be taken apart.</remarks>
internal readonly partial record struct Hierarchy
{
    private const int PkidLength = 24;

    private Hierarchy(string value) => Value = value;

    /// <summary>As it was given.</summary>
    public string Value { get; }

    /// <summary>As a parameter of an address.</summary>
    public string Escaped => Uri.EscapeDataString(Value);

    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is neither; the message says what is wrong with which
    /// node.</exception>
    public static Hierarchy Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
            throw Refused(text, "it is empty");
        if (text.Length == PkidLength && text.All(char.IsAsciiHexDigit))
            return new Hierarchy(text.ToLowerInvariant());
        string[] nodes = text.Split('.');
        for (int i = 0; i < nodes.Length; i++)
        {
            if (WhatIsWrong(nodes[i]) is { } wrong)
                throw Refused(text, $"node {i + 1} of {nodes.Length} {wrong}");
        }

        return new Hierarchy(text);
    }

    public override string ToString() => Value;

    private static string? WhatIsWrong(string node)
    {
        if (NodeName().IsMatch(node))
            return null;
        if (node.Length == 0)
            return "is empty";
        if (node[0] == ' ' || node[^1] == ' ')
            return $"('{node}') begins or ends with a space";
        char other = node.First(c => !char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or ' '));
        return $"('{Http.Redaction.EscapeControls(node)}') has the character '{Http.Redaction.EscapeControls(other.ToString())}'";
    }

    private static IngestException Refused(string? text, string why) =>
        new(ErrorId.Rejected, $"'{Http.Redaction.EscapeControls(text ?? "")}' is not a hierarchy: {why}.")
        {
            Service = IngestService.Voss,
            Advice =
                "Give a path such as sys.hcs.Provider, of names with letters, digits, spaces, - and _ between dots; or a node's pkid, "
                + "24 hexadecimal digits.",
            Target = text,
        };

    [GeneratedRegex(@"\A([A-Za-z0-9_\-][A-Za-z0-9_\ \-]*[A-Za-z0-9_\-]|[A-Za-z0-9_\-])\z", RegexOptions.CultureInvariant)]
    private static partial Regex NodeName();
}
