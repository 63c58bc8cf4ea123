using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Groups;

/// <summary>One member of a group; everything is guarded by its group's lock.</summary>
internal sealed class GroupMember(string id, string? instanceId, string clientId, string clientHost)
{
    public string Id => id;

    /// <summary>Names a static member over restarts of its client; null for a dynamic one.</summary>
    public string? InstanceId => instanceId;

    public string ClientId => clientId;

    public string ClientHost => clientHost;

    public TimeSpan SessionTimeout { get; set; }

    public TimeSpan RebalanceTimeout { get; set; }

    /// <summary>Assignment protocols by preference, with the member's metadata for each.</summary>
    public IReadOnlyList<(string Name, byte[] Metadata)> Protocols { get; set; } = [];

    /// <summary>The names of <see cref="Protocols"/>, by preference.</summary>
    public IEnumerable<string> ProtocolNames => Protocols.Select(protocol => protocol.Name);

    public ReadOnlyMemory<byte> Assignment { get; set; }

    /// <summary>Set until its first join is answered: only such a parked member may time out.</summary>
    public bool IsNew { get; set; } = true;

    /// <summary>Whether it has asked for its assignment in this generation.</summary>
    public bool HasSynced { get; set; }

    /// <summary>A JoinGroup that waits for the barrier.</summary>
    public TaskCompletionSource<JoinGroupResponse>? Joining { get; set; }

    /// <summary>A SyncGroup that waits for the leader's assignment.</summary>
    public TaskCompletionSource<SyncGroupResponse>? Syncing { get; set; }

    public long LastSeen { get; set; }

    public ITimer? Timer { get; set; }

    public bool IsParked => Joining is not null || Syncing is not null;

    public byte[] MetadataFor(string? protocol) =>
        Protocols.FirstOrDefault(p => p.Name == protocol).Metadata ?? [];

    /// <summary>Whether a join says what the member said before.</summary>
    public bool SaysTheSame(JoinGroupRequest request) =>
        Protocols.Count == request.Protocols.Count
        && Protocols.Zip(request.Protocols).All(p => p.First.Name == p.Second.Name && p.First.Metadata.AsSpan().SequenceEqual(p.Second.Metadata.Span));

    /// <summary>Takes what a join says; the request's bytes are copied.</summary>
    public void Take(JoinGroupRequest request)
    {
        SessionTimeout = TimeSpan.FromMilliseconds(request.SessionTimeoutMs);
        RebalanceTimeout = TimeSpan.FromMilliseconds(request.RebalanceTimeoutMs > 0 ? request.RebalanceTimeoutMs : request.SessionTimeoutMs);
        Protocols = [.. request.Protocols.Select(p => (p.Name, p.Metadata.ToArray()))];
    }
}
