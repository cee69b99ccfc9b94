using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using IngestTools.Http;

namespace IngestTools.Scheduler.Notifications;

/// <summary>
/// Runs the program that a report goes to: without a shell, with the report as its standard input, and for a limited time. Then it is
/// killed with all processes that it started.
/// </summary>
internal static class CommandRunner
{
    /// <summary>How much of what it says is shown.</summary>
    private const int MaxShown = 300;

    /// <summary>A process that was killed is gone at once; its pipes may be held by another that it left behind.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(2);

    public static async Task<SendOutcome> RunAsync(
        IReadOnlyList<string> command,
        byte[] body,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        using Process process = new() { StartInfo = StartOf(command) };
        try
        {
            process.Start();
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or IOException)
        {
            return new SendOutcome($"The program cannot be run: {e.Message}", IsFinal: false);
        }

        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(limit);
        Task<string> said = ReadAsync(process.StandardError.BaseStream, ending.Token);
        Task output = ReadAsync(process.StandardOutput.BaseStream, ending.Token);
        Task input = WriteAsync(process, body, ending.Token);
        try
        {
            await process.WaitForExitAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            Kill(process);
            cancellationToken.ThrowIfCancellationRequested();
            return new SendOutcome($"The program did not end within {limit.TotalSeconds:0.#} s, and was killed.", IsFinal: false);
        }
        finally
        {
            ending.CancelAfter(EndLimit);
            await Task.WhenAll(input, output, said)
                .WaitAsync(CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (process.ExitCode == 0)
            return SendOutcome.Sent;
        string words = Redaction.EscapeControls(Redaction.HideSecrets((await said).Trim().ReplaceLineEndings(" | ")));
        return new SendOutcome($"The program ended with {process.ExitCode}{(words.Length == 0 ? "." : $": {words}")}", IsFinal: false);
    }

    private static ProcessStartInfo StartOf(IReadOnlyList<string> command)
    {
        ProcessStartInfo start = new(command[0])
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        // Only the scheduler itself reports to systemd.
        start.Environment.Remove("NOTIFY_SOCKET");
        start.Environment.Remove("WATCHDOG_USEC");
        return start;
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself meanwhile.
        }
    }

    /// <summary>A program that does not read its input misses nothing.</summary>
    private static async Task WriteAsync(Process process, byte[] body, CancellationToken cancellationToken)
    {
        try
        {
            await using Stream input = process.StandardInput.BaseStream;
            await input.WriteAsync(body, cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Its exit code says what became of it.
        }
    }

    /// <summary>Reads to the end, however much there is, and keeps the beginning.</summary>
    private static async Task<string> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[4096];
        byte[] kept = new byte[MaxShown];
        int length = 0;
        try
        {
            while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and int count)
            {
                int more = Math.Min(count, kept.Length - length);
                buffer.AsSpan(0, more).CopyTo(kept.AsSpan(length));
                length += more;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // A process that it left behind holds the other end.
        }

        return Encoding.UTF8.GetString(kept, 0, length);
    }
}
