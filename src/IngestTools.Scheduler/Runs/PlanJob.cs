using System.Data.Common;
using IngestTools.Scheduler.Timing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace IngestTools.Scheduler.Runs;

/// <summary>What Quartz runs when a trigger fires: plans what is due.</summary>
internal sealed class PlanJob(RunPlanner planner, TriggerScheduler triggers, IHostApplicationLifetime lifetime, ILogger<PlanJob> logger)
    : IJob
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
            await triggers.ContinueAsync(ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // What is due is planned at the next start.
        }
        catch (DbException e)
        {
            // What was not planned is polled every few seconds.
            logger.LogError("What is due could not be planned yet: {Reason}", e.Message);
        }
    }
}
