using System.Text.Json;
using System.Text.Json.Nodes;
using IngestTools.Sandbox.Control;

namespace IngestTools.Sandbox.Services.Voss;

/// <summary>What can be set from another process; what is left out stays as it is.</summary>
internal sealed record VossSettings
{
    /// <summary>For --help.</summary>
    public const string Help = """
        OPTIONS OF VOSS, for --voss and its control route; the first value is the usual one
          rowsFail=["*bad*=>Not valid."]   rows with such a cell fail, with this message
          rowMs=2, queueMs=20              how long a row takes, and how long a load is queued at least
          rowPlace=Detail|Message|Nowhere  where a row's transaction tells its sheet and number
          partFailedStatus=Success         how a load ends of which some rows failed
          words={"Processing":"Busy"}      other words for statuses
          transactionShape=Flat|MetaAndData, timesEndInZ=false, rolledBackIsBoolean=false
          subTransactionsAPage=0           0 for all in one answer
          offersCancel=true, cancelMethod=POST
          pollIds=Comma|Repeated|OneElseRefused|OneElseEmpty, pollForms="Query, Path"
          faultShape=CodeAndMessage|ErrorText|ErrorObject|Detail|Errors|Text|Html|Empty
          missingSession=SignInPage|Redirect|Unauthorized, takesBasic=true
          requestsPerSecond=20             0 for no limit
          uploadNeedsHierarchy=false, maxUploadBytes=N, refusesUnknownFile=true
          userHierarchy=sys, mayBulkLoad=true
        """;

    public string[]? RowsFail { get; init; }

    public double? RowMs { get; init; }

    public double? QueueMs { get; init; }

    public VossRowPlace? RowPlace { get; init; }

    public string? PartFailedStatus { get; init; }

    public Dictionary<string, string>? Words { get; init; }

    public VossTransactionShape? TransactionShape { get; init; }

    public bool? TimesEndInZ { get; init; }

    public bool? RolledBackIsBoolean { get; init; }

    public int? SubTransactionsAPage { get; init; }

    public bool? OffersCancel { get; init; }

    public string? CancelMethod { get; init; }

    public VossPollIds? PollIds { get; init; }

    public VossPollForms? PollForms { get; init; }

    public VossFaultShape? FaultShape { get; init; }

    public VossMissingSession? MissingSession { get; init; }

    public bool? TakesBasic { get; init; }

    public int? RequestsPerSecond { get; init; }

    public bool? UploadNeedsHierarchy { get; init; }

    public long? MaxUploadBytes { get; init; }

    public bool? RefusesUnknownFile { get; init; }

    public string? UserHierarchy { get; init; }

    public bool? MayBulkLoad { get; init; }

    /// <summary>Reads the form of the command line, NAME=VALUE: a value that is no JSON is taken as text.</summary>
    /// <exception cref="JsonException">A setting does not exist, or its value cannot be.</exception>
    public static VossSettings Parse(string text)
    {
        string[] sides = text.Split('=', 2);
        return new JsonObject { [sides[0]] = ValueOf(sides.ElementAtOrDefault(1) ?? "true") }.Deserialize<VossSettings>(ControlBody.Strict)!;
    }

    /// <summary>Sets what is given.</summary>
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
    }

    private void ApplyAccess(VossOptions options)
    {
        if (RequestsPerSecond is { } most)
            options.RequestsPerSecond = most > 0 ? most : null;
        options.FaultShape = FaultShape ?? options.FaultShape;
        options.MissingSession = MissingSession ?? options.MissingSession;
        options.TakesBasic = TakesBasic ?? options.TakesBasic;
        options.Users = options.Users
            .Select(user => user with { Hierarchy = UserHierarchy ?? user.Hierarchy, MayBulkLoad = MayBulkLoad ?? user.MayBulkLoad }).ToArray();
    }

    private static JsonNode? ValueOf(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
