namespace IngestTools.Http;

/// <summary>A slot among requests whose concurrency is limited.</summary>
internal interface IRequestSlot
{
    /// <summary>Waits for the slot.</summary>
    ValueTask EnterAsync(CancellationToken cancellationToken);

    /// <summary>Gives the slot to others for the time of a pause.</summary>
    /// <param name="isAttempt">Whether what was done in the slot counts as an attempt.</param>
    void Pause(bool isAttempt);
}
