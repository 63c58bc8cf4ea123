using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.OffsetResets;

/// <summary>
/// Finds the offsets that a group is to have, then commits them. A new offset always lies in the log: what is below its start or beyond its
/// end is set to that, and told.
/// </summary>
internal sealed class OffsetReset(AdminClient admin, Action<string> warn)
{
    /// <summary>What a group that runs is told; it would commit its own offsets over these.</summary>
    public static string? WhyNot(GroupDescription group) => group.State is "Empty" or "Dead"
        ? null
        : $"Assignments can only be reset if the group '{group.GroupId}' is inactive, but the current state is {group.State}.";

    /// <param name="group">The group.</param>
    /// <param name="scope">Topics, or <c>topic:0,1</c> for some of its partitions; null takes all that the group has committed offsets of.</param>
    /// <param name="ct">Ends the questions to the brokers.</param>
    /// <exception cref="BrokerErrorException">A topic is not there.</exception>
    public async Task<IReadOnlyList<TopicPartition>> ScopeAsync(string group, IReadOnlyList<string>? scope, CancellationToken ct)
    {
        if (scope is null)
        {
            return [.. (await admin.GroupOffsetsAsync(group, ct)).Select(static entry => entry.Key)];
        }
        var partitions = new List<TopicPartition>();
        foreach (string one in scope)
        {
            int colon = one.IndexOf(':', StringComparison.Ordinal);
            TopicMetadata topic = await admin.DescribeTopicAsync(colon < 0 ? one : one[..colon], ct);
            string[] wanted = colon < 0 ? [] : one[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            partitions.AddRange(topic.Partitions
                .Where(partition => colon < 0 || wanted.Contains(partition.Index.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparer.Ordinal))
                .Select(partition => new TopicPartition(topic.Name, partition.Index)));
        }
        return partitions;
    }

    /// <returns>The new offsets, ordered by partition; nothing is committed yet.</returns>
    /// <exception cref="InvalidDataException">A partition has nothing committed that could be shifted.</exception>
    public async Task<IReadOnlyList<ResetLine>> PlanAsync(string group, IReadOnlyList<TopicPartition> partitions, ResetTarget target, CancellationToken ct)
    {
        Dictionary<TopicPartition, long> committed = target.Kind is ResetKind.Current or ResetKind.Shift
            ? (await admin.GroupOffsetsAsync(group, ct)).ToDictionary(static entry => entry.Key, static entry => entry.Value.Offset)
            : [];
        IEnumerable<ResetLine> named = (target.Offsets ?? []).Where(line => line.Group.Length == 0 || line.Group == group);
        IEnumerable<TopicPartition> wanted = target.Kind == ResetKind.File ? named.Select(static line => line.Partition) : partitions;
        var plan = new List<ResetLine>();
        foreach (TopicPartition partition in wanted.Distinct().Order())
        {
            long? asked = target.Kind switch
            {
                ResetKind.Offset => target.Number,
                ResetKind.File => named.Last(line => line.Partition == partition).Offset,
                ResetKind.Current when committed.TryGetValue(partition, out long at) => at,
                ResetKind.Shift => committed.TryGetValue(partition, out long from)
                    ? from + target.Number
                    : throw new InvalidDataException($"Cannot shift offset for partition {partition} since there is no current committed offset"),
                _ => null,
            };
            plan.Add(new ResetLine(group, partition, asked is { } offset ? await WithinAsync(partition, offset, ct) : await FindAsync(partition, target, ct)));
        }
        return plan;
    }

    /// <summary>Commits what was planned.</summary>
    public ValueTask ApplyAsync(string group, IReadOnlyList<ResetLine> plan, CancellationToken ct) => plan.Count == 0
        ? ValueTask.CompletedTask
        : admin.CommitOffsetsAsync(group, [.. plan.Select(static line => KeyValuePair.Create(line.Partition, new CommitPoint(line.Offset)))], ct);

    private async Task<long> FindAsync(TopicPartition partition, ResetTarget target, CancellationToken ct)
    {
        if (target.Kind == ResetKind.Time && (await admin.OffsetAsync(partition, OffsetSpec.At(target.Time), ct)).Offset is >= 0 and long found)
        {
            return found;
        }
        return (await admin.OffsetAsync(partition, target.Kind == ResetKind.Earliest ? OffsetSpec.Earliest : OffsetSpec.Latest, ct)).Offset;
    }

    private async Task<long> WithinAsync(TopicPartition partition, long offset, CancellationToken ct)
    {
        long start = (await admin.OffsetAsync(partition, OffsetSpec.Earliest, ct)).Offset;
        long end = (await admin.OffsetAsync(partition, OffsetSpec.Latest, ct)).Offset;
        if (offset < start)
        {
            warn($"New offset ({offset}) is lower than earliest offset for topic partition {partition}. Value will be set to {start}");
        }
        else if (offset > end)
        {
            warn($"New offset ({offset}) is higher than latest offset for topic partition {partition}. Value will be set to {end}");
        }
        return Math.Clamp(offset, start, end);
    }
}
