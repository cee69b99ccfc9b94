using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using IngestTools.Connections;
using IngestTools.Sandbox;
using IngestTools.Services.Ica;
using IngestTools.Transactions;
using IngestTools.Units.Hostile;
using IngestTools.Units.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Xunit.Abstractions;

namespace IngestTools.Units.Core;

/// <summary>
/// The real answers of the sandbox, changed as broken servers, proxies and attackers do, for all operations of the four services.
/// INGESTTOOLS_FUZZ_COUNT sets how many (tests/bench/fuzz.ps1 runs 100,000), INGESTTOOLS_FUZZ_SEED the seed, INGESTTOOLS_FUZZ_FIRST the
/// number of the first. The same seed makes the same changes.
/// </summary>
public sealed partial class FuzzTests(ITestOutputHelper output)
{
    private const int DefaultCount = 1500;
    private const int DefaultSeed = 20261126;

    /// <summary>How many times as fast as the machine's the clock of an operation goes: pauses and timeouts are short.</summary>
    private const int Haste = 100;

    /// <summary>An operation of this length hangs.</summary>
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(120);

    private const long MemoryLimit = 256 * 1024 * 1024;

    /// <summary>What an answer can mean. All else would be about this machine.</summary>
    private static readonly HashSet<ErrorId> Fitting =
    [
        ErrorId.NotSignedIn,
        ErrorId.NotAllowed,
        ErrorId.NotFound,
        ErrorId.Rejected,
        ErrorId.Conflict,
        ErrorId.Locked,
        ErrorId.TooLarge,
        ErrorId.TooManyRequests,
        ErrorId.ServerError,
        ErrorId.CircuitOpen,
        ErrorId.ConnectionFailed,
        ErrorId.TimedOut,
        ErrorId.NoProgress,
        ErrorId.Redirected,
        ErrorId.InvalidAnswer,
        ErrorId.OutcomeUnknown,
        ErrorId.NameRejected,
        ErrorId.MappingUnsaved,
        ErrorId.LeftOvers,
        ErrorId.ItemFailed,
        ErrorId.TransactionFailed,
        ErrorId.WaitTimedOut,
        ErrorId.CannotCancel,
    ];

    private static readonly JsonSerializerOptions Shown = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 200,
    };

    [Fact]
    public async Task Every_mutated_answer_ends_in_a_result_or_a_fitting_error()
    {
        int count = NumberOf("INGESTTOOLS_FUZZ_COUNT", DefaultCount);
        int seed = NumberOf("INGESTTOOLS_FUZZ_SEED", DefaultSeed);
        int first = NumberOf("INGESTTOOLS_FUZZ_FIRST", 0);
        using TemporaryFolder folder = new();
        Operations operations = new(folder);
        await using SandboxServer sandbox = await SandboxServer.StartAsync(Operations.Sandbox());
        using Recorder recorder = new() { Server = sandbox.Uri };
        await RecordAsync(operations, recorder);

        Stopwatch watch = Stopwatch.StartNew();
        Findings findings = new();
        // One after the other, so that what a seed makes does not depend on who is faster.
        Random random = new(seed);
        Mutator mutator = new(random, []);
        object gate = new();
        using HostileServer server = new(request =>
        {
            lock (gate)
            {
                IReadOnlyList<RecordedAnswer> answers = recorder.AnswersTo(request);
                RecordedAnswer answer = answers[random.Next(answers.Count)];
                return random.Next(3) == 0 ? answer : mutator.Mutate(answer);
            }
        });
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = first; i < first + count; i++)
        {
            var all = operations.All;
            (IngestService service, string name, var act) = all[i % all.Count];
            lock (gate)
            {
                random = new Random(seed + i);
                mutator = new Mutator(random, Operations.SecretsOf(service, name));
            }

            await RunAsync($"{i}: {service} {name}", service, act, server.Uri, signsInByRequest: i / all.Count % 2 == 1, findings);
        }

        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        string summary = string.Create(
            CultureInfo.InvariantCulture,
            $"{count} operations, seed {seed}: {watch.Elapsed.TotalSeconds:0} s, slowest {findings.Slowest.TotalSeconds:0.0} s "
                + $"({findings.SlowestName}), "
                + $"heap grown by {grown / 1024 / 1024} MiB, peak of the process "
                + $"{Process.GetCurrentProcess().PeakWorkingSet64 / 1024 / 1024} MiB"
        );
        output.WriteLine(summary);
        foreach ((string id, int times) in findings.Counts.OrderByDescending(pair => pair.Value))
            output.WriteLine($"{times, 8} {id}");
        if (Environment.GetEnvironmentVariable("INGESTTOOLS_FUZZ_REPORT") is { Length: > 0 } report)
            await File.WriteAllLinesAsync(
                report,
                [summary, .. findings.Counts.Select(pair => $"{pair.Value} {pair.Key}"), .. findings.Faults]
            );
        Assert.True(findings.Faults.Count == 0, string.Join("\n\n", findings.Faults.Take(10)));
        Assert.InRange(grown, long.MinValue, MemoryLimit);
        // Otherwise nothing was looked at.
        Assert.True(findings.Counts.Count > 8, "few kinds of ends");
    }

    private static async Task RecordAsync(Operations operations, Recorder recorder)
    {
        using HostileServer server = new(recorder.HandOnAsync);
        using CancellationTokenSource end = new(HangLimit);
        foreach (bool signsInByRequest in new[] { false, true })
        {
            foreach ((IngestService service, string name, var act) in operations.All)
            {
                using IngestConnection connection = IngestConnection.Open(Operations.Settings(service, server.Uri, signsInByRequest));
                try
                {
                    await act(connection, NullLogger.Instance, TimeProvider.System, end.Token);
                }
                catch (IngestException e)
                    when (name
                            is "stop"
                                or "mark"
                                or "metarange"
                                or "find commit"
                                or "ranges"
                                or "complete"
                                or "mapping"
                                or "save mapping"
                                or "failed items"
                    )
                {
                    // Some services cannot do it, or the state is not the one for it; the refusal is an answer too.
                    Assert.NotEqual(ErrorId.InvalidAnswer, e.ErrorId);
                }
            }
        }
    }

    private static async Task RunAsync(
        string what,
        IngestService service,
        Func<IngestConnection, ILogger, TimeProvider, CancellationToken, Task<object?>> act,
        Uri uri,
        bool signsInByRequest,
        Findings findings
    )
    {
        QuickTime time = new(Haste);
        RecordingLogger log = new();
        ConnectionSettings settings = Operations.Settings(service, uri, signsInByRequest) with
        {
            MaxAttempts = 2,
            OutageTimeout = TimeSpan.Zero,
        };
        using IngestConnection connection = IngestConnection.Open(settings, log, time);
        long started = Stopwatch.GetTimestamp();
        using CancellationTokenSource end = new(HangLimit);
        string kind = "result";
        try
        {
            object? result = await act(connection, log, time, end.Token).WaitAsync(HangLimit * 1.1);
            foreach (IngestException error in ErrorsOf(result))
                kind = Check(what, error, findings);
            if (result is not null and not IEnumerable<IngestException>)
                CheckText(
                    what,
                    "a result",
                    JsonSerializer.Serialize(Plain(result), Shown),
                    findings,
                    isJson: true,
                    mayHaveControls: result is List<ImportRange>
                );
        }
        catch (IngestException e)
        {
            kind = Check(what, e, findings);
        }
        catch (Exception e)
        {
            findings.Faults.Add($"{what} ended with {(e is OperationCanceledException or TimeoutException ? "a hang" : e.ToString())}");
        }

        CheckText(what, "the log", log.All, findings, isJson: false, mayHaveControls: false);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        if (elapsed > findings.Slowest)
            (findings.Slowest, findings.SlowestName) = (elapsed, what);
        findings.Counts[kind] = findings.Counts.GetValueOrDefault(kind) + 1;
    }

    private static IEnumerable<IngestException> ErrorsOf(object? result) =>
        result switch
        {
            IEnumerable<IngestException> errors => errors,
            IEnumerable<UploadResult> uploads => uploads.Select(upload => upload.Error).OfType<IngestException>(),
            IEnumerable<LinkingResult> batches => batches.Select(batch => batch.Error).OfType<IngestException>(),
            IEnumerable<Look> looks => looks.Select(look => look.Error).OfType<IngestException>(),
            IEnumerable<WaitEvent> events => events.OfType<WaitEvent.Failed>().Select(failed => failed.Error),
            _ => [],
        };

    /// <summary>The same without exceptions, which are checked by themselves.</summary>
    private static object? Plain(object result) =>
        result switch
        {
            IEnumerable<UploadResult> uploads => uploads
                .Select(upload => new
                {
                    upload.Path,
                    upload.RemoteName,
                    upload.FileName,
                    upload.Status,
                    upload.Sha256,
                    upload.Derivative,
                })
                .ToArray(),
            IEnumerable<LinkingResult> batches => batches.Select(batch => batch.Transaction).ToArray(),
            IEnumerable<Look> looks => looks.Select(look => look.Transaction).ToArray(),
            IEnumerable<WaitEvent> events => events.OfType<WaitEvent.Ended>().Select(ended => ended.Transaction).ToArray(),
            _ => result,
        };

    private static string Check(string what, IngestException error, Findings findings)
    {
        if (!Fitting.Contains(error.ErrorId) || error.Message.Contains("unknown way", StringComparison.Ordinal))
            findings.Faults.Add($"{what}: {error.ErrorId} does not fit: {error}");
        if (error.Message.Length > 8192)
            findings.Faults.Add($"{what}: a message of {error.Message.Length} characters");
        if (string.IsNullOrWhiteSpace(error.Advice))
            findings.Faults.Add($"{what}: no advice for {error.ErrorId}");
        string all = string.Join(
            '\n',
            error.Message,
            error.ServerMessage,
            error.Code,
            error.RequestId,
            error.Advice,
            error.Target?.ToString()
        );
        CheckText(what, "an error", all, findings, isJson: false, mayHaveControls: false);
        CheckText(what, "the whole of an error", error.ToString(), findings, isJson: false, mayHaveControls: true);
        return error.ErrorId.ToString();
    }

    private static void CheckText(string what, string where, string text, Findings findings, bool isJson, bool mayHaveControls)
    {
        foreach (string secret in Operations.Secrets.Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(Operations.Password))[..20]))
        {
            // Quotes are written with escapes in JSON.
            string plain = isJson ? JsonSerializer.Serialize(secret, Shown).Trim('"') : secret;
            if (
                text.Contains(plain, StringComparison.OrdinalIgnoreCase)
                || text.Contains(Uri.EscapeDataString(secret), StringComparison.OrdinalIgnoreCase)
            )
                findings.Faults.Add($"{what}: {where} has a secret: {text[..Math.Min(2000, text.Length)]}");
        }

        bool hasControls = isJson ? EscapedControl().IsMatch(text) : text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'));
        if (!mayHaveControls && hasControls)
            findings.Faults.Add($"{what}: {where} has control characters: {JsonSerializer.Serialize(text[..Math.Min(1000, text.Length)])}");
    }

    private static int NumberOf(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : otherwise;

    [GeneratedRegex(@"(?<!\\)\\u(00[019]|202e)|(?<!\\)\\[bf]")]
    private static partial Regex EscapedControl();

    /// <summary>What came of the operations.</summary>
    private sealed class Findings
    {
        public List<string> Faults { get; } = [];

        public Dictionary<string, int> Counts { get; } = [];

        public TimeSpan Slowest { get; set; }

        public string SlowestName { get; set; } = "";
    }
}
