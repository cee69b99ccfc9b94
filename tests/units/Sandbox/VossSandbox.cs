using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Units.Support;

namespace IngestTools.Units.Sandbox;

/// <summary>A sandbox with a plain HttpClient that signs in by Basic, and the calls that most tests begin with.</summary>
internal sealed class VossSandbox : HttpFixture
{
    public const string UserName = "hcsadmin@sys.hcs";

    public const string Password = "pass:wörd";

    public const string Provider = "sys.hcs.Provider";

    private VossSandbox(SandboxServer server)
        : base(server) => Client.DefaultRequestHeaders.Authorization = Basic(UserName, Password);

    public VossState Voss => Server.Voss;

    public VossOptions Options => Server.Voss.Options;

    public static AuthenticationHeaderValue Basic(string userName, string password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}")));

    public static async Task<VossSandbox> StartAsync(Action<VossOptions>? set = null, TimeProvider? clock = null)
    {
        SandboxOptions options = new() { Seed = 1, Clock = clock ?? TimeProvider.System };
        options.Voss.Users = [new VossUser(UserName, Password)];
        options.Voss.TimePerRow = options.Voss.QueueTime = TimeSpan.Zero;
        options.Voss.RequestsPerSecond = null;
        set?.Invoke(options.Voss);
        return new VossSandbox(await SandboxServer.StartAsync(options));
    }

    public Task<HttpResponseMessage> PostJsonAsync(string path, object body) => PostAsync(path, JsonContent.Create(body));

    public Task<HttpResponseMessage> UploadAsync(string name, byte[] content, string query = "?hierarchy=" + Provider)
    {
        MultipartFormDataContent form = [];
        form.Add(new ByteArrayContent(content), "uploadedfile", name);
        return PostAsync("api/uploadfiles/" + query, form);
    }

    public Task<HttpResponseMessage> LoadAsync(object order, string hierarchy = Provider, string nowait = "true") =>
        PostJsonAsync(
            $"api/tool/BulkLoad/?hierarchy={Uri.EscapeDataString(hierarchy)}&method=bulkload_spreadsheet&nowait={nowait}&format=json",
            order
        );

    /// <summary>Uploads a workbook and begins to load it; the load's pkid.</summary>
    public async Task<string> StartLoadAsync(TestWorkbook workbook, string name = "book.xlsx")
    {
        using HttpResponseMessage upload = await UploadAsync(name, workbook.ToBytes());
        using HttpResponseMessage load = await LoadAsync(new { bulkload_file = name, execute_immediately = true });
        return (await JsonAsync(load)).GetProperty("transaction_id").GetString()!;
    }

    /// <summary>Uploads a workbook, loads it, and waits for the load's end.</summary>
    public async Task<JsonElement> RunLoadAsync(TestWorkbook workbook)
    {
        string pkid = await StartLoadAsync(workbook);
        await WaitUntilAsync(() => Voss.Transactions.Any(t => t.Pkid == pkid && t.HasEnded));
        return await GetTransactionAsync(pkid);
    }

    public async Task<JsonElement> GetTransactionAsync(string pkid)
    {
        using HttpResponseMessage answer = await GetAsync($"api/tool/Transaction/{pkid}/?format=json");
        return await JsonAsync(answer);
    }

    /// <summary>The transactions of the rows, in their order: they are two levels down.</summary>
    public async Task<List<JsonElement>> GetRowsAsync(JsonElement load)
    {
        JsonElement step = load.GetProperty("sub_transactions")
            .EnumerateArray()
            .Single(t => t.GetProperty("action").GetString() == "Execute Resource");
        JsonElement parts = await GetTransactionAsync(step.GetProperty("transaction").GetString()!.TrimEnd('/').Split('/')[^1]);
        return parts.GetProperty("sub_transactions").EnumerateArray().Reverse().ToList();
    }

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
}
