using IngestTools.Connections;
using IngestTools.Services.Ica;
using IngestTools.Services.Voss;
using IngestTools.Units.Support;
using Xunit;

namespace IngestTools.Units.Core;

/// <summary>
/// What must not be sent twice goes over a connection of its own: one that was idle may be cut in the moment in which it is used.
/// </summary>
public sealed class FreshConnectionTests
{
    [Fact]
    public async Task Start_of_a_load_is_not_sent_into_a_connection_that_is_being_cut()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        await using CuttingBalancer balancer = new(voss.Server.Uri);
        using IngestConnection connection = IngestConnection.Open(voss.Connection.Settings with { Uri = balancer.Uri });
        VossClient client = new(connection, voss.Log, voss.Journal);
        UploadResult sent = (
            await voss.SendAsync(client.CreateUploadTarget(VossHarness.Hierarchy, false), voss.Write("users.xlsx", "a@example.org"))
        ).Single();
        Assert.Equal(UploadStatus.Uploaded, sent.Status);

        Transaction load = await client.StartAsync(BulkLoadRequest.Of(sent, VossHarness.Hierarchy), voss.Soon);

        Assert.Equal(TransactionKind.BulkLoad, load.Kind);
        Assert.Single(voss.RequestsTo("method=bulkload_spreadsheet"));
    }

    [Fact]
    public async Task Each_start_costs_one_connection_and_reads_share_theirs()
    {
        await using VossHarness voss = await VossHarness.StartAsync();
        UploadResult first = await voss.SendAsync(voss.Write("one.xlsx", "a@example.org"));
        UploadResult second = await voss.SendAsync(voss.Write("two.xlsx", "b@example.org"));
        int before = voss.Server.Connections.Accepted;

        await voss.Client.StartAsync(BulkLoadRequest.Of(first, VossHarness.Hierarchy), voss.Soon);
        Transaction load = await voss.Client.StartAsync(BulkLoadRequest.Of(second, VossHarness.Hierarchy), voss.Soon);
        await voss.FollowAsync(load);

        Assert.Equal(2, voss.Server.Connections.Accepted - before);
    }

    [Fact]
    public async Task Start_of_a_batch_is_not_sent_into_a_connection_that_is_being_cut()
    {
        await using IcaHarness ica = await IcaHarness.StartAsync();
        await using CuttingBalancer balancer = new(ica.Server.Uri);
        using IngestConnection connection = IngestConnection.Open(ica.Connection.Settings with { Uri = new Uri(balancer.Uri, "ica/rest") });
        ServiceReport report = await ServiceCheck.RunAsync(connection, null, ica.Log, CancellationToken.None);
        Assert.True(report.Ok, string.Join(' ', report.Details));

        LinkingResult result = Assert.Single(await IcaHarness.LinkAsync(new IcaClient(connection, ica.Log), [IcaHarness.Id(1)]));

        Assert.Equal(TransactionKind.LinkingBatch, result.Transaction?.Kind);
        Assert.Single(ica.Batches);
    }
}
