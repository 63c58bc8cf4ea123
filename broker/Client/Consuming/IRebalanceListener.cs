namespace LogPipeline.Client.Consuming;

/// <summary>
/// Told, from inside a poll, when partitions come and go; the member goes on only when the returned task is done. So nothing is
/// fetched for a partition before <see cref="AssignedAsync"/> ends, and nobody else owns it before <see cref="RevokedAsync"/> ends.
/// </summary>
public interface IRebalanceListener
{
    /// <summary>New partitions. Gives the offsets to begin at; those left out begin at the group's committed offset, else by the reset policy.</summary>
    ValueTask<IReadOnlyDictionary<TopicPartition, long>> AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct);

    /// <summary>Partitions about to go to another member, still ours until this ends.</summary>
    ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct);

    /// <summary>Partitions that another member may own already.</summary>
    ValueTask LostAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct);
}
