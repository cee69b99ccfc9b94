namespace IngestTools.Transactions;

/// <summary>What a service can do with its transactions.</summary>
public interface ITransactionSource
{
    /// <summary>Whether one request can look at several. Then all that are waited for are looked at in step.</summary>
    bool LooksTogether => false;

    /// <summary>The longest pause between two looks that suits the service.</summary>
    TimeSpan LongestPause => PollPause.Longest;

    /// <summary>Looks once.</summary>
    Task<Transaction> LookAsync(Transaction transaction, CancellationToken cancellationToken);

    /// <summary>
    /// Looks once at several, and answers in their order. What cannot be looked at has its error instead, and does not hide the others.
    /// </summary>
    async Task<IReadOnlyList<Look>> LookAsync(IReadOnlyList<Transaction> transactions, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transactions);
        List<Look> looks = new(transactions.Count);
        foreach (Transaction transaction in transactions)
        {
            try
            {
                looks.Add(new Look(await LookAsync(transaction, cancellationToken).ConfigureAwait(false)));
            }
            catch (IngestException e)
            {
                looks.Add(new Look(transaction, e));
            }
        }

        return looks;
    }

    /// <summary>The items of an ended transaction that failed; none where the service does not name items.</summary>
    IAsyncEnumerable<FailedItem> ReadFailedItemsAsync(Transaction transaction, CancellationToken cancellationToken);

    /// <summary>How the user lists all failed items: a command.</summary>
    string ListCommand(Transaction transaction);

    /// <summary>Cancels it where the server can.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.CannotCancel"/> where it cannot.</exception>
    Task<Transaction> StopAsync(Transaction transaction, CancellationToken cancellationToken);
}

/// <summary>What a look at a transaction gave.</summary>
/// <param name="Transaction">The transaction as it is now; as it was, where there is an error.</param>
/// <param name="Error">Why it could not be looked at; null where it could.</param>
public sealed record Look(Transaction Transaction, IngestException? Error = null);
