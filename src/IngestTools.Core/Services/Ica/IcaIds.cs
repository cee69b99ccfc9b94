using System.Buffers;
using System.Text;
using IngestTools.Http;

namespace IngestTools.Services.Ica;

/// <summary>The ids that users give.</summary>
internal static class IcaIds
{
    /// <summary>The longest id of data that the service documents; a longer one would make it refuse a whole batch.</summary>
    public const int MostDataIdCharacters = 255;

    /// <summary>How ids of data usually look.</summary>
    public const string Forms = "fil. or fol. and 32 hexadecimal digits";

    private const int DigitsOfDataId = 32;

    /// <summary>What ids of transactions begin with here; ids of data never do.</summary>
    private const string TransactionPrefix = "ica:";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: nothing, or something that would make another address.</exception>
    public static string Project(string? text)
    {
        string id = text?.Trim() ?? "";
        return id.Length > 0 && id.Any(c => c != '.') && !id.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
            ? id
            : throw Refused(
                $"'{Redaction.EscapeControls(text ?? "")}' is not an id of a project.",
                "Give the project's id, which its details page shows, or set ICAV2_PROJECT_ID.",
                text
            );
    }

    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no UUID.</exception>
    public static string Uuid(string? text, string what) =>
        Guid.TryParse(text, out Guid id)
            ? id.ToString("D")
            : throw Refused(
                $"'{Redaction.EscapeControls(text ?? "")}' is not an id of a {what}: it is a UUID.",
                "Give the id as the service wrote it.",
                text
            );

    /// <summary>What is wrong with an id of data, so that it cannot be sent; null where nothing is.</summary>
    /// <param name="id">The id, without white space around it.</param>
    /// <param name="place">Which of the ids that came it is, counted from 1.</param>
    public static IngestException? WhatIsWrong(string id, long place)
    {
        if (id.Length == 0)
            return Refused($"Id number {place:N0} is blank.", "Leave blank lines and empty fields out.", null);
        if (id.Length > MostDataIdCharacters)
            return Refused(
                $"Id number {place:N0} has {id.Length:N0} characters, and an id has at most {MostDataIdCharacters}.",
                $"An id is {Forms}.",
                id
            );
        if (id.StartsWith(TransactionPrefix, StringComparison.OrdinalIgnoreCase))
            return Refused(
                $"'{Redaction.EscapeControls(id)}' (id number {place:N0}) is the id of a transaction, and not of data.",
                "Get-LinkingBatchItem gives the ids of the data of a batch.",
                id
            );
        if (HasHalfCharacter(id))
            return Refused(
                $"Id number {place:N0} has half of a character in it (a surrogate without the other), and cannot be sent.",
                $"An id is {Forms}. Look at the encoding of where it comes from.",
                id
            );
        return id.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
            ? Refused(
                $"'{Redaction.EscapeControls(id)}' (id number {place:N0}) has blanks in it.",
                $"An id is {Forms}. Give one id at a time.",
                id
            )
            : null;
    }

    /// <summary>Whether an id of data looks like those that the service gives out. Its documentation does not promise the form.</summary>
    public static bool IsUsual(string id) =>
        id.Length == DigitsOfDataId + 4
        && (id.StartsWith("fil.", StringComparison.Ordinal) || id.StartsWith("fol.", StringComparison.Ordinal))
        && !id.AsSpan(4).ContainsAnyExcept(HexDigits);

    private static bool HasHalfCharacter(string text)
    {
        for (ReadOnlySpan<char> rest = text; !rest.IsEmpty; )
        {
            if (Rune.DecodeFromUtf16(rest, out _, out int length) != OperationStatus.Done)
                return true;
            rest = rest[length..];
        }

        return false;
    }

    private static IngestException Refused(string message, string advice, object? target) =>
        new(ErrorId.Rejected, message)
        {
            Service = IngestService.Ica,
            Advice = advice,
            Target = target,
        };
}
