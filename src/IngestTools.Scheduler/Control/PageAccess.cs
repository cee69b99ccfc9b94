using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using IngestTools.Scheduling;

namespace IngestTools.Scheduler.Control;

/// <summary>Where the page is, and who may read it.</summary>
/// <remarks>
/// Two secrets: the token reads the page for as long as the daemon runs, and never stands in an address. A ticket does, since a browser
/// gets nothing but an address, which its history keeps and the list of processes shows; so a ticket is taken once, within minutes, in
/// exchange for the token.
/// </remarks>
internal sealed class PageAccess(TimeProvider time)
{
    /// <summary>Until a person has copied the address to where a browser is.</summary>
    public static readonly TimeSpan TicketLife = TimeSpan.FromMinutes(10);

    private const int SecretBytes = 32;

    /// <summary>Of more tickets that nobody used, the oldest is forgotten.</summary>
    private const int MaxTickets = 16;

    private readonly List<(byte[] Hash, long Made)> _tickets = [];

    /// <summary>Reads the page; made at each start of the daemon.</summary>
    public string Token { get; } = NewSecret();

    /// <summary>Where the page is; null where it is off.</summary>
    public Uri? Uri { get; set; }

    /// <summary>The file that holds the token; null where the page is off.</summary>
    public string? TokenPath { get; set; }

    /// <summary>Why the page that was asked for cannot be served; null where it can.</summary>
    public string? Trouble { get; set; }

    /// <summary>The address of the page with a new ticket.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.NotFound"/>: the page is off.</exception>
    public PageAddress CreateAddress()
    {
        if (Uri is null)
            throw new IngestException(ErrorId.NotFound, Trouble ?? "The scheduler's page is off.")
            {
                Operation = "schedule",
                Advice =
                    "Start the scheduler with its page: Stop-IngestScheduler, then Start-IngestScheduler -Page. A service is "
                    + "started with: ingest-scheduler run --page.",
            };
        string ticket = NewSecret();
        lock (_tickets)
        {
            ForgetOld();
            if (_tickets.Count == MaxTickets)
                _tickets.RemoveAt(0);
            _tickets.Add((HashOf(ticket), time.GetTimestamp()));
        }

        // What follows # stays in the browser: it is in no request, and so in no log and no Referer.
        return new PageAddress(new UriBuilder(Uri) { Fragment = ticket }.Uri);
    }

    public bool IsToken(string given) => CryptographicOperations.FixedTimeEquals(HashOf(given), HashOf(Token));

    /// <summary>Takes a ticket; false where it was taken, is too old or was never made.</summary>
    public bool TakeTicket(string given)
    {
        byte[] hash = HashOf(given);
        lock (_tickets)
        {
            ForgetOld();
            int found = -1;
            for (int i = 0; i < _tickets.Count; i++)
            {
                if (CryptographicOperations.FixedTimeEquals(_tickets[i].Hash, hash))
                    found = i;
            }

            if (found >= 0)
                _tickets.RemoveAt(found);
            return found >= 0;
        }
    }

    private void ForgetOld() => _tickets.RemoveAll(ticket => time.GetElapsedTime(ticket.Made) > TicketLife);

    private static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Of one length, whatever was given.</summary>
    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
