using System.Globalization;
using System.Text.Json;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>Writes a transaction's answer piece by piece: one with very many rows is never held as text.</summary>
internal sealed class VossTransactionAnswer(VossOptions options)
{
    /// <summary>The answer goes out in pieces of this size.</summary>
    private const int PieceBytes = 32 * 1024;

    /// <summary>The address of a transaction.</summary>
    public static string HrefOf(VossTransaction transaction) => $"/api/tool/Transaction/{transaction.Pkid}/";

    /// <summary>The answer to a GET of one transaction.</summary>
    public async Task SendAsync(HttpContext context, VossTransaction transaction, int skip, int? limit)
    {
        context.Response.ContentType = "application/json";
        await using Utf8JsonWriter json = new(context.Response.Body);
        json.WriteStartObject();
        WriteMeta(json, transaction);
        if (options.TransactionShape == VossTransactionShape.MetaAndData)
            json.WriteStartObject("data");
        json.WriteString("href", HrefOf(transaction));
        await WriteLogAsync(json, transaction, context.RequestAborted);
        WriteFields(json, transaction);
        await WriteSubTransactionsAsync(json, transaction, skip, limit, context.RequestAborted);
        if (options.TransactionShape == VossTransactionShape.MetaAndData)
            json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }

    /// <summary>The entry of a transaction in the answer to a poll.</summary>
    public object Poll(VossTransaction transaction) =>
        new
        {
            status = options.Word(transaction.Status),
            description = transaction.Detail,
            href = HrefOf(transaction),
        };

    private void WriteMeta(Utf8JsonWriter json, VossTransaction transaction)
    {
        bool mayCancel = options.OffersCancel && transaction is { Parent: null, HasEnded: false };
        if (options.TransactionShape == VossTransactionShape.Flat && !mayCancel)
            return;
        json.WriteStartObject("meta");
        json.WriteStartObject("actions");
        WriteAction(json, transaction, "replay", "GET", "Replay");
        if (mayCancel)
            WriteAction(json, transaction, "cancel", options.CancelMethod, "Cancel");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteAction(Utf8JsonWriter json, VossTransaction transaction, string name, string method, string title)
    {
        json.WriteStartObject(name);
        json.WriteString("class", name);
        json.WriteString("href", $"{HrefOf(transaction)}{name}/");
        json.WriteString("method", method);
        json.WriteString("title", title);
        json.WriteEndObject();
    }

    private void WriteFields(Utf8JsonWriter json, VossTransaction transaction)
    {
        json.WriteString("pkid", transaction.Pkid);
        json.WriteString("action", transaction.Action);
        json.WriteString("detail", transaction.Detail);
        json.WriteString("username", transaction.UserName);
        json.WriteString("status", options.Word(transaction.Status));
        json.WriteString("message", transaction.Message);
        json.WriteString("priority", "Normal");
        json.WriteString("parent_pkid", transaction.Parent?.Pkid);
        json.WriteStartObject("resource");
        if (transaction.Hierarchy is { } node)
            json.WriteString("hierarchy", node.Pkid);
        json.WriteEndObject();
        if (options.RolledBackIsBoolean)
            json.WriteBoolean("rolled_back", transaction.IsRolledBack);
        else
            json.WriteString("rolled_back", transaction.IsRolledBack ? "Yes" : "No");
        json.WriteString("submitted_time", TimeText(transaction.SubmittedTime));
        json.WriteString("started_time", TimeText(transaction.StartedTime));
        json.WriteString("completed_time", TimeText(transaction.CompletedTime));
        json.WriteNumber("duration", ((transaction.CompletedTime ?? transaction.StartedTime) - transaction.StartedTime)?.TotalSeconds ?? 0);
    }

    private async Task WriteLogAsync(Utf8JsonWriter json, VossTransaction transaction, CancellationToken cancellationToken)
    {
        json.WriteStartArray("log");
        foreach (VossLogEntry entry in transaction.Log)
        {
            json.WriteStartObject();
            json.WriteString("message", entry.Message);
            json.WriteString("severity", entry.Severity);
            json.WriteString("time", TimeText(entry.Time));
            json.WriteString("transaction_id", transaction.Pkid);
            json.WriteEndObject();
            await FlushIfLargeAsync(json, cancellationToken);
        }

        json.WriteEndArray();
    }

    private async Task WriteSubTransactionsAsync(
        Utf8JsonWriter json,
        VossTransaction transaction,
        int skip,
        int? limit,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<VossTransaction> all = transaction.SubTransactions;
        IEnumerable<VossTransaction> shown = all;
        if (options.SubTransactionsAPage is { } page)
        {
            int most = Math.Min(limit ?? page, page);
            shown = all.Skip(skip).Take(most);
            json.WriteStartObject("pagination");
            json.WriteNumber("skip", skip);
            json.WriteNumber("limit", most);
            json.WriteNumber("total", all.Count);
            json.WriteEndObject();
        }

        json.WriteStartArray("sub_transactions");
        foreach (VossTransaction part in shown)
        {
            json.WriteStartObject();
            json.WriteString("action", part.Action);
            json.WriteString("detail", part.Detail);
            json.WriteString("status", options.Word(part.Status));
            json.WriteString("submitted_time", TimeText(part.SubmittedTime));
            json.WriteString("transaction", HrefOf(part));
            json.WriteEndObject();
            await FlushIfLargeAsync(json, cancellationToken);
        }

        json.WriteEndArray();
    }

    private static Task FlushIfLargeAsync(Utf8JsonWriter json, CancellationToken cancellationToken) =>
        json.BytesPending >= PieceBytes ? json.FlushAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>UTC to the microsecond, with the letter that says so or without.</summary>
    private string? TimeText(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString(
            options.TimesEndInZ ? @"yyyy-MM-dd\THH:mm:ss.ffffff\Z" : @"yyyy-MM-dd\THH:mm:ss.ffffff",
            CultureInfo.InvariantCulture
        );
}
