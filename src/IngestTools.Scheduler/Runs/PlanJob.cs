using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace IngestTools.Scheduler.Runs;

/// <summary>What Quartz runs when an alarm rings.</summary>
internal sealed class PlanJob(RunPlanner planner, IHostApplicationLifetime lifetime, ILogger<PlanJob> logger) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            lifetime.ApplicationStopping
        );
        try
        {
            await planner.PlanDueAsync(ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // What is due is planned at the next start.
        }
        catch (System.Data.Common.DbException e)
        {
            // The planner looks for what was not planned every few seconds, and so comes back to it.
            logger.LogError("'{Name}' is due and could not be planned yet: {Reason}", context.Trigger.Key.Name, e.Message);
        }
    }
}
