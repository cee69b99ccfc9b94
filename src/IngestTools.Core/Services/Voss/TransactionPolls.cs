using System.Collections.Concurrent;

namespace IngestTools.Services.Voss;

/// <summary>
/// Asks how transactions stand: all in one request where the server takes several, else one by one. How several are written is not
/// documented, so each form is tried once a connection, and what works is remembered.
/// </summary>
internal sealed class TransactionPolls(VossRoutes routes)
{
    /// <summary>A pkid takes 37 characters, and common servers take an address of 8 KiB.</summary>
    private const int MostAtOnce = 150;

    /// <summary>So many requests go at once where each asks for one; the connection's pace bounds them too.</summary>
    private const int MostRequests = 8;

    private readonly PollForm _form = (PollForm)routes.Connection.Memory.GetOrAdd("voss poll", static _ => new PollForm());

    /// <summary>How each stands, by pkid; with an error where one cannot be asked for.</summary>
    public async Task<IReadOnlyDictionary<string, PollResult>> PollAsync(
        IReadOnlyList<PollTarget> targets,
        CancellationToken cancellationToken
    )
    {
        ConcurrentDictionary<string, PollResult> results = new(StringComparer.OrdinalIgnoreCase);
        foreach (PollTarget target in targets.Where(target => target.Hierarchy is not null))
            _form.Hierarchies.TryAdd(target.Pkid, target.Hierarchy!);
        string[] asked = targets.Select(target => target.Pkid).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        // One request names one hierarchy.
        foreach (string[] some in asked.GroupBy(HierarchyOf).SelectMany(same => same.Chunk(MostAtOnce)).Where(some => some.Length > 1))
            await PollTogetherAsync(some, results, cancellationToken).ConfigureAwait(false);

        Several form = _form.Several;
        string[] rest = asked.Where(pkid => !results.ContainsKey(pkid)).ToArray();
        ParallelOptions side = new() { MaxDegreeOfParallelism = MostRequests, CancellationToken = cancellationToken };
        await Parallel
            .ForEachAsync(rest, side, async (pkid, token) => results[pkid] = await PollOneAsync(pkid, token).ConfigureAwait(false))
            .ConfigureAwait(false);
        // What was left out and is there after all: the server took the first of several alone.
        if (asked.Length > 1 && !_form.IsSure && rest.Any(pkid => results[pkid].Error is null))
            _form.TryNextAfter(form);
        return results;
    }

    /// <summary>
    /// Asks for several. Those that the answer leaves out are then asked for one by one: they are gone, or the server takes one only.
    /// </summary>
    private async Task PollTogetherAsync(
        string[] pkids,
        ConcurrentDictionary<string, PollResult> results,
        CancellationToken cancellationToken
    )
    {
        while (_form.Several is not Several.None)
        {
            Several form = _form.Several;
            int? answered = await TryPollAsync(form, pkids, results, cancellationToken).ConfigureAwait(false);
            if (answered == pkids.Length)
                _form.IsSure = true;
            if (answered is null or > 0 || _form.IsSure)
                return;
            _form.TryNextAfter(form);
        }
    }

    /// <summary>
    /// How many of them the answer had. Null where it was an error that may be of the form, of one of them, or of the server: those that
    /// are asked for alone tell.
    /// </summary>
    private async Task<int?> TryPollAsync(
        Several form,
        string[] pkids,
        ConcurrentDictionary<string, PollResult> results,
        CancellationToken cancellationToken
    )
    {
        string[] escaped = Array.ConvertAll(pkids, Uri.EscapeDataString);
        string query =
            HierarchyQuery(pkids[0])
            + (
                form == Several.Comma
                    ? $"transactions={string.Join(',', escaped)}"
                    : string.Join('&', escaped.Select(pkid => $"transactions={pkid}"))
            );
        try
        {
            Dictionary<string, PollEntry> answer = await routes
                .PollAsync(query, pkids.Length, isTrial: !_form.IsSure, cancellationToken)
                .ConfigureAwait(false);
            int answered = 0;
            foreach (string pkid in pkids)
            {
                if (EntryOf(answer, pkid) is not { } entry)
                    continue;
                results[pkid] = new PollResult(entry, null);
                answered++;
            }

            return answered;
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.NotAllowed or ErrorId.ServerError or ErrorId.InvalidAnswer)
        {
            return null;
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.Rejected or ErrorId.NotFound)
        {
            return 0;
        }
    }

    private async Task<PollResult> PollOneAsync(string pkid, CancellationToken cancellationToken)
    {
        try
        {
            return await TryByQueryAsync(pkid, cancellationToken).ConfigureAwait(false) is { } entry
                ? new PollResult(entry, null)
                : new PollResult(await PollByPathAsync(pkid, cancellationToken).ConfigureAwait(false), null);
        }
        catch (IngestException e) when (e.ErrorId == ErrorId.NotFound)
        {
            return await PollByReadingAsync(pkid, cancellationToken).ConfigureAwait(false);
        }
        catch (IngestException e)
        {
            return new PollResult(null, e);
        }
    }

    /// <summary>Null where the server does not know it, or not this form.</summary>
    private async Task<PollEntry?> TryByQueryAsync(string pkid, CancellationToken cancellationToken)
    {
        if (_form.IsByPath)
            return null;
        try
        {
            return EntryOf(
                await routes
                    .PollAsync($"{HierarchyQuery(pkid)}transactions={Uri.EscapeDataString(pkid)}", pkid, isTrial: false, cancellationToken)
                    .ConfigureAwait(false),
                pkid
            );
        }
        catch (IngestException e) when (e.ErrorId is ErrorId.Rejected or ErrorId.NotFound)
        {
            return null;
        }
    }

    private async Task<PollEntry> PollByPathAsync(string pkid, CancellationToken cancellationToken)
    {
        Dictionary<string, PollEntry> answer = await routes.PollOneAsync(pkid, cancellationToken).ConfigureAwait(false);
        PollEntry entry = EntryOf(answer, pkid) ?? throw NotFound(pkid, null);
        _form.IsByPath = true;
        return entry;
    }

    /// <summary>
    /// Reads the transaction itself, which is found without its hierarchy and names it. A server that has only the form with ?transactions=
    /// may not answer a poll without the hierarchy.
    /// </summary>
    private async Task<PollResult> PollByReadingAsync(string pkid, CancellationToken cancellationToken)
    {
        try
        {
            TransactionAnswer answer = await routes.ReadTransactionAsync(pkid, cancellationToken).ConfigureAwait(false);
            if (answer.Hierarchy is { Length: > 0 } hierarchy)
                _form.Hierarchies.TryAdd(pkid, hierarchy);
            return new PollResult(new PollEntry(answer.Status), null);
        }
        catch (IngestException e)
        {
            return new PollResult(null, e.ErrorId == ErrorId.NotFound ? NotFound(pkid, e) : e);
        }
    }

    private string? HierarchyOf(string pkid) => _form.Hierarchies.GetValueOrDefault(pkid);

    private string HierarchyQuery(string pkid) => HierarchyOf(pkid) is { } hierarchy ? $"hierarchy={Uri.EscapeDataString(hierarchy)}&" : "";

    /// <summary>Null where it is left out, or written as null.</summary>
    private static PollEntry? EntryOf(Dictionary<string, PollEntry> answer, string pkid) =>
        answer.TryGetValue(pkid, out PollEntry? exact)
            ? exact
            : answer.FirstOrDefault(entry => string.Equals(entry.Key, pkid, StringComparison.OrdinalIgnoreCase)).Value;

    private static IngestException NotFound(string pkid, IngestException? said) =>
        new(ErrorId.NotFound, $"VOSS knows no transaction {pkid}{(said?.ServerMessage is { } words ? $": {words}" : ".")}")
        {
            Service = IngestService.Voss,
            Operation = "poll transactions",
            StatusCode = said?.StatusCode,
            ServerMessage = said?.ServerMessage,
            Advice = "Check the id. The server's log is tidied up from time to time, and an old transaction is then gone.",
            Target = pkid,
        };

    private enum Several
    {
        Comma,
        Repeated,
        None,
    }

    /// <summary>What the server at the other end of a connection was found to take.</summary>
    private sealed class PollForm
    {
        private readonly object _gate = new();
        private Several _several;

        /// <summary>The hierarchies of transactions that were polled, by pkid.</summary>
        public ConcurrentDictionary<string, string> Hierarchies { get; } = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>How several are asked for.</summary>
        public Several Several
        {
            get
            {
                lock (_gate)
                    return _several;
            }
        }

        /// <summary>Whether that has worked.</summary>
        public volatile bool IsSure;

        /// <summary>Whether one is asked for by its path, since the other form was not known.</summary>
        public volatile bool IsByPath;

        /// <summary>Goes on to the next form, unless another look has done so.</summary>
        public void TryNextAfter(Several form)
        {
            lock (_gate)
                _several = _several == form && form != Several.None ? form + 1 : _several;
        }
    }
}

/// <summary>A transaction that is polled.</summary>
/// <param name="Pkid">The transaction.</param>
/// <param name="Hierarchy">Its hierarchy; null where that is not known.</param>
internal readonly record struct PollTarget(string Pkid, string? Hierarchy);

/// <summary>How a transaction stands, or why that is not known.</summary>
internal readonly record struct PollResult(PollEntry? Entry, IngestException? Error);
