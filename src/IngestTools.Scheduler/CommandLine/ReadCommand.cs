using System.CommandLine;
using System.Globalization;
using System.Text;
using IngestTools.Scheduler.Control;
using IngestTools.Scheduler.Store;
using IngestTools.Scheduling;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace IngestTools.Scheduler.CommandLine;

/// <summary>
/// Answers one reading request of the control protocol from the store of a daemon that is down: the status on the first line, then the
/// answer as the daemon would give it. The module runs it, so that this program alone knows the store's tables.
/// </summary>
internal static class ReadCommand
{
    public static Command Create()
    {
        Argument<string> request = new("REQUEST") { Description = "A reading request of the control protocol, such as 'runs?newest=5'." };
        Option<string> folder = new("--folder")
        {
            Description = "The folder of the store.",
            HelpName = "DIR",
            Required = true,
        };
        Command command = new("read", "Reads the store of a scheduler that does not run. The module uses it.") { request, folder };
        command.Hidden = true;
        command.SetAction(
            (result, cancellationToken) =>
                RunAsync(result.GetRequiredValue(request), Path.GetFullPath(result.GetRequiredValue(folder)), cancellationToken)
        );
        return command;
    }

    /// <summary>The state as the store of a folder gives it.</summary>
    /// <exception cref="IngestException">There is no store, or it cannot be read.</exception>
    /// <exception cref="StoreException">It is refused.</exception>
    public static async Task<SchedulerState> ReadStateAsync(string folder, string socket, CancellationToken cancellationToken)
    {
        using StoppedStore opened = await StoppedStore.OpenAsync(folder, cancellationToken);
        return await StateOf(StoreOf(opened), folder, socket).ReadAsync(cancellationToken);
    }

    private static async Task<int> RunAsync(string request, string folder, CancellationToken cancellationToken)
    {
        DefaultHttpContext context = new();
        string[] parts = request.Split('?', 2);
        context.Request.Method = HttpMethods.Get;
        context.Request.Path = "/" + Uri.UnescapeDataString(parts[0]);
        context.Request.QueryString = new QueryString(parts.Length > 1 ? "?" + parts[1] : "");
        context.Request.Headers[ControlProtocol.VersionHeader] = ControlProtocol.Version.ToString(CultureInfo.InvariantCulture);
        await using AnswerStream answer = new(Console.OpenStandardOutput(), () => context.Response.StatusCode);
        context.Response.Body = answer;
        using CancellationTokenSource none = new();
        StoppedStore? opened = null;
        try
        {
            await ControlAnswer.AnswerAsync(context, AnswerFromStore, SchedulerPlace.StoreOf(folder), NullLogger.Instance, none.Token);
        }
        finally
        {
            opened?.Dispose();
        }

        return 0;

        Task? AnswerFromStore(HttpContext _) => OpenAndAnswerAsync();

        async Task OpenAndAnswerAsync()
        {
            try
            {
                opened = await StoppedStore.OpenAsync(folder, cancellationToken);
            }
            catch (StoreException e)
            {
                throw new IngestException(
                    ErrorId.FileUnreadable,
                    $"The scheduler does not run, and its store cannot be read: {e.Message}",
                    e
                )
                {
                    Operation = "read",
                    Advice = "Start the scheduler: its log says more.",
                };
            }

            SchedulerStore store = StoreOf(opened);
            await (
                new ReadRoutes(store, StateOf(store, folder, SchedulerPlace.SocketOf(folder))).Route(context)
                ?? throw new FormatException($"there is no reading request '{request}'")
            );
        }
    }

    private static SchedulerStore StoreOf(StoppedStore opened) => new(opened.Dialect, "none", "none");

    private static StateReader StateOf(SchedulerStore store, string folder, string socket) =>
        new(store, new ControlAddress(socket), TimeProvider.System) { IsRunning = false, LogPath = SchedulerPlace.LogOf(folder) };

    /// <summary>Writes the status before the first byte of the answer.</summary>
    private sealed class AnswerStream(Stream output, Func<int> status) : Stream
    {
        private bool _isBegun;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Begin();
            await output.WriteAsync(buffer, cancellationToken);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            Begin();
            output.Write(buffer, offset, count);
        }

        public override void Flush() => output.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override async ValueTask DisposeAsync()
        {
            Begin();
            await output.FlushAsync();
            await base.DisposeAsync();
        }

        private void Begin()
        {
            if (_isBegun)
                return;
            _isBegun = true;
            output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{status()}\n")));
        }
    }
}
