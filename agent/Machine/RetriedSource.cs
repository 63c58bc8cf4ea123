using LogPipeline.Agent.Sources;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Machine;

/// <summary>A source that is begun again whenever it fails: each reason is told once, and stands in the health until lines come again.</summary>
internal abstract class RetriedSource(string name, TimeProvider time, ILogger logger) : ILineSource
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    protected ILogger Logger => logger;

    protected TimeProvider Time => time;

    public async Task RunAsync(Spool spool, CancellationToken stopped)
    {
        while (true)
        {
            string reason;
            try
            {
                reason = await FeedAsync(spool, stopped);
            }
            catch (Exception fault) when (IsPassing(fault))
            {
                reason = fault.Message;
            }
            if (spool.Trouble != reason)
            {
                logger.SourceFailed(name, reason);
            }
            spool.Trouble = reason;
            await Task.Delay(RetryDelay, time, stopped);
        }
    }

    /// <summary>Feeds the spool until it can no more, and returns why.</summary>
    protected abstract Task<string> FeedAsync(Spool spool, CancellationToken stopped);

    /// <summary>Whether a fault may pass; any other stops the agent.</summary>
    protected abstract bool IsPassing(Exception fault);
}
