using IngestTools.Connections;
using IngestTools.Http;

namespace IngestTools.Scheduler.Notifications;

/// <summary>An address that reports are sent to, or where it is kept. The text of a schedule holds no secret.</summary>
internal static class NotificationAddress
{
    private static readonly string[] References = ["env:", "file:", "vault:"];

    /// <summary>The text as it may be shown.</summary>
    public static string Describe(string text) =>
        IsReference(text) ? Redaction.EscapeControls(text)
        : Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) ? Redaction.Of(uri)
        : Redaction.Of(text);

    /// <summary>Refuses what could not be sent to later, and a secret that would be shown with the schedule.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.InvalidSchedule"/> or <see cref="ErrorId.InsecureConnection"/>.</exception>
    public static async Task CheckAsync(string text, CancellationToken cancellationToken)
    {
        Uri uri = await ReadAsync(text, cancellationToken);
        if (!IsReference(text) && Redaction.Of(uri).Contains(Redaction.Hidden, StringComparison.Ordinal))
            throw Invalid(
                $"The address {Redaction.Of(uri)} has a query that may be secret, and schedules are shown and exported.",
                "Keep the address in a file or a variable of the scheduler, and give file:PATH or env:NAME in its place."
            );
    }

    /// <summary>The address.</summary>
    /// <exception cref="IngestException">It is not one, or cannot be read.</exception>
    public static async Task<Uri> ReadAsync(string text, CancellationToken cancellationToken)
    {
        string address = IsReference(text) ? (await SecretReference.Parse(text).CreateReader(vault: null)(cancellationToken)).Trim() : text;
        if (
            !Uri.TryCreate(address, UriKind.Absolute, out Uri? uri)
            || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp)
            || uri.Host.Length == 0
        )
            throw Invalid(
                IsReference(text) ? $"{Describe(text)} does not contain an address." : $"'{Describe(text)}' is not an address.",
                "Give an address such as https://hooks.example.org/ingest, or env:NAME or file:PATH where it is kept."
            );
        if (uri.UserInfo.Length > 0)
            throw Invalid(
                $"The address {Redaction.Of(uri)} has a user name or password in it, which are not sent.",
                "Leave them out. The receiver can check the signature of --notify-secret-from."
            );
        if (uri.Scheme == Uri.UriSchemeHttp && !uri.IsLoopback)
            throw new IngestException(
                ErrorId.InsecureConnection,
                $"The reports would go to {uri.Host} over plain http, readable and changeable by everybody on the way."
            )
            {
                Operation = "notify",
                Advice = "Use https. Plain http is for this machine only.",
            };
        return uri;
    }

    private static bool IsReference(string text) =>
        References.Any(reference => text.StartsWith(reference, StringComparison.OrdinalIgnoreCase));

    private static IngestException Invalid(string message, string advice) =>
        new(ErrorId.InvalidSchedule, message) { Operation = "notify", Advice = advice };
}
