using System.IO.Compression;
using System.Security;
using System.Threading.Channels;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Sandbox.Faults;
using IngestTools.Sandbox.Services.Voss;
using IngestTools.Scheduling;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Demo;

/// <summary>
/// VOSS Automate from end to end: send a workbook, load it, look at the rows that failed, fix them, load again, and schedule a load.
/// </summary>
internal static class VossDemo
{
    private const string Hierarchy = "sys.hcs.Provider";

    public static async Task<bool> RunAsync(TextWriter console, DemoReport report, CancellationToken cancellationToken)
    {
        // The server refuses emails without an at sign, and 5% of all reads are answered with 503: what must not be done twice is not sent
        // again after one.
        VossOptions server = new()
        {
            RowFails = row => row.Cells.TryGetValue("Email", out string? email) && !email.Contains('@') ? "The email is not valid." : null,
        };
        await using SandboxServer sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Voss = server, Faults = [Fault.Parse("503=5%,GET")] },
            cancellationToken
        );
        string folder = Directory.CreateTempSubdirectory("ingesttools-demo-").FullName;
        try
        {
            using IngestConnection connection = IngestConnection.Open(
                new ConnectionSettings
                {
                    Service = IngestService.Voss,
                    Uri = sandbox.Uri,
                    SignIn = SignInKind.Password,
                    UserName = "hcsadmin@sys.hcs",
                    Secret = _ => ValueTask.FromResult("test"),
                }
            );
            VossClient client = new(connection);
            await console.WriteLineAsync($"\nVOSS Automate, imitated at {sandbox.Uri}, with 5% of reads answered 503\n");

            string path = Path.Join(folder, "users.xlsx");
            WriteWorkbook(path, ("jane", "jane@example.org"), ("joe", "joe at example.org"), ("jill", "jill@example.org"));
            Transaction first = await LoadAsync(client, connection, path, console, report, cancellationToken);
            WriteWorkbook(path, ("joe", "joe@example.org"));
            Transaction second = await LoadAsync(client, connection, path, console, report, cancellationToken);

            ScheduleTime time = ScheduleTime.Resolve("2040-12-01 02:30", "Asia/Kathmandu", DateTimeOffset.UtcNow, force: false);
            Transaction schedule = await client.ScheduleAsync(second.FileName!, Hierarchy, time, cancellationToken);
            Row(console, "schedule", schedule.Message!);

            bool once = sandbox.Voss.Transactions.Count == 3;
            Row(console, "proof", once ? "the server was asked for each load exactly once" : "a load was not asked for exactly once");
            return once
                && first.Status == TransactionStatus.PartlySucceeded
                && second.Status == TransactionStatus.Succeeded
                && sandbox.Voss.Schedules.Count == 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Transaction> LoadAsync(
        VossClient client,
        IngestConnection connection,
        string path,
        TextWriter console,
        DemoReport report,
        CancellationToken cancellationToken
    )
    {
        UploadResult sent = await SendAsync(client, path, cancellationToken);
        report.Add(sent);
        Row(console, "send", $"{sent.Status} as {sent.FileName}");
        Transaction load = await client.StartAsync(sent.FileName!, Hierarchy, cancellationToken);

        Channel<WaitRequest> requests = Channel.CreateUnbounded<WaitRequest>();
        requests.Writer.TryWrite(new WaitRequest(load, TransactionSources.For(connection, NullLogger.Instance)));
        requests.Writer.Complete();
        await foreach (WaitEvent happened in new TransactionWaiter(new WaitOptions()).WaitAsync(requests.Reader, cancellationToken))
        {
            load = happened.Transaction;
            if (happened is WaitEvent.Failed failed)
                Row(console, "", $"{failed.Error.ErrorId}: {failed.Error.Message}");
        }

        report.Add(load);
        Row(console, "start and wait", $"{load.Status}, {load.Completed} of {load.Total} rows");
        return load;
    }

    private static async Task<UploadResult> SendAsync(VossClient client, string path, CancellationToken cancellationToken)
    {
        Channel<UploadRequest> requests = Channel.CreateUnbounded<UploadRequest>();
        requests.Writer.TryWrite(new UploadRequest(path, client.CreateUploadTarget(Hierarchy, uniqueNames: true)));
        requests.Writer.Complete();
        List<UploadResult> results = [];
        await foreach (
            UploadResult result in new UploadEngine(new UploadOptions(), NullLogger.Instance).SendAsync(requests.Reader, cancellationToken)
        )
            results.Add(result);
        return results.Single();
    }

    /// <summary>The smallest workbook: a sheet "Users" with two columns.</summary>
    private static void WriteWorkbook(string path, params (string Name, string Email)[] users)
    {
        const string Main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
        const string Related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        IEnumerable<(string, string)> rows = [("Username", "Email"), .. users];
        using ZipArchive zip = new(File.Create(path), ZipArchiveMode.Create);
        const string Types = "application/vnd.openxmlformats-officedocument.spreadsheetml";
        Add(
            "[Content_Types].xml",
            $"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
                + "<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
                + $"<Override PartName=\"/xl/workbook.xml\" ContentType=\"{Types}.sheet.main+xml\"/>"
                + $"<Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"{Types}.worksheet+xml\"/></Types>"
        );
        Add(
            "_rels/.rels",
            $"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" "
                + $"Type=\"{Related}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        Add(
            "xl/workbook.xml",
            $"<workbook {Main} xmlns:r=\"{Related}\"><sheets><sheet name=\"Users\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
        );
        Add(
            "xl/_rels/workbook.xml.rels",
            $"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" "
                + $"Type=\"{Related}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
        );
        string cells = string.Concat(rows.Select(row => $"<row>{Cell(row.Item1)}{Cell(row.Item2)}</row>"));
        Add("xl/worksheets/sheet1.xml", $"<worksheet {Main}><sheetData>{cells}</sheetData></worksheet>");

        void Add(string name, string content)
        {
            using StreamWriter writer = new(zip.CreateEntry(name).Open());
            writer.Write(content);
        }
    }

    private static string Cell(string text) => $"<c t=\"inlineStr\"><is><t>{SecurityElement.Escape(text)}</t></is></c>";

    private static void Row(TextWriter console, string step, string what) => console.WriteLine($"  {step, -16}{what}");
}
