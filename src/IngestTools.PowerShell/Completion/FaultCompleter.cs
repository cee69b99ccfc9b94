namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the faults of the sandbox, each with an example value where it takes one.</summary>
public sealed class FaultCompleter : WordCompleter
{
    private protected override IReadOnlyList<(string Text, string Meaning)> Words { get; } =
    [
        ("latency=20ms", "latency=20ms: every answer comes 20 ms later"),
        ("503=5%", "503=5%: 5 percent of the requests are answered with status 503; any status from 400 to 599"),
        ("429=3,2s", "429=3,2s: the first 3 requests are answered with status 429 and Retry-After: 2"),
        ("reset", "reset: the connection is reset before the body is read"),
        ("reset-body", "reset-body: the connection is reset in the middle of the request's body"),
        ("reset-answer", "reset-answer: the request is carried out, and the connection is reset in the middle of the answer"),
        ("truncated", "truncated: the answer is shorter than its Content-Length"),
        ("lost", "lost: the request is carried out, and its answer never comes"),
        ("slow-body=64KiB,100ms", "slow-body=64KiB,100ms: the body is read in pieces of 64 KiB, 100 ms before each"),
        ("stall", "stall: the body is never read, and there is no answer"),
        ("html", "html: status 200 with an HTML page; nothing is done"),
        ("empty", "empty: status 200 with an empty body; nothing is done"),
        ("redirect", "redirect: status 302 to another host; nothing is done"),
        ("lock=2s", "lock=2s: another client holds the project for 2 seconds"),
    ];
}
