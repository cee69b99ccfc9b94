using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace IngestTools.Reports;

/// <summary>The frame of the page: its head, its style and its script, which both are files beside this one.</summary>
internal static class HtmlPage
{
    private static readonly string Css = Read("report.css");

    private static readonly string Script = Read("report.js");

    /// <summary>
    /// The page loads nothing and sends nothing, and runs no script but this one: what slips through as markup stays without effect.
    /// </summary>
    private static readonly string Policy =
        $"default-src 'none'; script-src '{HashOf(Script)}'; style-src '{HashOf(Css)}'; img-src data:; base-uri 'none'; form-action 'none'";

    private static readonly string Generator =
        "IngestTools " + typeof(HtmlPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <summary>The page up to its body. The icon is empty, so that no browser asks a server for one.</summary>
    public static string Head(ReportHead head) =>
        $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <meta name="generator" content="{HtmlText.Escape(Generator)}">
            <link rel="icon" href="data:,">
            <title>{HtmlText.Escape(head.Title)}</title>
            <style>{Css}</style>
            </head>
            <body>

            """;

    /// <summary>The end of the page.</summary>
    public static string Foot() =>
        $"""
            <footer><p class="quiet">Written by {HtmlText.Escape(Generator)}.</p></footer>
            <script>{Script}</script>
            </body>
            </html>

            """;

    /// <summary>The class of what ended in a way.</summary>
    public static string StyleOf(ReportOutcome outcome) =>
        outcome switch
        {
            ReportOutcome.Succeeded => "ok",
            ReportOutcome.Failed => "bad",
            ReportOutcome.PartlySucceeded or ReportOutcome.Unknown => "warn",
            _ => "off",
        };

    private static string Read(string name)
    {
        using Stream file = typeof(HtmlPage).Assembly.GetManifestResourceStream($"IngestTools.Reports.Html.{name}")!;
        using StreamReader reader = new(file, Encoding.UTF8);
        // A browser hashes what is between the tags, and reads every line's end as a line feed.
        return "\n" + reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static string HashOf(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
