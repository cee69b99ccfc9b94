using System.Net;
using IngestTools.Reports;

namespace IngestTools.Units.Reports;

/// <summary>Rows for tests of reports.</summary>
internal static class ReportSamples
{
    public const string HostileName = "box/<script>alert(1)</script>.tif";

    public const string HostileWords = "<img src=x onerror=alert(2)> \"quoted\" & 'more'";

    public static readonly DateTimeOffset Start = new(2026, 11, 26, 22, 0, 0, TimeSpan.FromHours(1));

    public static UploadResult Sent(int number, string? name = null) =>
        new()
        {
            Path = $"/scans/{name ?? $"box {number % 7}/page {number}.tif"}",
            RemoteName = name ?? $"box {number % 7}/page {number}.tif",
            Shortcode = "0001",
            Length = 1000 + (number * 37_411L % 4_000_000),
            Sha256 = new string('a', 64),
            Status = UploadStatus.Uploaded,
            Attempts = 1,
            Duration = TimeSpan.FromMilliseconds(20 + (number % 90)),
            Connection = "archive",
            Server = "https://user:secret-word@dsp.example.org/?token=abcdefghijkl",
        };

    public static UploadResult Failed(string name, ErrorId id, string message, string? serverMessage = null, int? status = null) =>
        new()
        {
            Path = $"/scans/{name}",
            RemoteName = name,
            Shortcode = "0001",
            Length = 10,
            Status = UploadStatus.Failed,
            Error = new IngestException(id, message)
            {
                ServerMessage = serverMessage,
                StatusCode = (HttpStatusCode?)status,
                RequestId = "r-1",
            },
            Server = "https://dsp.example.org/",
        };

    public static UploadResult Skipped(string name, SkipReason reason) =>
        new()
        {
            Path = $"/scans/{name}",
            RemoteName = name,
            Shortcode = "0001",
            Status = UploadStatus.Skipped,
            Reason = reason,
        };

    public static Transaction Ended(string id, TransactionStatus status, int from, int seconds, string? message = null) =>
        new()
        {
            Id = id,
            Kind = TransactionKind.BulkIngest,
            Status = status,
            Completed = 9,
            Total = 10,
            Unit = "files",
            StartedAt = Start.AddSeconds(from),
            CompletedAt = Start.AddSeconds(from + seconds),
            Message = message,
            Server = "https://dsp.example.org/",
        };

    /// <summary>A row of each kind and each end, hostile names and words among them.</summary>
    public static IEnumerable<ReportRow> Mixed()
    {
        for (int i = 0; i < 240; i++)
            yield return ReportRows.Of(Sent(i), Start.AddSeconds(i * 0.7 + (i % 11)));
        yield return ReportRows.Of(Sent(1, "a-very-long-name-without-any-space-" + new string('x', 180) + ".tif"), Start.AddSeconds(30));
        yield return ReportRows.Of(Sent(1, "=HYPERLINK(\"http://example.org\").tif"), Start.AddSeconds(31));
        for (int i = 0; i < 25; i++)
        {
            string name = $"box/locked {i}.tif";
            yield return ReportRows.Of(
                Failed(name, ErrorId.Conflict, $"DspIngest answered 409 to '{name}'.", $"Project is busy, {name} not taken.", 409)
            );
        }

        yield return ReportRows.Of(Failed(HostileName, ErrorId.Rejected, $"'{HostileName}' was refused.", HostileWords, 400));
        yield return ReportRows.Of(
            Failed("a.tif", ErrorId.ServerError, "Bearer abcdefghij1234567890abcdef was not accepted by a.", null, 500)
        );
        yield return ReportRows.Of(Skipped("old.tif", SkipReason.AlreadyIngested));
        Transaction[] transactions =
        [
            Ended("dsp:0001", TransactionStatus.PartlySucceeded, 200, 90, "1 of 10 files was left over."),
            Ended("dsp:0002", TransactionStatus.Succeeded, 250, 60),
            Ended("dsp:0003", TransactionStatus.Failed, 310, 20, HostileWords),
            Ended("dsp:0004", TransactionStatus.Canceled, 320, 5),
            Ended("dsp:0005", TransactionStatus.Running, 330, 5) with
            {
                CompletedAt = null,
            },
        ];
        foreach (ReportRow row in transactions.SelectMany(ReportRows.Of))
            yield return row;
        Transaction load = Ended("voss:7", TransactionStatus.PartlySucceeded, 340, 8) with
        {
            Kind = TransactionKind.BulkLoad,
            FileName = "users.xlsx",
            SubTransactions =
            [
                new SubTransaction
                {
                    TransactionId = "1",
                    Status = TransactionStatus.Failed,
                    Sheet = "Users",
                },
                new SubTransaction
                {
                    TransactionId = "2",
                    Status = TransactionStatus.Failed,
                    Sheet = "Users",
                    Row = 3,
                    Message = "Bad email.",
                },
                new SubTransaction
                {
                    TransactionId = "3",
                    Status = TransactionStatus.Succeeded,
                    Sheet = "Users",
                    Row = 4,
                },
            ],
        };
        foreach (ReportRow row in ReportRows.Of(load))
            yield return row;
        yield return ReportRows.Of(
            new IngestMapping
            {
                Shortcode = "0001",
                Original = "a.tif",
                Derivative = "x.jpx",
                Ingested = true,
                Verified = true,
            }
        );
        yield return ReportRows.Of(
            new IngestMapping
            {
                Shortcode = "0001",
                Original = "b.tif",
                Derivative = "y.jpx",
                Ingested = true,
                Verified = false,
            }
        );
        yield return ReportRows.Of(new IngestMapping { Shortcode = "0001", Original = "c.tif" });
        yield return ReportRows.Of(
            new LinkingBatchItem
            {
                ProjectId = "p",
                BatchId = "b",
                DataId = "fil.1",
                Status = "LINKED",
            }
        );
        yield return ReportRows.Of(
            new LinkingBatchItem
            {
                ProjectId = "p",
                BatchId = "b",
                DataId = "fil.2",
                Status = "FAILED",
                Reason = "No access.",
            }
        );
        yield return ReportRows.Of(
            new BulkLoadRun
            {
                Id = "run:1",
                Name = "nightly",
                Status = RunStatus.Missed,
                DueAt = Start,
                Message = "The scheduler was down.",
            }
        );
        yield return ReportRows.Of(
            new IngestJob
            {
                Id = "job:1",
                Server = "https://dsp.example.org/",
                Status = IngestJobStatus.Completed,
                StartedAt = Start,
                CompletedAt = Start.AddMinutes(3),
                Uploaded = 242,
                Failed = 27,
                Skipped = 1,
                Bytes = 1 << 28,
            }
        );
    }

    public static async IAsyncEnumerable<T> StreamAsync<T>(IEnumerable<T> rows)
    {
        foreach (T row in rows)
            yield return row;
        await Task.CompletedTask;
    }
}
