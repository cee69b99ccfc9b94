namespace IngestTools.Journal;

/// <summary>Something that is about to be started.</summary>
public sealed record JournaledStart
{
    /// <summary>What it does.</summary>
    public required TransactionKind Kind { get; init; }

    /// <summary>Where: the server, and the project, hierarchy or branch.</summary>
    public required JournalPlace Place { get; init; }

    /// <summary>The connection's name.</summary>
    public required string Connection { get; init; }

    /// <summary>
    /// The transaction as far as it is known before the answer. Where its id is not known either, it is <see cref="PendingStarts.NoId"/>.
    /// </summary>
    public required Transaction Transaction { get; init; }

    /// <summary>SHA-256 of what is loaded, lower-case hexadecimal; null where it is not known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The list of results before the start; null where it could not be read.</summary>
    public PlaceMark? Before { get; init; }

    /// <summary>The newest job whose files are on the server; 0 where there is none.</summary>
    public long LastJob { get; init; }

    /// <summary>What to look at where the answer is lost.</summary>
    public required string ManualCheck { get; init; }
}

/// <summary>A start as it is recorded.</summary>
public sealed record JournaledTransaction
{
    /// <summary>The key under which it is recorded.</summary>
    public required long Key { get; init; }

    /// <summary>The transaction as last seen.</summary>
    public required Transaction Transaction { get; init; }

    /// <summary>Where it stands.</summary>
    public required StartState State { get; init; }

    /// <summary>Where.</summary>
    public required JournalPlace Place { get; init; }

    /// <summary>SHA-256 of what is loaded, lower-case hexadecimal; null where it is not known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The list of results before the start; null where it could not be read.</summary>
    public PlaceMark? Before { get; init; }

    /// <summary>The newest job whose files were on the server when it was started.</summary>
    public long LastJob { get; init; }

    /// <summary>What to look at where the answer is lost.</summary>
    public string? ManualCheck { get; init; }

    /// <summary>The run of a schedule that started it; null where a person did.</summary>
    public StartOrigin? Origin { get; init; }

    /// <summary>Whether the transaction has an id at the server, so that it can be looked at there.</summary>
    public bool HasId => !PendingStarts.IsPending(Transaction.Id);

    /// <summary>
    /// The transaction for a look by its id alone: with what was known when it was last seen. Whether one that had ended still has is for
    /// the server to say.
    /// </summary>
    public Transaction Resume() =>
        State == StartState.Started
            ? Transaction
            : Transaction with
            {
                Status = TransactionStatus.Unknown,
                ServerStatus = null,
                Message = Transaction.ScheduledFor is null ? null : Transaction.Message,
                CompletedAt = null,
                SeenAt = null,
            };

    /// <summary>The transaction for a person: one whose start was never answered says so.</summary>
    public Transaction Describe() =>
        State switch
        {
            StartState.Starting => Transaction with
            {
                Status = TransactionStatus.Queued,
                Message = "A process of this account is sending its start.",
            },
            StartState.Lost => Transaction with
            {
                Status = TransactionStatus.Unknown,
                Message = ManualCheck,
                SeenAt = Transaction.SeenAt ?? Transaction.SubmittedAt,
            },
            StartState.Ended when !Transaction.IsTerminal => Transaction with { Status = TransactionStatus.Unknown },
            _ => Transaction,
        };
}

/// <summary>The run of a schedule that starts something.</summary>
/// <param name="Schedule">The schedule's name, without regard to case.</param>
/// <param name="Run">The run: a text that no other run of any schedule has.</param>
public sealed record StartOrigin(string Schedule, string Run);

/// <summary>What is known of a start.</summary>
public enum StartState
{
    /// <summary>The request is being sent by a process that is alive.</summary>
    Starting = 0,

    /// <summary>The server answered; the transaction had not ended when it was last seen.</summary>
    Started = 1,

    /// <summary>The transaction has ended.</summary>
    Ended = 2,

    /// <summary>The answer was never seen: whether the server acted is not known.</summary>
    Lost = 3,
}

/// <summary>Which transactions are read.</summary>
public sealed record TransactionQuery
{
    /// <summary>Only those of this place.</summary>
    public JournalPlace? Place { get; init; }

    /// <summary>Only those of this server.</summary>
    public string? Server { get; init; }

    /// <summary>Only those of this service.</summary>
    public IngestService? Service { get; init; }

    /// <summary>Only the one with this id.</summary>
    public string? Id { get; init; }

    /// <summary>Only those that load this content.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Only those of this run of a schedule.</summary>
    public string? Run { get; init; }

    /// <summary>Those that have ended, too.</summary>
    public bool IncludesEnded { get; init; }

    /// <summary>Only those that were started since.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The maximum number; null reads all.</summary>
    public int? Last { get; init; }
}

/// <summary>Which jobs are read.</summary>
public sealed record JobQuery
{
    /// <summary>Only the one with this number.</summary>
    public long? Number { get; init; }

    /// <summary>Only those that began since.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The maximum number; null reads all.</summary>
    public int? Last { get; init; }
}

/// <summary>Which records are deleted.</summary>
public sealed record ClearQuery
{
    /// <summary>Only what began before.</summary>
    public DateTimeOffset? OlderThan { get; init; }

    /// <summary>Only what belongs to this server, by its base address.</summary>
    public string? Server { get; init; }

    /// <summary>DSP-INGEST: only what belongs to this project, at any server.</summary>
    public string? Shortcode { get; init; }

    /// <summary>VOSS: only what belongs to this hierarchy, at any server.</summary>
    public string? Hierarchy { get; init; }

    /// <summary>Only the transaction with this id, also where it has not ended as far as is known; no files and no jobs.</summary>
    public string? Id { get; init; }

    /// <summary>The place that is meant; null where it is any.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is not a shortcode or a hierarchy.</exception>
    internal (IngestService Service, string Name)? Place =>
        (Shortcode, Hierarchy) switch
        {
            ({ } shortcode, _) => (IngestService.DspIngest, Services.DspIngest.Shortcode.Parse(shortcode).Value),
            (_, { } hierarchy) => (IngestService.Voss, Services.Voss.Hierarchy.Parse(hierarchy).Value),
            _ => null,
        };
}

/// <summary>How many records were deleted.</summary>
/// <param name="Files">Files.</param>
/// <param name="Jobs">Jobs.</param>
/// <param name="Transactions">Transactions.</param>
public sealed record JournalCleared(long Files, long Jobs, long Transactions);
