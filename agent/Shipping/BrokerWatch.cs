using LogPipeline.Client;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Shipping;

/// <summary>
/// Which brokers can be connected to. A broker that cannot is told at its first refusal, again when the reason changes, and when it is back.
/// Owned by the agent's loop.
/// </summary>
internal sealed class BrokerWatch(TimeProvider time, ILogger logger)
{
    private readonly SortedDictionary<string, Trouble> _away = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _reached = new(StringComparer.Ordinal);

    /// <summary>Why brokers cannot be connected to; null when none is known to be away.</summary>
    public string? Reason => _away.Count == 0 ? null : string.Join("; ", _away.Values.Select(static away => away.Reason));

    /// <summary>A connection was tried; <paramref name="refused"/> is null when it was made.</summary>
    public void Tried(BrokerEndpoint endpoint, BrokerUnreachableException? refused)
    {
        string broker = endpoint.ToString();
        bool wasAway = _away.TryGetValue(broker, out Trouble before);
        if (refused is null)
        {
            _reached.Add(broker);
            if (_away.Remove(broker))
            {
                logger.BrokerBack(broker, Math.Round(before.Lasts(time).TotalSeconds, 1));
            }
            return;
        }
        _reached.Remove(broker);
        _away[broker] = wasAway ? before with { Reason = refused.Message } : Trouble.Now(refused.Message, time);
        if (!wasAway || before.Reason != refused.Message)
        {
            logger.BrokerAway(refused.Message);
        }
    }

    /// <summary>What to say when no broker could be reached for longer than <paramref name="patience"/>; null when one can, or none was tried.</summary>
    public string? Problem(TimeSpan patience)
    {
        if (_reached.Count > 0 || _away.Count == 0)
        {
            return null;
        }
        return _away.Values.Min(away => away.Lasts(time)) < patience ? null
            : $"no broker can be reached since {Trouble.Show(_away.Values.Max(static away => away.At))}: {string.Join("; ", _away.Values.Select(static away => away.Reason))}";
    }
}
