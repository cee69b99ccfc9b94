namespace IngestTools.PowerShell.Completion;

/// <summary>Completes the beginnings of addresses in an object store.</summary>
public sealed class SourceCompleter : WordCompleter
{
    private protected override IReadOnlyList<(string Text, string Meaning)> Words { get; } =
    [
        ("s3://", "s3://bucket/prefix/: Amazon S3 and compatible stores"),
        ("gs://", "gs://bucket/prefix/: Google Cloud Storage"),
        ("https://", "https://account.blob.core.windows.net/container/prefix/: Azure Blob Storage"),
        ("local://", "local://path/: a folder of the server"),
    ];
}
