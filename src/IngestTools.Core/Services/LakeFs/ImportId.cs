namespace IngestTools.Services.LakeFs;

/// <summary>What an import is found by. The branch serves the server for permissions alone, and must be given.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Branch">The branch.</param>
/// <param name="Import">The server's own id.</param>
/// <param name="IsLegacy">Whether the id goes in a JSON body.</param>
internal sealed record ImportId(string Repository, string Branch, string Import, bool IsLegacy)
{
    public const string Scheme = "lakefs";

    public const string LegacyScheme = "lakefs-legacy";

    /// <summary>
    /// The server makes ids that begin with their time: 12 bytes in base 32, of which the first 4 are seconds since 1970.
    /// </summary>
    private const string IdAlphabet = "0123456789abcdefghijklmnopqrstuv";

    private const int IdLength = 20;

    /// <summary>When the server made the id, by its own clock; null where the id is of another form.</summary>
    public DateTimeOffset? MadeAt
    {
        get
        {
            if (Import.Length != IdLength || !Import.All(IdAlphabet.Contains))
                return null;
            // 32 bits in digits of 5: six, and two bits of the seventh.
            long bits = Import
                .Take(7)
                .Aggregate(0L, static (sum, digit) => (sum << 5) | (uint)IdAlphabet.IndexOf(digit, StringComparison.Ordinal));
            return DateTimeOffset.FromUnixTimeSeconds(bits >> 3);
        }
    }

    public static ImportId Of(Transaction transaction) =>
        new(
            transaction.Repository!,
            transaction.Branch!,
            transaction.ImportId!,
            transaction.Id.StartsWith(LegacyScheme + ":", StringComparison.OrdinalIgnoreCase)
        );

    public override string ToString()
    {
        string scheme = IsLegacy ? LegacyScheme : Scheme;
        return $"{scheme}:{Uri.EscapeDataString(Repository)}/{Uri.EscapeDataString(Branch)}/{Uri.EscapeDataString(Import)}";
    }
}
