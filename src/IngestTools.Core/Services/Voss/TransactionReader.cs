using System.Globalization;
using System.Text.Json;
using IngestTools.Http;

namespace IngestTools.Services.Voss;

/// <summary>What the server reports about one transaction, without its parts.</summary>
internal sealed record TransactionAnswer
{
    public string? Pkid { get; set; }

    public string? Action { get; set; }

    public string? Detail { get; set; }

    public string? Status { get; set; }

    public string? Message { get; set; }

    public string? Hierarchy { get; set; }

    public DateTimeOffset? SubmittedTime { get; set; }

    public DateTimeOffset? StartedTime { get; set; }

    public DateTimeOffset? CompletedTime { get; set; }

    /// <summary>What can be done with it, by name.</summary>
    public Dictionary<string, TransactionAction> Actions { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Parts in all; null where the server does not page them.</summary>
    public long? PartsTotal { get; set; }

    /// <summary>Parts that one answer has at most; null where the server does not tell.</summary>
    public long? PartsLimit { get; set; }

    /// <summary>Parts in this answer.</summary>
    public long PartsRead { get; set; }

    /// <summary>The first part in this answer.</summary>
    public string? FirstPart { get; set; }
}

/// <summary>Something that can be done with a transaction: where, and how.</summary>
internal sealed record TransactionAction(string Href, string Method);

/// <summary>An entry of sub_transactions.</summary>
internal sealed record TransactionPart(string? Pkid, string? Action, string? Detail, string? Status);

/// <summary>
/// What is kept of a transaction's parts and log while its answer is read. An attempt that breaks off is forgotten when the next begins, so
/// that no part is taken twice.
/// </summary>
/// <param name="keeps">Whether a part is kept; the others are counted.</param>
internal sealed class TransactionContent(Func<TransactionPart, bool> keeps)
{
    /// <summary>Of a long log the newest lines are kept.</summary>
    private const int MostLogLines = 1000;

    private readonly List<TransactionPart> _parts = [];
    private readonly Queue<TransactionLogEntry> _log = new();
    private int _partsBefore;
    private long _passedBefore;

    /// <summary>Keeps nothing.</summary>
    public static TransactionContent Nothing => new(static _ => false);

    /// <summary>The parts that were kept, in the order of the answer.</summary>
    public IReadOnlyList<TransactionPart> Parts => _parts;

    /// <summary>The newest lines of the log.</summary>
    public IReadOnlyList<TransactionLogEntry> Log => [.. _log];

    /// <summary>Parts that were not kept.</summary>
    public long Passed { get; private set; }

    /// <summary>A page is about to be read; what was read before stays.</summary>
    public void BeginPage()
    {
        _partsBefore = _parts.Count;
        _passedBefore = Passed;
    }

    /// <summary>The page is read from its beginning, for the first time or again. Each page brings the log.</summary>
    public void BeginAttempt()
    {
        ForgetPage();
        _log.Clear();
    }

    /// <summary>The page brought what another had brought already.</summary>
    public void ForgetPage()
    {
        _parts.RemoveRange(_partsBefore, _parts.Count - _partsBefore);
        Passed = _passedBefore;
    }

    public void Take(TransactionPart part)
    {
        if (keeps(part))
            _parts.Add(part);
        else
            Passed++;
    }

    public void Take(TransactionLogEntry entry)
    {
        if (_log.Count == MostLogLines)
            _log.Dequeue();
        _log.Enqueue(entry);
    }
}

/// <summary>
/// Reads the answer about one transaction piece by piece: a load of very many rows is never held as a whole. Both documented shapes are
/// read, the flat one and the one with data and meta.
/// </summary>
/// <param name="content">Takes each entry of sub_transactions and of the log as it comes.</param>
/// <param name="text">The door for what the server wrote.</param>
internal sealed class TransactionReader(TransactionContent content, ServerText text)
{
    private const int PieceBytes = 32 * 1024;

    /// <summary>One field, or one entry, is never larger.</summary>
    private const int MostValueBytes = 16 * 1024 * 1024;

    private readonly TransactionAnswer _answer = new();
    private Place _place = Place.Start;
    private bool _isInData;

    private enum Place
    {
        Start,
        Fields,
        Parts,
        Log,
        End,
    }

    /// <exception cref="JsonException">It is no JSON, or not of this kind.</exception>
    public async ValueTask<TransactionAnswer> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[PieceBytes];
        int length = await stream
            .ReadAtLeastAsync(buffer, JsonText.ByteOrderMark.Length, throwOnEndOfStream: false, cancellationToken)
            .ConfigureAwait(false);
        if (buffer.AsSpan(0, length).StartsWith(JsonText.ByteOrderMark))
        {
            length -= JsonText.ByteOrderMark.Length;
            buffer.AsSpan(JsonText.ByteOrderMark.Length, length).CopyTo(buffer);
        }

        JsonReaderState state = default;
        for (bool isFinal = false; !isFinal; )
        {
            if (length == buffer.Length)
                Array.Resize(ref buffer, length < MostValueBytes ? length * 2 : throw new JsonException("A value is too large."));
            int read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            length += read;
            isFinal = read == 0;
            int consumed = Consume(buffer.AsSpan(0, length), isFinal, ref state);
            length -= consumed;
            buffer.AsSpan(consumed, length).CopyTo(buffer);
        }

        return _place == Place.End ? _answer : throw new JsonException("It breaks off.");
    }

    /// <summary>Takes as many whole steps as the bytes hold; gives how many bytes they took.</summary>
    private int Consume(ReadOnlySpan<byte> bytes, bool isFinal, ref JsonReaderState state)
    {
        Utf8JsonReader reader = new(bytes, isFinal, state);
        Utf8JsonReader last = reader;
        while (_place != Place.End && TryStep(ref reader))
            last = reader;
        state = last.CurrentState;
        return (int)last.BytesConsumed;
    }

    /// <summary>A field or an entry; false where it is not whole yet.</summary>
    private bool TryStep(ref Utf8JsonReader reader)
    {
        if (!reader.Read())
            return false;
        switch (_place)
        {
            case Place.Start:
                _place = reader.TokenType == JsonTokenType.StartObject ? Place.Fields : throw new JsonException("It is not an object.");
                return true;
            case Place.Fields:
                return TryTakeField(ref reader);
            default:
                return TryTakeEntry(ref reader);
        }
    }

    private bool TryTakeField(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            if (!_isInData)
                _place = Place.End;
            _isInData = false;
            return true;
        }

        string name = JsonText.TextOf(ref reader);
        if (!reader.Read())
            return false;
        switch (name, reader.TokenType)
        {
            case ("data", JsonTokenType.StartObject) when !_isInData:
                _isInData = true;
                return true;
            case ("sub_transactions", JsonTokenType.StartArray):
                _place = Place.Parts;
                return true;
            case ("log", JsonTokenType.StartArray):
                _place = Place.Log;
                return true;
            default:
                if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? value))
                    return false;
                using (value)
                    Take(name, value.RootElement);
                return true;
        }
    }

    private bool TryTakeEntry(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.EndArray)
        {
            _place = Place.Fields;
            return true;
        }

        if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? value))
            return false;
        using (value)
        {
            if (_place == Place.Parts)
                TakePart(value.RootElement);
            else
                content.Take(
                    new TransactionLogEntry(
                        TimeOf(Text(value.RootElement, "time")),
                        Word(value.RootElement, "severity"),
                        ShownText(value.RootElement, "message")
                    )
                );
        }

        return true;
    }

    private void TakePart(JsonElement entry)
    {
        _answer.PartsRead++;
        string? pkid = Pkids.OfHref(Text(entry, "transaction")) ?? Pkids.OfHref(Text(entry, "href")) ?? Text(entry, "pkid");
        _answer.FirstPart ??= pkid;
        content.Take(new TransactionPart(pkid, ShownText(entry, "action"), ShownText(entry, "detail"), Word(entry, "status")));
    }

    private void Take(string name, JsonElement value)
    {
        switch (name)
        {
            case "pkid":
                _answer.Pkid = TextOf(value) ?? _answer.Pkid;
                break;
            case "action":
                _answer.Action = ShownOf(value);
                break;
            case "detail":
                _answer.Detail = ShownOf(value);
                break;
            case "status":
                _answer.Status = WordOf(value);
                break;
            case "message":
                _answer.Message = ShownOf(value);
                break;
            case "resource":
                _answer.Hierarchy = ShownText(value, "hierarchy");
                break;
            case "submitted_time":
                _answer.SubmittedTime = TimeOf(TextOf(value));
                break;
            case "started_time":
                _answer.StartedTime = TimeOf(TextOf(value));
                break;
            case "completed_time":
                _answer.CompletedTime = TimeOf(TextOf(value));
                break;
            case "pagination":
                _answer.PartsTotal = CountOf(value, "total");
                _answer.PartsLimit = CountOf(value, "limit");
                break;
            case "meta":
                TakeActions(value);
                break;
        }
    }

    private void TakeActions(JsonElement meta)
    {
        if (Member(meta, "actions") is not { ValueKind: JsonValueKind.Object } actions)
            return;
        foreach (JsonProperty action in actions.EnumerateObject())
        {
            if (Text(action.Value, "href") is { Length: > 0 } href)
                _answer.Actions[text.Value(action.Name)] = new TransactionAction(href, Text(action.Value, "method") ?? "POST");
        }
    }

    private string? ShownOf(JsonElement value) => text.Words(PlainOf(value));

    private string? ShownText(JsonElement element, string name) => Member(element, name) is { } value ? ShownOf(value) : null;

    private string? WordOf(JsonElement value) => text.Word(PlainOf(value));

    private string? Word(JsonElement element, string name) => Member(element, name) is { } value ? WordOf(value) : null;

    private long? CountOf(JsonElement element, string name) =>
        long.TryParse(Text(element, name), NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count : null;

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : null;

    private string? Text(JsonElement element, string name) => Member(element, name) is { } value ? TextOf(value) : null;

    /// <summary>
    /// A text, or what else stands in its place, as it is written: releases differ in what they write as a number or a truth value.
    /// </summary>
    private static string? PlainOf(JsonElement value) =>
        value.ValueKind switch
        {
            // Read as it is written, for half of a surrogate pair cannot be read otherwise.
            JsonValueKind.String => value.GetRawText() is { Length: > 2 } quoted ? JsonText.Unescape(quoted[1..^1]) : null,
            JsonValueKind.Null or JsonValueKind.Undefined => null,
            _ => value.GetRawText(),
        };

    private string? TextOf(JsonElement value) => PlainOf(value) is { } plain ? text.Value(plain) : null;

    /// <summary>Times are in UTC, whether they say so or not.</summary>
    private static DateTimeOffset? TimeOf(string? text) =>
        DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out DateTimeOffset time
        )
            ? time
            : null;
}
