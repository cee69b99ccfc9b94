using System.ComponentModel;
using IngestTools.Sandbox.NamedOptions;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>The options of VOSS Automate. Those that are not set stay as they are.</summary>
internal sealed record VossSettings
{
    [Description("the administrator's name; default hcsadmin@sys.hcs")]
    public string? User { get; init; }

    [Secret]
    [Description("the administrator's password; default \"test\"")]
    public string? Password { get; init; }

    [Description("the node of the hierarchy that the administrator works at; default sys")]
    public string? UserHierarchy { get; init; }

    [Description("the administrator may run bulk loads; default true")]
    public bool? MayBulkLoad { get; init; }

    [Description("rows with a cell like this fail; the message comes after =>, as in *bad*=>Not valid.; can be given several times")]
    public string[]? RowsFail { get; init; }

    [Description("milliseconds that a row takes; default 2")]
    public double? RowMs { get; init; }

    [Description("milliseconds that a load is queued at least; default 20")]
    public double? QueueMs { get; init; }

    [Description("where a row's transaction names its sheet and number; default Detail")]
    public VossRowPlace? RowPlace { get; init; }

    [Description("how a load ends in which some rows failed; default Success")]
    public string? PartFailedStatus { get; init; }

    [Description("other words for statuses, as in {\"Processing\":\"Busy\"}")]
    public Dictionary<string, string>? Words { get; init; }

    [Description("the form of an answer about one transaction; default Flat")]
    public VossTransactionShape? TransactionShape { get; init; }

    [Description("times end in Z")]
    public bool? TimesEndInZ { get; init; }

    [Description("rolled_back is true or false, and not Yes or No")]
    public bool? RolledBackIsBoolean { get; init; }

    [Description("the maximum number of sub-transactions in an answer; default 0, which is all")]
    public int? SubTransactionsAPage { get; init; }

    [Description("a running transaction offers an action that cancels it; default true")]
    public bool? OffersCancel { get; init; }

    [Description("the HTTP method of that action; default POST")]
    public string? CancelMethod { get; init; }

    [Description("how one poll can ask for several transactions; default Comma")]
    public VossPollIds? PollIds { get; init; }

    [Description("the forms of the poll that exist, with commas between; default \"Query, Path\"")]
    public VossPollForms? PollForms { get; init; }

    [Description("whether the poll with ?transactions= needs the hierarchy; default false")]
    public bool? PollNeedsHierarchy { get; init; }

    [Description("the form of errors; default CodeAndMessage")]
    public VossFaultShape? FaultShape { get; init; }

    [Description("the answer to a request without a session; default SignInPage")]
    public VossMissingSession? MissingSession { get; init; }

    [Description("HTTP Basic is accepted; default true")]
    public bool? TakesBasic { get; init; }

    [Description("the maximum number of requests in a second; default 20, and 0 for no limit")]
    public int? RequestsPerSecond { get; init; }

    [Description("an upload must name a hierarchy")]
    public bool? UploadNeedsHierarchy { get; init; }

    [Description("the maximum size of an upload")]
    public long? MaxUploadBytes { get; init; }

    [Description("a load of an unknown file is refused at once; default true")]
    public bool? RefusesUnknownFile { get; init; }

    /// <summary>Sets the options that were given.</summary>
    public void ApplyTo(VossOptions options)
    {
        ApplyLoads(options);
        ApplyTransactions(options);
        ApplyAccess(options);
    }

    private void ApplyLoads(VossOptions options)
    {
        if (RowsFail is not null)
            options.RowFails = VossOptions.RowsLike(RowsFail);
        if (RowMs is { } row)
            options.TimePerRow = TimeSpan.FromMilliseconds(row);
        if (QueueMs is { } queue)
            options.QueueTime = TimeSpan.FromMilliseconds(queue);
        options.RowPlace = RowPlace ?? options.RowPlace;
        options.PartFailedStatus = PartFailedStatus ?? options.PartFailedStatus;
        options.UploadNeedsHierarchy = UploadNeedsHierarchy ?? options.UploadNeedsHierarchy;
        options.MaxUploadBytes = MaxUploadBytes ?? options.MaxUploadBytes;
        options.RefusesUnknownFile = RefusesUnknownFile ?? options.RefusesUnknownFile;
    }

    private void ApplyTransactions(VossOptions options)
    {
        if (Words is { } words)
            options.Word = status => words.GetValueOrDefault(status, status);
        if (SubTransactionsAPage is { } page)
            options.SubTransactionsAPage = page > 0 ? page : null;
        options.TransactionShape = TransactionShape ?? options.TransactionShape;
        options.TimesEndInZ = TimesEndInZ ?? options.TimesEndInZ;
        options.RolledBackIsBoolean = RolledBackIsBoolean ?? options.RolledBackIsBoolean;
        options.OffersCancel = OffersCancel ?? options.OffersCancel;
        options.CancelMethod = CancelMethod ?? options.CancelMethod;
        options.PollIds = PollIds ?? options.PollIds;
        options.PollForms = PollForms ?? options.PollForms;
        options.PollNeedsHierarchy = PollNeedsHierarchy ?? options.PollNeedsHierarchy;
    }

    private void ApplyAccess(VossOptions options)
    {
        if (RequestsPerSecond is { } most)
            options.RequestsPerSecond = most > 0 ? most : null;
        options.FaultShape = FaultShape ?? options.FaultShape;
        options.MissingSession = MissingSession ?? options.MissingSession;
        options.TakesBasic = TakesBasic ?? options.TakesBasic;
        options.Users = options
            .Users.Select(
                (user, i) => WithRights(i > 0 ? user : user with { Name = User ?? user.Name, Password = Password ?? user.Password })
            )
            .ToArray();

        VossUser WithRights(VossUser user) =>
            user with
            {
                Hierarchy = UserHierarchy ?? user.Hierarchy,
                MayBulkLoad = MayBulkLoad ?? user.MayBulkLoad,
            };
    }
}
