using System.ComponentModel;
using System.Diagnostics;
using IngestTools.PowerShell.Errors;
using IngestTools.Scheduling;

namespace IngestTools.PowerShell.Scheduler;

/// <summary>Reads the store of a scheduler that does not run, by the program that knows the store.</summary>
internal static class StoppedScheduler
{
    /// <summary>Begins to read.</summary>
    /// <param name="folder">The folder of the store.</param>
    /// <param name="request">What is read, as the scheduler is asked.</param>
    /// <returns>What the program answers; null where there is no store.</returns>
    /// <exception cref="IngestException"><see cref="ErrorId.FileNotFound"/>: the program cannot be run.</exception>
    internal static Stream? TryOpen(string folder, string request)
    {
        if (!File.Exists(SchedulerPlace.StoreOf(folder)) && IsReadable(folder))
            return null;
        (string file, string? assembly) = SchedulerProgram.Find();
        ProcessStartInfo start = new(file)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            CreateNoWindow = true,
        };
        foreach (string argument in (string[])[.. assembly is null ? (string[])[] : [assembly], "read", request, "--folder", folder])
            start.ArgumentList.Add(argument);
        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            // What it complains of is in its answer.
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginErrorReadLine();
            return new ProcessOutput(process);
        }
        catch (Win32Exception e)
        {
            throw IngestErrors.Create(
                ErrorId.FileNotFound,
                $"The scheduler does not run, and the program {file} that reads its store cannot be run: {e.Message}",
                "Install the .NET 10 runtime, or start the scheduler: Start-IngestScheduler.",
                file
            );
        }
    }

    /// <summary>Whether this account can look into a folder. Where it cannot, the program says why.</summary>
    private static bool IsReadable(string folder)
    {
        try
        {
            _ = Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The output of a process that ends with its reader.</summary>
    private sealed class ProcessOutput(Process process) : Stream
    {
        private readonly Stream _output = process.StandardOutput.BaseStream;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _output.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => _output.Read(buffer, offset, count);

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                End();
            base.Dispose(disposing);
        }

        /// <summary>
        /// Who has read enough does not wait for the rest. The program finds its output closed, ends, and removes its copy of the store.
        /// </summary>
        private void End()
        {
            _output.Dispose();
            process.Dispose();
        }
    }
}
