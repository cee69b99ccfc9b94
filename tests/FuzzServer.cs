using System;
using System.Collections.Generic;
using IngestTools.Units.Hostile;

// Compiled by Fuzz.Tests.ps1, together with tests/units/Hostile: hands requests on to a sandbox and keeps its answers, then answers by
// itself, with changed ones.
public sealed class FuzzServer : IDisposable
{
    private readonly object _gate = new();
    private readonly Recorder _recorder;
    private readonly HostileServer _server;
    private readonly string[] _secrets;
    private Random _random;

    public FuzzServer(Uri sandbox, string[] secrets)
    {
        _secrets = secrets;
        _recorder = new Recorder { Server = sandbox };
        _server = new HostileServer(
            (request, end) =>
                _random is null ? _recorder.HandOnAsync(request, end) : System.Threading.Tasks.Task.FromResult(Change(request))
        );
    }

    public Uri Uri => _server.Uri;

    public int Answers { get; private set; }

    // From now on it changes what it answers, as the seed says.
    public void Begin(int seed)
    {
        lock (_gate)
            _random = new Random(seed);
    }

    public void Dispose()
    {
        _server.Dispose();
        _recorder.Dispose();
    }

    private RecordedAnswer Change(ReceivedRequest request)
    {
        lock (_gate)
        {
            Answers++;
            IReadOnlyList<RecordedAnswer> answers = _recorder.AnswersTo(request);
            RecordedAnswer answer = answers[_random.Next(answers.Count)];
            return _random.Next(3) == 0 ? answer : new Mutator(_random, _secrets).Mutate(answer);
        }
    }
}
