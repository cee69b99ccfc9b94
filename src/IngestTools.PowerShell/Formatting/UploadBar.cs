using System.Management.Automation;
using IngestTools.Uploads;

namespace IngestTools.PowerShell.Formatting;

/// <summary>The progress bar of an upload: files and bytes, rate and time left.</summary>
/// <param name="activity">The bar's number.</param>
/// <param name="title">What is done.</param>
internal sealed class UploadBar(int activity, string title)
{
    /// <summary>The bar as it is now.</summary>
    internal ProgressRecord Of(UploadProgress progress) =>
        new(activity, title, Describe(progress))
        {
            CurrentOperation = progress.CurrentFile ?? "",
            PercentComplete = Percent(progress),
            SecondsRemaining = progress.Remaining is { } left ? (int)Math.Min(left.TotalSeconds, int.MaxValue) : -1,
        };

    private static string Describe(UploadProgress progress)
    {
        string more = progress.IsTotalKnown ? "" : "+";
        string failed = progress.FilesFailed > 0 ? $" ({progress.FilesFailed:N0} failed)" : "";
        string files = $"{progress.FilesDone:N0} of {progress.FilesFound:N0}{more} files{failed}";
        string bytes = $"{Display.Bytes(progress.BytesDone)} of {Display.Bytes(progress.BytesFound)}{more}";
        return progress.BytesPerSecond > 0 ? $"{files}, {bytes}, {Display.Rate(progress.BytesPerSecond)}" : $"{files}, {bytes}";
    }

    /// <summary>While more files are found, there is no total for a percentage.</summary>
    private static int Percent(UploadProgress progress)
    {
        if (!progress.IsTotalKnown || progress.FilesFound == 0)
            return -1;
        double done =
            progress.BytesFound > 0 ? (double)progress.BytesDone / progress.BytesFound : (double)progress.FilesDone / progress.FilesFound;
        return (int)Math.Clamp(100 * done, 0, 100);
    }
}
