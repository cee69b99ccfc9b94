namespace IngestTools.Transactions;

/// <summary>Pauses between polls: short at first, since many transactions end at once, then longer.</summary>
internal static class PollPause
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private const double Growth = 1.5;

    private const double Jitter = 0.1;

    public static TimeSpan Next(TimeSpan pause) => Next(pause, Longest);

    public static TimeSpan Next(TimeSpan pause, TimeSpan longest) => pause * Growth < longest ? pause * Growth : longest;

    /// <summary>A pause made up to a tenth longer or shorter, so that many waiting clients do not poll in step.</summary>
    public static TimeSpan WithJitter(TimeSpan pause) => pause * (1 - Jitter + 2 * Jitter * Random.Shared.NextDouble());
}
