namespace IngestTools.Sandbox.Services.Voss;

/// <summary>An administrator.</summary>
/// <param name="Name">May hold an at sign, as in "hcsadmin@sys.hcs", and no colon.</param>
/// <param name="Password">In plain text: it protects nothing but a sandbox. May hold colons.</param>
public sealed record VossUser(string Name, string Password)
{
    /// <summary>The node at and below which the user may work.</summary>
    public string Hierarchy { get; init; } = "sys";

    /// <summary>
    /// Whether the user's access profile allows bulk loads; where not, the load's transaction fails and no row is loaded.
    /// </summary>
    public bool MayBulkLoad { get; init; } = true;
}

/// <summary>The shapes that an answer about one transaction is documented in.</summary>
public enum VossTransactionShape
{
    /// <summary>All fields at the top.</summary>
    Flat,

    /// <summary>The fields below "data", and what belongs to the form below "meta".</summary>
    MetaAndData,
}

/// <summary>How one poll may ask for several transactions, which the documentation leaves open.</summary>
public enum VossPollIds
{
    /// <summary>?transactions=a,b</summary>
    Comma,

    /// <summary>?transactions=a&amp;transactions=b</summary>
    Repeated,

    /// <summary>One only; more are refused with 400.</summary>
    OneElseRefused,

    /// <summary>One only; more are taken for one id that nobody knows, and the answer's map is empty.</summary>
    OneElseEmpty,

    /// <summary>One only; more end in 500.</summary>
    OneElseFailed,

    /// <summary>One only; more are refused with 403.</summary>
    OneElseForbidden,
}

/// <summary>The forms of the poll that exist.</summary>
[Flags]
public enum VossPollForms
{
    /// <summary>Transaction/poll/?transactions=</summary>
    Query = 1,

    /// <summary>Transaction/[pkid]/poll/</summary>
    Path = 2,
}

/// <summary>What a request without a good session gets. A wrong Basic password is always 401.</summary>
public enum VossMissingSession
{
    /// <summary>200 with the page to sign in on.</summary>
    SignInPage,

    /// <summary>302 to that page.</summary>
    Redirect,

    /// <summary>401 with a fault.</summary>
    Unauthorized,
}

/// <summary>The forms a fault's body may have, of which the documentation shows none.</summary>
public enum VossFaultShape
{
    /// <summary><c>{"http_code":..,"code":..,"message":".."}</c></summary>
    CodeAndMessage,

    /// <summary><c>{"error":".."}</c></summary>
    ErrorText,

    /// <summary><c>{"error":{"code":..,"message":".."}}</c></summary>
    ErrorObject,

    /// <summary><c>{"detail":".."}</c></summary>
    Detail,

    /// <summary><c>{"errors":[{"message":".."}]}</c></summary>
    Errors,

    /// <summary>Plain text.</summary>
    Text,

    /// <summary>A web page.</summary>
    Html,

    /// <summary>Nothing.</summary>
    Empty,
}

/// <summary>Where a row's transaction has the number of its row.</summary>
public enum VossRowPlace
{
    /// <summary>In its detail.</summary>
    Detail,

    /// <summary>In its message.</summary>
    Message,

    /// <summary>Nowhere.</summary>
    Nowhere,
}

/// <summary>One row of data of a workbook.</summary>
/// <param name="Sheet">The sheet's name.</param>
/// <param name="Number">The row's number in the sheet, from 1, as a spreadsheet shows it.</param>
/// <param name="Entity">What the row is loaded into, for example "data/User".</param>
/// <param name="Cells">The values by column; empty cells are not in it.</param>
public sealed record VossRow(string Sheet, int Number, string Entity, IReadOnlyDictionary<string, string> Cells);

/// <summary>
/// How VOSS Automate behaves. Properties are read at each use and may be set while the sandbox runs. What its documentation leaves open can
/// be had either way.
/// </summary>
public sealed class VossOptions
{
    /// <summary>Who can sign in.</summary>
    public IReadOnlyList<VossUser> Users { get; set; } = [new VossUser("hcsadmin@sys.hcs", "test")];

    /// <summary>The hierarchy: dotted paths, each below one that came before. Read once, when the sandbox starts.</summary>
    public IReadOnlyList<string> Hierarchies { get; set; } =
    ["sys", "sys.hcs", "sys.hcs.Provider", "sys.hcs.Provider.Customer", "sys.hcs.Provider.Customer.Main Site - North"];

    /// <summary>Whether HTTP Basic is taken.</summary>
    public bool TakesBasic { get; set; } = true;

    /// <summary>How long a session lasts.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What a request without a good session gets.</summary>
    public VossMissingSession MissingSession { get; set; } = VossMissingSession.SignInPage;

    /// <summary>How many requests a user may make in a second; more are 429 without Retry-After. Null for no limit.</summary>
    public int? RequestsPerSecond { get; set; } = 20;

    /// <summary>The form of faults.</summary>
    public VossFaultShape FaultShape { get; set; } = VossFaultShape.CodeAndMessage;

    /// <summary>Whether an upload must name a hierarchy: the documentation's table has it, its example does not.</summary>
    public bool UploadNeedsHierarchy { get; set; }

    /// <summary>The largest upload; more is 413. Null for no limit.</summary>
    public long? MaxUploadBytes { get; set; }

    /// <summary>The name that the server gives an uploaded file.</summary>
    public Func<string, string> NameGiven { get; set; } = static name => name;

    /// <summary>Whether a load of a file that is not there is refused at once with 400; else its transaction fails.</summary>
    public bool RefusesUnknownFile { get; set; } = true;

    /// <summary>The shape of an answer about one transaction.</summary>
    public VossTransactionShape TransactionShape { get; set; } = VossTransactionShape.Flat;

    /// <summary>Whether times end in Z; they are in UTC either way.</summary>
    public bool TimesEndInZ { get; set; }

    /// <summary>Whether rolled_back is true or false; else "Yes" or "No".</summary>
    public bool RolledBackIsBoolean { get; set; }

    /// <summary>
    /// The rows of a load that are kept as sub-transactions although they succeeded. What succeeds after them is counted, and forgotten, so
    /// that a workbook of millions of rows takes no more memory than one of thousands. Rows that fail are always kept.
    /// </summary>
    public int SucceededRowsKept { get; set; } = 50_000;

    /// <summary>The most sub-transactions in one answer, which then pages them by skip and limit; null for all.</summary>
    public int? SubTransactionsAPage { get; set; }

    /// <summary>Whether a transaction that runs offers an action to cancel it.</summary>
    public bool OffersCancel { get; set; } = true;

    /// <summary>The HTTP method of that action.</summary>
    public string CancelMethod { get; set; } = "POST";

    /// <summary>How one poll may ask for several transactions.</summary>
    public VossPollIds PollIds { get; set; } = VossPollIds.Comma;

    /// <summary>The forms of the poll that exist.</summary>
    public VossPollForms PollForms { get; set; } = VossPollForms.Query | VossPollForms.Path;

    /// <summary>
    /// Whether the poll with ?transactions= needs the hierarchy, as every address without a pkid in it does by the documentation.
    /// </summary>
    public bool PollNeedsHierarchy { get; set; }

    /// <summary>How a load ends whose rows ran one after the other and some failed.</summary>
    public string PartFailedStatus { get; set; } = "Success";

    /// <summary>The word that stands for a status in answers: the identity, or what another release says.</summary>
    public Func<string, string> Word { get; set; } = static status => status;

    /// <summary>Where a row's transaction has the number of its row.</summary>
    public VossRowPlace RowPlace { get; set; } = VossRowPlace.Detail;

    /// <summary>How many loads run at once; the others are queued.</summary>
    public int Workers { get; set; } = 30;

    /// <summary>How long a load is queued at least: bulk loads have the lowest priority.</summary>
    public TimeSpan QueueTime { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a row takes.</summary>
    public TimeSpan TimePerRow { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Why the row fails, or null where it does not.</summary>
    public Func<VossRow, string?> RowFails { get; set; } = static _ => null;

    /// <summary>Whether GET /api/tool/Transaction/ lists transactions.</summary>
    public bool ListsTransactions { get; set; } = true;

    /// <summary>Awaited while a load is queued, with its file's name: a test can hold it there, and release it.</summary>
    public Func<string, Task> BeforeLoad { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Awaited before each row.</summary>
    public Func<VossRow, Task> BeforeRow { get; set; } = static _ => Task.CompletedTask;

    /// <summary>
    /// A rule for <see cref="RowFails"/>: rows with a cell that fits one of the patterns, in which "*" is anything but a slash and "**"
    /// anything. What follows "=>" in a pattern is the row's message.
    /// </summary>
    public static Func<VossRow, string?> RowsLike(params string[] patterns)
    {
        const string UsualMessage = "The value is not valid.";
        (Glob Pattern, string Message)[] rules = Array.ConvertAll(
            patterns,
            static text =>
            {
                string[] sides = text.Split("=>", 2, StringSplitOptions.TrimEntries);
                return (Glob.ForPath(sides[0]), sides.Length == 2 ? sides[1] : UsualMessage);
            }
        );
        return row => rules.FirstOrDefault(rule => row.Cells.Values.Any(rule.Pattern.IsMatch)).Message;
    }
}
