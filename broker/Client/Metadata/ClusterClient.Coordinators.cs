using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Metadata;

/// <summary>Who coordinates a group: asked once and kept until invalidated.</summary>
public sealed partial class ClusterClient
{
    /// <summary>A connection to the group's coordinator.</summary>
    public ValueTask<BrokerConnection> CoordinatorAsync(string group, CancellationToken ct) => CoordinatorAsync(group, 0, ct);

    /// <summary>Forgets the group's coordinator (after errors 15 and 16).</summary>
    public void InvalidateCoordinator(string group)
    {
        lock (_gate)
        {
            _coordinators.Remove(group);
        }
    }

    internal ValueTask<BrokerConnection> CoordinatorAsync(string group, int lane, CancellationToken ct)
    {
        if (KnownCoordinator(group) is { } known && _pool.Find(known, lane) is { } open)
        {
            return ValueTask.FromResult(open);
        }
        return Retry.RunAsync(
            async (attempt, inner) =>
            {
                if (attempt > 0)
                {
                    InvalidateCoordinator(group);
                }
                BrokerEndpoint endpoint = KnownCoordinator(group) ?? await FindCoordinatorAsync(group, inner);
                return await _pool.GetAsync(endpoint, lane, inner);
            },
            Options.LookupTimeout,
            ct);
    }

    private BrokerEndpoint? KnownCoordinator(string group)
    {
        lock (_gate)
        {
            return _coordinators.TryGetValue(group, out BrokerEndpoint known) ? known : null;
        }
    }

    private async ValueTask<BrokerEndpoint> FindCoordinatorAsync(string group, CancellationToken ct)
    {
        BrokerConnection any = FindAny() ?? await ConnectAnyAsync(ct);
        var request = new FindCoordinatorRequest { Key = group, CoordinatorKeys = [group] };
        FindCoordinatorResponse answer = await any.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(request, ct);
        FindCoordinatorResponse.Coordinator found = answer.Coordinators.Count > 0
            ? answer.Coordinators[0]
            : new FindCoordinatorResponse.Coordinator { ErrorCode = answer.ErrorCode, Host = answer.Host, Port = answer.Port };
        if (found.ErrorCode != ErrorCode.None)
        {
            throw new BrokerErrorException(found.ErrorCode, $"no coordinator for group '{group}': {found.ErrorCode}");
        }
        var endpoint = new BrokerEndpoint(found.Host, found.Port);
        lock (_gate)
        {
            _coordinators[group] = endpoint;
        }
        return endpoint;
    }
}
