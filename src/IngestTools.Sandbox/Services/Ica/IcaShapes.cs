namespace IngestTools.Sandbox.Services.Ica;

/// <summary>ICA's objects as its answers have them.</summary>
internal sealed class IcaShapes(IcaState state)
{
    /// <summary>The name that jobs of linking batches carry here; the real one is not documented.</summary>
    private const string SubjectType = "ProjectDataLinkingBatch";

    private static readonly Guid Tenant = new("11111111-2222-3333-4444-555555555555");

    private static readonly string[] NoTags = [];

    /// <summary>In a dictionary, for a null job must be written, and not left out.</summary>
    public object Batch(IcaBatch batch) =>
        new Dictionary<string, object?> { ["id"] = batch.Id, ["job"] = state.Options.HidesJob ? null : Job(batch) };

    public object Job(IcaBatch batch) =>
        new
        {
            id = batch.JobId,
            status = state.Options.SaysOfJobs ?? batch.JobStatus,
            subjectType = SubjectType,
            subjectId = batch.Id,
            timeCreated = batch.Created,
            timeStarted = batch.Started,
            timeFinished = batch.Finished,
            owner = Owner(),
            project = new
            {
                id = batch.ProjectId,
                name = "sandbox",
                active = true,
                tenantId = Tenant,
                dataSharingEnabled = true,
            },
        };

    /// <param name="batch">The batch.</param>
    /// <param name="index">The item's place in it.</param>
    /// <param name="isV3">Whether the client asked for the version that does not know a partly linked folder.</param>
    public object Item(IcaBatch batch, int index, bool isV3)
    {
        string status = batch.Status(index);
        IcaOutcome outcome = batch.Outcome(index);
        bool isLinked = outcome is IcaOutcome.Linked or IcaOutcome.AlreadyLinked or IcaOutcome.PartlyLinked;
        return new
        {
            id = batch.ItemId(index),
            request = new { dataId = batch.DataIds[index] },
            processing = new { status = Told(status, outcome, isV3), additionalStatusInformation = Reason(batch.DataIds[index], outcome) },
            createdProjectData = isLinked ? new { projectId = batch.ProjectId, data = Data(batch.DataIds[index]) } : null,
        };
    }

    public static object Data(string id) =>
        new
        {
            id,
            urn = $"urn:ilmn:ica:region:00000000-0000-0000-0000-000000000001:data:{id}#/data/{id}.fastq.gz",
            details = new
            {
                timeCreated = DateTimeOffset.UnixEpoch,
                timeModified = DateTimeOffset.UnixEpoch,
                tenantId = Tenant,
                owningProjectId = Tenant,
                name = $"{id}.fastq.gz",
                path = $"/data/{id}.fastq.gz",
                fileSizeInBytes = DataShape.IsFolder(id) ? (long?)null : 1_048_576,
                status = "AVAILABLE",
                dataType = DataShape.IsFolder(id) ? "FOLDER" : "FILE",
                tags = new { technicalTags = NoTags, userTags = NoTags },
            },
        };

    private string Told(string status, IcaOutcome outcome, bool isV3) =>
        outcome switch
        {
            IcaOutcome.PartlyLinked when isV3 => "FAILED",
            IcaOutcome.Linked => state.Options.SaysOfLinked ?? status,
            _ => status,
        };

    private static string? Reason(string dataId, IcaOutcome outcome) =>
        outcome switch
        {
            IcaOutcome.Missing => $"Data {dataId} was not found, or you have no access to it",
            IcaOutcome.NotShared => "Data sharing is not enabled for the project that owns the data",
            IcaOutcome.PartlyLinked => "Some of the contents of the folder could not be linked",
            IcaOutcome.Failed => "The data is not available",
            _ => null,
        };

    /// <summary>What identifies a person, as the real job does: a client must keep it out of its log.</summary>
    private static object Owner() =>
        new
        {
            id = Tenant,
            username = "robin@example.com",
            email = "robin@example.com",
            firstname = "Robin",
            lastname = "Sandbox",
            phoneNumber = "+1 555 0100",
            addressLine1 = "1 Sandbox Street",
            active = true,
        };
}
