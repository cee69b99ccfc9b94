namespace IngestTools.Services.Ica;

/// <summary>What the states of ICA's jobs mean.</summary>
internal static class JobStatuses
{
    /// <summary>The state of a job that was stopped: items may be left in the middle.</summary>
    public const string Stopped = "STOPPED";

    /// <summary>What a state means; null where nobody knows, which must not end a wait.</summary>
    public static TransactionStatus? Of(string? word) =>
        word switch
        {
            "INITIALIZED" or "WAITING_FOR_RESOURCES" => TransactionStatus.Queued,
            "RUNNING" => TransactionStatus.Running,
            "SUCCEEDED" => TransactionStatus.Succeeded,
            "PARTIALLY_SUCCEEDED" => TransactionStatus.PartlySucceeded,
            "FAILED" => TransactionStatus.Failed,
            Stopped => TransactionStatus.Canceled,
            _ => null,
        };
}
