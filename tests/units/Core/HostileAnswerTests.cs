using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IngestTools.Connections;
using IngestTools.Http;
using IngestTools.Services.DspIngest;
using IngestTools.Services.LakeFs;
using IngestTools.Services.Voss;
using IngestTools.Transactions;
using IngestTools.Units.Hostile;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>
/// What a server writes comes in without secrets and without signs that act on a terminal, and its status counts whatever its body is.
/// </summary>
public sealed class HostileAnswerTests
{
    private const string Token = "Tok3n-canary+7d1f0b52/=";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("Tok3n-canary+7d1f0b52/=")]
    [InlineData("VG9rM24tY2FuYXJ5KzdkMWYwYjUyLz0=")]
    [InlineData("dXNlcjpUb2szbi1jYW5hcnkrN2QxZjBiNTIvPQ==")]
    [InlineData("VG9rM24tY2FuYXJ5KzdkMWYwYjUyLz0")]
    [InlineData("Tok3n-canary%2B7d1f0b52%2F%3D")]
    [InlineData("Tok3n-canary%2b7d1f0b52%2f%3d")]
    [InlineData("%54ok3n-canary+7d1f0b52/=")]
    [InlineData("Tok3n-canary%252B7d1f0b52%252F%253D")]
    [InlineData("Tok3n-canary\\u002b7d1f0b52\\/=")]
    [InlineData("Tok3n-canary&#43;7d1f0b52&#x2F;&#61;")]
    [InlineData("\\u0054ok3n-canary%2B7d1f0b52\\/=")]
    public void Secret_is_found_in_each_encoding_and_the_words_around_it_stay(string written)
    {
        KnownSecrets secrets = new();
        secrets.Add(Token);

        string shown = secrets.Hide($"sent {written} by you");

        Assert.Equal("sent *** by you", shown);
    }

    [Theory]
    [InlineData("Token expired.")]
    [InlineData("Basic authentication is off")]
    [InlineData("Bearer authentication required for users.xlsx")]
    [InlineData("Token-based access: see the tokens page, 100% of it & more")]
    public void Words_of_the_server_stay(string words)
    {
        KnownSecrets secrets = new();
        secrets.Add(Token);
        // A password that is a word.
        secrets.Add("users");

        Assert.Equal(words, new ServerText(secrets).Words(words));
    }

    [Theory]
    [InlineData("the password users is wrong")]
    [InlineData("the password 'users', is wrong")]
    [InlineData("users")]
    [InlineData("password=users.")]
    public void Short_secret_is_hidden_where_it_stands_alone(string words)
    {
        KnownSecrets secrets = new();
        secrets.Add("users");

        Assert.DoesNotContain("users", new ServerText(secrets).Words(words), StringComparison.Ordinal);
    }

    [Fact]
    public void Secret_at_the_end_of_what_is_read_is_not_shown_in_part()
    {
        KnownSecrets secrets = new();
        secrets.Add(Token);
        string text = new string('x', ServerText.MaxValue - 10) + Token;

        Assert.DoesNotContain("Tok3n", new ServerText(secrets).Value(text), StringComparison.Ordinal);
        Assert.DoesNotContain(
            "Tok3n",
            new ServerText(secrets).Words(new string('x', ServerText.MaxWords - 5) + " " + Token),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("Tok3n-canary+7")]
    [InlineData("VG9rM24tY2FuYXJ5K")]
    [InlineData("dXNlcjpUb2szbi1jYW5hcnkrN2")]
    public void Secret_in_which_an_answer_breaks_off_is_not_shown_in_part(string part)
    {
        KnownSecrets secrets = new();
        secrets.Add(Token);

        Assert.Equal("You sent ***", secrets.Hide($"You sent {part}"));
        Assert.Equal("You sent Tok3n", secrets.Hide("You sent Tok3n"));
    }

    [Theory]
    [InlineData("https://user:canary@host/path", "https://***@host/path")]
    [InlineData("https://user:can?ary@host/path?X-Amz-Signature=canary", "https://***@host/path?***")]
    [InlineData("https://user:can/ary@host/path", "https://***@host/path")]
    [InlineData("https://user:can#ary@host", "https://***@host")]
    [InlineData("user:canary@host", "***@host")]
    [InlineData("https://host:8080/a@b?sig=canary", "https://host:8080/a@b?***")]
    [InlineData("https://host:99999/?sig=canary", "https://host:99999/?***")]
    public void Address_as_it_was_written_is_shown_without_its_secrets(string address, string shown) =>
        Assert.Equal(shown, Redaction.Of(address));

    /// <summary>Every place of an answer that has no body of a known form.</summary>
    [Theory]
    [InlineData("HTTP/1.1 418 You sent @", "", "")]
    [InlineData("HTTP/1.1 302 Found", "Location: /login/@/?next=@", "")]
    [InlineData("HTTP/1.1 400 Bad", "X-Request-Id: @", "")]
    [InlineData("HTTP/1.1 400 Bad", "Server: @", "{\"code\":\"@\",\"message\":\"@\",\"request_id\":\"@\"}")]
    [InlineData("HTTP/1.1 500 Bad", "ETag: \"@\"", "<title>@</title>")]
    [InlineData("HTTP/1.1 200 OK", "Via: 1.1 @", "{\"status\":\"@\"}")]
    [InlineData("HTTP/1.1 200 OK", "", "not JSON but @")]
    [InlineData("HTTP/1.1 2OO @", "", "")]
    [InlineData("HTTP/1.1 200 OK", "@ @ @", "")]
    public async Task Token_that_is_repeated_reaches_no_error_and_no_log(string status, string header, string body)
    {
        foreach (
            string written in new[]
            {
                Token,
                Uri.EscapeDataString(Token),
                Convert.ToBase64String(Encoding.UTF8.GetBytes(Token)),
                "\u001b[31m" + Token,
            }
        )
        {
            string Fill(string text) => text.Replace("@", written, StringComparison.Ordinal);
            RecordedAnswer answer = new()
            {
                StatusLine = Fill(status).Replace("\u001b", "", StringComparison.Ordinal),
                Headers = header.Length == 0 ? [] : [Fill(header)],
                Body = Encoding.UTF8.GetBytes(
                    body.StartsWith('{') ? Fill(body).Replace("\u001b", "\\u001b", StringComparison.Ordinal) : Fill(body)
                ),
            };
            using HostileServer server = new(_ => answer);
            RecordingLogger log = new();
            using IngestConnection connection = Connect(IngestService.DspIngest, server.Uri);

            IngestException error = await Assert
                .ThrowsAsync<IngestException>(() => new DspIngestClient(connection, log).StartAsync("0001", null, CancellationToken.None))
                .WaitAsync(Limit);

            string all = string.Join('\n', error, error.Code, error.RequestId, error.ServerMessage, log.All);
            Assert.DoesNotContain("canary", all, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(Token))[..12], all, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', all);
        }
    }

    [Fact]
    public async Task Secret_that_was_not_sent_yet_is_known_to_the_first_answer()
    {
        using HostileServer server = new(_ => RecordedAnswer.Text($"{Token} is yours", "500 Bad"));
        using IngestConnection connection = Connect(IngestService.DspIngest, server.Uri);

        ServiceReport report = await ServiceCheck
            .RunAsync(connection, null, new RecordingLogger(), CancellationToken.None)
            .WaitAsync(Limit);

        Assert.Contains("*** is yours", string.Join('\n', report.Details), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signature_of_a_source_that_is_repeated_is_hidden()
    {
        using HostileServer server = new(request =>
            request.Path.EndsWith("/import", StringComparison.Ordinal)
                ? RecordedAnswer.Json(
                    "{\"message\":\"cannot list https://store/x?key=canary-0f1e2d3c, canary-0f1e2d3c\"}",
                    "400 Bad Request"
                )
                : RecordedAnswer.Json("{\"version\":\"1.84.0\",\"id\":\"x\",\"commit_id\":\"c\",\"results\":[]}")
        );
        using IngestConnection connection = Connect(IngestService.LakeFs, server.Uri);
        LakeFsClient client = new(connection);
        ImportRequest request = new()
        {
            Repository = "lake",
            Branch = "main",
            Sources = [new ImportSource("https://store/x/?key=canary-0f1e2d3c", "raw/")],
        };

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(async () =>
                await client.StartAsync(
                    await client.PrepareAsync(request, countsAll: false, CancellationToken.None),
                    CancellationToken.None
                )
            )
            .WaitAsync(Limit);

        Assert.Equal("cannot list https://store/x?key=***, ***", error.ServerMessage);
    }

    [Theory]
    [InlineData(503, ErrorId.ServerError)]
    [InlineData(409, ErrorId.Locked)]
    [InlineData(401, ErrorId.NotSignedIn)]
    [InlineData(404, ErrorId.NotFound)]
    public async Task Status_counts_where_the_body_lies_about_its_encoding_or_has_half_a_character(int status, ErrorId expected)
    {
        RecordedAnswer[] bodies =
        [
            RecordedAnswer.Text("{\"message\":\"plain\"}", "", "Content-Encoding: gzip"),
            RecordedAnswer.Text("{\"message\":\"plain\"}", "", "Content-Encoding: br"),
            RecordedAnswer.Text("{\"message\":\"a\\ud800\"}", "", "Content-Type: application/json"),
            new() { Body = [0xFF, 0xFE, 0x7B, 0x00, 0xED, 0xA0] },
            new() { Body = [0x1F, 0x8B, 0x08, 0x00, 0xFF, 0x00, 0x80, 0x90] },
            RecordedAnswer.Text(new string('[', 50_000), ""),
        ];
        foreach (RecordedAnswer body in bodies)
        {
            using HostileServer server = new(_ => body with { StatusLine = $"HTTP/1.1 {status} X" });
            using IngestConnection connection = Connect(IngestService.DspIngest, server.Uri, new QuickTime(100));

            IngestException error = await Assert
                .ThrowsAsync<IngestException>(() =>
                    new DspIngestClient(connection).CompleteAsync("0001", null, force: true, CancellationToken.None)
                )
                .WaitAsync(Limit);

            Assert.Equal((HttpStatusCode)status, error.StatusCode);
            Assert.Contains(error.ErrorId, new[] { expected, ErrorId.OutcomeUnknown });
            // A refusal is one, whatever its body.
            if (status < 500)
                Assert.Equal(expected, error.ErrorId);
        }
    }

    [Fact]
    public async Task Json_with_a_byte_order_mark_or_in_another_encoding_is_read()
    {
        const string Answer = "{\"status\":\"UP\",\"name\":\"x\",\"version\":\"1.2.3\"}";
        byte[][] bodies =
        [
            [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Answer)],
            [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Answer)],
        ];
        foreach (byte[] body in bodies)
        {
            using HostileServer server = new(_ => new RecordedAnswer { Body = body });
            using IngestConnection connection = Connect(IngestService.DspIngest, server.Uri);

            ServiceReport report = await ServiceCheck
                .RunAsync(connection, null, new RecordingLogger(), CancellationToken.None)
                .WaitAsync(Limit);

            Assert.Equal((true, "1.2.3"), (report.Reachable, report.Version));
        }
    }

    [Fact]
    public async Task Body_that_grows_without_end_when_it_is_decompressed_is_given_up()
    {
        using MemoryStream bomb = new();
        using (System.IO.Compression.GZipStream gzip = new(bomb, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] zeros = new byte[1024 * 1024];
            for (int i = 0; i < 64; i++)
                gzip.Write(zeros);
        }

        using HostileServer server = new(_ => new RecordedAnswer { Headers = ["Content-Encoding: gzip"], Body = bomb.ToArray() });
        using IngestConnection connection = Connect(IngestService.Voss, server.Uri);

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() => new VossClient(connection).ListHierarchiesAsync(CancellationToken.None))
            .WaitAsync(Limit);

        Assert.Equal((ErrorId.InvalidAnswer, HttpStatusCode.OK), (error.ErrorId, error.StatusCode));
        Assert.Contains("longer than 16 MiB", error.Message, StringComparison.Ordinal);
    }

    /// <summary>What a server can send before its client stops reading: the limit, and what the two ends buffer.</summary>
    [Theory]
    [InlineData("200 OK", 16)]
    [InlineData("500 Internal Server Error", 0)]
    public async Task Answer_without_an_end_is_read_up_to_a_limit(string status, int mebibytes)
    {
        const int mebibyte = 1024 * 1024,
            buffers = 64;
        using EndlessServer server = new(
            $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{{\"message\":\""
        );
        using IngestConnection connection = Connect(IngestService.Voss, server.Uri);

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() => new VossClient(connection).ListHierarchiesAsync(CancellationToken.None))
            .WaitAsync(Limit);

        Assert.Equal(mebibytes > 0 ? ErrorId.InvalidAnswer : ErrorId.ServerError, error.ErrorId);
        Assert.InRange(await server.SentAsync().WaitAsync(Limit), 1, (mebibytes + buffers) * (long)mebibyte);
    }

    [Fact]
    public async Task Garbage_in_one_line_of_a_mapping_costs_no_more_than_its_length()
    {
        foreach (string unit in new[] { "\"", "\"a", "a\"", "\"a\"b" })
        {
            string text = "original,derivative\n" + string.Concat(Enumerable.Repeat(unit, 512 * 1024 / unit.Length));
            using PiecewiseStream body = new(Encoding.UTF8.GetBytes(text));
            MappingReader reader = new(body, ServerText.OfNoSecrets);
            await using (reader)
            {
                await reader.ReadHeaderAsync();

                IngestException error = await Assert.ThrowsAsync<IngestException>(async () =>
                    await reader.ReadAsync(new List<MappingRow>(10))
                );

                Assert.Equal(ErrorId.InvalidAnswer, error.ErrorId);
                // What was read is a bound for what was looked at, on a machine of any speed.
                Assert.InRange(body.Position, 0, 128 * 1024);
            }
        }
    }

    [Fact]
    public async Task Row_of_a_mapping_has_no_secret_and_no_terminal_escape()
    {
        using HostileServer server = new(_ =>
            RecordedAnswer.Text($"original,derivative\n\u001b[31m{Token}.tif,a.jpx\n", "200 OK", "Content-Type: text/csv")
        );
        using IngestConnection connection = Connect(IngestService.DspIngest, server.Uri);
        List<MappingRow> rows = [];

        await foreach (MappingRow row in new DspIngestClient(connection).ReadMappingAsync("0001", CancellationToken.None))
            rows.Add(row);

        Assert.Equal([new MappingRow("\\u001b[31m***.tif", "a.jpx")], rows);
    }

    [Fact]
    public async Task Long_words_of_every_kind_are_cut()
    {
        string words = new('x', 100_000);
        using HostileServer server = new(_ =>
            RecordedAnswer.Json(
                $$"""{"pkid":"p","status":"{{words}}","message":"{{words}}","detail":"{{words}}","log":[{"message":"{{words}}"}]}"""
            )
        );
        using IngestConnection connection = Connect(IngestService.Voss, server.Uri);
        Transaction transaction = TransactionSources.Parse("voss:0b340a6f-b658-48bb-ac8c-7562adc5572d").Transaction;

        Transaction seen = await TransactionSources
            .For(connection, new RecordingLogger())
            .LookAsync(transaction, CancellationToken.None)
            .WaitAsync(Limit);

        Assert.InRange(seen.ServerStatus!.Length, 1, ServerText.MaxWord + 1);
        Assert.InRange(seen.Message!.Length, 1, ServerText.MaxWords * 2 + 10);
        Assert.InRange(seen.Log!.Single().Message!.Length, 1, ServerText.MaxWords + 1);
    }

    [Fact]
    public async Task Activities_have_no_secret()
    {
        List<string> seen = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == IngestDiagnostics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (seen)
                    seen.Add(
                        string.Join(
                            ' ',
                            activity
                                .TagObjects.Select(tag => $"{tag.Key}={tag.Value}")
                                .Append(activity.StatusDescription)
                                .Append(activity.DisplayName)
                        )
                    );
            },
        };
        ActivitySource.AddActivityListener(listener);
        using HostileServer server = new(_ => RecordedAnswer.Text($"no {Token}", $"400 {Token}"));
        using IngestConnection connection = Connect(IngestService.DspIngest, server.Uri);

        await Assert
            .ThrowsAsync<IngestException>(() => new DspIngestClient(connection).StartAsync("0001", null, CancellationToken.None))
            .WaitAsync(Limit);

        lock (seen)
        {
            Assert.Contains(
                seen,
                text => text.Contains("***", StringComparison.Ordinal) && text.Contains(server.Uri.Authority, StringComparison.Ordinal)
            );
            Assert.DoesNotContain(seen, text => text.Contains(Token, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_error_has_advice()
    {
        Assert.All(
            Enum.GetValues<ErrorId>(),
            id =>
            {
                Assert.NotEmpty(new IngestException(id, "x").Advice);
                Assert.DoesNotContain("Look at the error's message", new IngestException(id, "x").Advice, StringComparison.Ordinal);
            }
        );
        // Another id has advice of its own, unless it was given.
        Assert.Equal(
            new IngestException(ErrorId.NotFound, "x").Advice,
            new IngestException(ErrorId.Rejected, "x").With(ErrorId.NotFound).Advice
        );
        Assert.Equal("a", (new IngestException(ErrorId.Rejected, "x") { Advice = "a" }).With(ErrorId.NotFound).Advice);
    }

    private static IngestConnection Connect(IngestService service, Uri uri, TimeProvider? time = null) =>
        IngestConnection.Open(
            new ConnectionSettings
            {
                Service = service,
                Uri = uri,
                SignIn = service == IngestService.Voss ? SignInKind.Password : SignInKind.Token,
                UserName = service == IngestService.Voss ? "admin" : null,
                Secret = _ => ValueTask.FromResult(Token),
                MaxAttempts = 1,
            },
            new RecordingLogger(),
            time ?? TimeProvider.System
        );

    /// <summary>Gives few bytes at a time, as a network does.</summary>
    private sealed class PiecewiseStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 64)], cancellationToken);
    }

    [Fact]
    public async Task Error_whose_explanation_stalls_is_told_without_it()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using CancellationTokenSource end = new();
        Task serving = AnswerAllAsync(
            listener,
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nabc",
            end.Token
        );
        using IngestConnection connection = IngestConnection.Open(
            new ConnectionSettings
            {
                Service = IngestService.DspIngest,
                Uri = new Uri($"http://{listener.LocalEndpoint}"),
                MaxAttempts = 1,
            }
        );

        IngestException error = await Assert
            .ThrowsAsync<IngestException>(() => new DspIngestClient(connection).StartAsync("0001", null, CancellationToken.None))
            .WaitAsync(Limit);

        Assert.Equal((ErrorId.Rejected, "abc"), (error.ErrorId, error.ServerMessage));
        await end.CancelAsync();
        listener.Stop();
        await serving;
    }

    [Fact]
    public void Relative_redirect_hides_its_query() =>
        Assert.Equal("/login?token_hint=***", Redaction.Of(new Uri("/login?token_hint=canary", UriKind.Relative)));

    [Fact]
    public void Hostile_html_is_cut_and_throws_nothing() =>
        Assert.NotNull(
            ServerMessage.Parse(
                Encoding.UTF8.GetBytes("<" + string.Concat(Enumerable.Repeat("<script ", 4000)) + "x"),
                null,
                ServerText.OfNoSecrets
            )
        );

    /// <summary>Answers whatever comes with the same text, and keeps the connection.</summary>
    private static async Task AnswerAllAsync(TcpListener listener, string answer, CancellationToken end)
    {
        List<TcpClient> clients = [];
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(end);
                clients.Add(client);
                await client.GetStream().ReadAtLeastAsync(new byte[4096], 1, throwOnEndOfStream: false, end);
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer), end);
            }
        }
        catch (OperationCanceledException)
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    /// <summary>A server whose answers to requests have a beginning and no end, and that counts what its clients let it send.</summary>
    private sealed class EndlessServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task<long> _sending;

        public EndlessServer(string beginning)
        {
            _listener.Start();
            _sending = SendAsync(Encoding.ASCII.GetBytes(beginning));
        }

        public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

        /// <summary>How many bytes were sent before the client closed the connection.</summary>
        public Task<long> SentAsync() => _sending;

        public void Dispose() => _listener.Dispose();

        private async Task<long> SendAsync(byte[] beginning)
        {
            using Socket client = await _listener.AcceptSocketAsync();
            byte[] piece = new byte[64 * 1024];
            Array.Fill(piece, (byte)'a');
            long sent = 0;
            try
            {
                await client.ReceiveAsync(new byte[64 * 1024]);
                await client.SendAsync(beginning);
                while (true)
                    sent += await client.SendAsync(piece);
            }
            catch (SocketException)
            {
                return sent;
            }
        }
    }
}
