namespace LogPipeline.Client.Consuming;

/// <summary>
/// Told, from inside a poll, when partitions come and go; the poll goes on only when the returned task is done, and ends no sooner even if it
/// is cancelled. So nothing is polled for a partition before <see cref="AssignedAsync"/> ends, and nobody else owns it before
/// <see cref="RevokedAsync"/> ends.
/// </summary>
public interface IRebalanceListener
{
    /// <summary>
    /// New partitions. It may seek and pause them; those not sought begin at the group's committed offset, else by the reset policy.
    /// </summary>
    ValueTask AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct);

    /// <summary>Partitions about to go to another member, still ours until this ends.</summary>
    ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct);

    /// <summary>Partitions that another member may own already.</summary>
    ValueTask LostAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct);
}
