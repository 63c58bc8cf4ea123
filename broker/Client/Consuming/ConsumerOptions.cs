namespace LogPipeline.Client.Consuming;

/// <summary>Where to begin a partition that has no usable position.</summary>
public enum OffsetReset
{
    /// <summary>At the log's start.</summary>
    Earliest,
    /// <summary>At the high watermark: only what comes from now on.</summary>
    Latest,
    /// <summary>Nowhere: throw <see cref="PositionOutOfRangeException"/>.</summary>
    None,
}

/// <summary>How groups share partitions; the first that all members know is used.</summary>
public enum AssignmentStrategy
{
    Range,
    RoundRobin,
    Sticky,
    /// <summary>Sticky, and members keep what they keep while the rest moves.</summary>
    CooperativeSticky,
}

/// <summary>How a consumer fetches and takes part in its group.</summary>
public sealed record ConsumerOptions
{
    /// <summary>Needed to subscribe and to commit.</summary>
    public string? Group { get; init; }

    /// <summary>Names a static member: a restart within the session timeout moves nothing.</summary>
    public string? InstanceId { get; init; }

    /// <summary>In order of preference. Revocation is incremental only if all of them are cooperative.</summary>
    public IReadOnlyList<AssignmentStrategy> Assignments { get; init; } = [AssignmentStrategy.CooperativeSticky];

    public OffsetReset OffsetReset { get; init; } = OffsetReset.Latest;

    /// <summary>Between automatic commits of what was polled before; null: only by <see cref="Consumer.CommitAsync(CancellationToken)"/>.</summary>
    public TimeSpan? AutoCommitInterval { get; init; }

    /// <summary>The group removes a member it has not heard of for so long.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(45);

    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A consumer that does not poll for so long leaves its group; rebalances wait at most so long for it.</summary>
    public TimeSpan PollIntervalMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes for which the broker holds a fetch back, at most for <see cref="FetchWaitMax"/>.</summary>
    public int FetchBytesMin { get; init; } = 1;

    public TimeSpan FetchWaitMax { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Most bytes of one fetch; a single larger batch comes all the same.</summary>
    public int FetchBytesMax { get; init; } = 50 << 20;

    /// <summary>Most bytes of one partition in one fetch; a single larger batch comes all the same.</summary>
    public int PartitionBytesMax { get; init; } = 1 << 20;

    /// <summary>No new fetch begins while so many fetched bytes wait to be polled.</summary>
    public long PrefetchBytes { get; init; } = 16 << 20;

    /// <summary>
    /// Whether records of transactions that are open or were aborted are left out. Of whole batches (<see cref="Consumer.PollBatchesAsync"/>)
    /// those of open ones are; aborted ones are not told apart there.
    /// </summary>
    public bool ReadCommitted { get; init; }

    /// <summary>Whether the CRC of each batch is checked.</summary>
    public bool CheckCrc { get; init; } = true;

    /// <summary>Throws <see cref="ArgumentException"/> naming the first setting that cannot be.</summary>
    public void Validate()
    {
        Require(Group is null || Group.Length > 0, "the group's name is empty");
        Require(InstanceId is null || Group is not null, $"{nameof(InstanceId)} needs a group");
        Require(Assignments.Count > 0, $"{nameof(Assignments)} is empty");
        Require(AutoCommitInterval is null || Group is not null && AutoCommitInterval > TimeSpan.Zero, $"{nameof(AutoCommitInterval)} needs a group and must be positive");
        Require(HeartbeatInterval > TimeSpan.Zero && HeartbeatInterval < SessionTimeout, $"{nameof(HeartbeatInterval)} must be positive and below {nameof(SessionTimeout)}");
        Require(PollIntervalMax > TimeSpan.Zero, $"{nameof(PollIntervalMax)} must be positive");
        Require(FetchWaitMax >= TimeSpan.Zero, $"{nameof(FetchWaitMax)} is negative");
        Require(FetchBytesMin >= 0 && FetchBytesMax > 0 && PartitionBytesMax > 0 && PrefetchBytes > 0, "fetch sizes must be positive");
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ArgumentException(otherwise);
        }
    }
}
