using IngestTools.Connections;
using IngestTools.Uploads;
using Microsoft.Extensions.Logging;

namespace IngestTools.Services.DspIngest;

/// <summary>A row of mapping.csv.</summary>
/// <param name="Original">The name of the file as it was uploaded.</param>
/// <param name="Derivative">The server's name of the ingested file.</param>
public readonly record struct MappingRow(string Original, string Derivative);

/// <summary>DSP-INGEST's bulk ingest.</summary>
public sealed class DspIngestClient
{
    /// <summary>Makes a client on a connection.</summary>
    public DspIngestClient(IngestConnection connection, ILogger? logger = null) => throw new NotImplementedException();

    /// <summary>The target that files of a project are sent to.</summary>
    /// <exception cref="IngestException"><see cref="ErrorId.Rejected"/>: this is no shortcode.</exception>
    public IUploadTarget CreateUploadTarget(string shortcode) => throw new NotImplementedException();

    /// <summary>
    /// Starts the bulk ingest of a project. A 409 is not taken for success: it is waited until the project is free, and started again.
    /// </summary>
    /// <param name="shortcode">The project.</param>
    /// <param name="uploads">What was uploaded to it, so that the transaction can tell what was left over; null where that is not known.</param>
    /// <param name="cancellationToken">Ends the waiting; a run that was started goes on.</param>
    public Task<Transaction> StartAsync(string shortcode, UploadedNames? uploads, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The rows of the mapping, as they come. Waits while the project is locked by a short call; a run that goes on is <see cref="ErrorId.Locked"/>.</summary>
    public IAsyncEnumerable<MappingRow> ReadMappingAsync(string shortcode, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Writes the mapping to a file, as it came, atomically: the file is there whole, or as it was.</summary>
    /// <returns>The number of bytes written.</returns>
    public Task<long> SaveMappingAsync(string shortcode, string path, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>For each file that was uploaded, whether it was ingested: one <see cref="IngestMapping"/> each, left-overs with Ingested false.</summary>
    public IAsyncEnumerable<IngestMapping> CompareAsync(string shortcode, IReadOnlyList<UploadResult> uploads, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Compares SHA-256 with the server's, through the assets route; Verified stays null where the server does not have it.</summary>
    /// <returns>The mapping with Sha256 and Verified.</returns>
    public Task<IngestMapping> VerifyAsync(IngestMapping mapping, string? localSha256, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>
    /// Finalizes a project and waits until the server has done so. This deletes the mapping and the left-over files, so it refuses while the mapping
    /// was not saved through this connection, or while files are known to be left over.
    /// </summary>
    /// <param name="shortcode">The project.</param>
    /// <param name="mappingPath">Saves the mapping here first; null where it was saved before.</param>
    /// <param name="force">Finalizes although the mapping is unsaved or files are left over.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IngestException"><see cref="ErrorId.MappingUnsaved"/>, <see cref="ErrorId.LeftOvers"/></exception>
    public Task CompleteAsync(string shortcode, string? mappingPath, bool force, CancellationToken cancellationToken) => throw new NotImplementedException();
}

/// <summary>The names that were uploaded to a project; in a temporary file beyond 100,000.</summary>
public sealed class UploadedNames : IDisposable
{
    /// <summary>How many there are.</summary>
    public long Count => throw new NotImplementedException();

    /// <summary>Adds one.</summary>
    public void Add(string remoteName) => throw new NotImplementedException();

    /// <summary>Deletes the temporary file.</summary>
    public void Dispose() => throw new NotImplementedException();
}
