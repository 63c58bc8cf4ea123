using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Status;

/// <summary>
/// Tells how far the agent is with a backlog: every 30 s while more than 100 MB wait, with the rate at which they are sent and the time that
/// is left at the rate at which they become fewer. Noted once a second; owned by the agent's loop.
/// </summary>
internal sealed class Backlog(TimeProvider time, ILogger logger)
{
    /// <summary>Bytes from which on work that waits is a backlog.</summary>
    public const long Least = 100_000_000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    private bool _isTold;
    private long _begun = -1;
    private long _lagThen;
    private long _acked;

    /// <param name="lag">Bytes of all files that are not acked.</param>
    /// <param name="acked">Bytes of files that were acked since the last note.</param>
    public void Note(long lag, long acked)
    {
        if (lag < Least)
        {
            if (_isTold)
            {
                logger.BacklogSent();
            }
            (_isTold, _begun) = (false, -1);
            return;
        }
        if (_begun < 0)
        {
            Begin(lag);
            return;
        }
        _acked += acked;
        TimeSpan passed = time.GetElapsedTime(_begun);
        if (passed < Every)
        {
            return;
        }
        double shrinks = (_lagThen - lag) / passed.TotalSeconds;
        logger.BacklogProgress(ByteCount.Show(lag), ByteCount.Show((long)(_acked / passed.TotalSeconds)), Estimate(lag, shrinks));
        _isTold = true;
        Begin(lag);
    }

    private void Begin(long lag) => (_begun, _lagThen, _acked) = (time.GetTimestamp(), lag, 0);

    private static string Estimate(long lag, double shrinks) =>
        shrinks <= 0 ? "and it does not become less" : $"{ShortTime.Show(TimeSpan.FromSeconds(lag / shrinks))} left";
}
