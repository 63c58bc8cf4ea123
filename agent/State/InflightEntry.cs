using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.State;

/// <summary>A stretch of a generation that an entry answers for, and where it leaves the framing.</summary>
/// <param name="Generation">Its id.</param>
/// <param name="Begin">First byte.</param>
/// <param name="End">Position after it, framing state and totals there, what is left out counted in.</param>
/// <param name="Tail">Fingerprint of the bytes before the end; of length 0 when it is not known.</param>
/// <param name="LeftOut">What of it went to the dead letters.</param>
internal readonly record struct EntryRange(ulong Generation, long Begin, Progress End, Fingerprint Tail, LeftOut LeftOut)
{
    /// <summary>The lines of it that the configuration leaves out.</summary>
    public OmittedLines Omitted { get; init; }
}

/// <summary>
/// One batch on its way: the encoded batch itself and what its ack will mean. Durable in the in-flight file before it is sent,
/// so that it can be sent again byte for byte without reading the file again.
/// </summary>
/// <remarks>
/// Payload of its frame:
/// <code>
///   number i64, time i64 (ms), replaces i64 (entry number; 0 = none), group left i32, flags u8 (1 again)
///   cluster id, topic id 16, wire partition i32, topic, partition i32
///   producer id i64, epoch i16, base sequence i32, record count i32
///   scan from i64, leader epoch i32
///   range count i32; each: generation u64, begin i64, end (Progress 44), tail (Fingerprint 12), left out (LeftOut 24)
///   batch length i32, batch
///   of each range: end of its last record i64, omitted (OmittedLines 32); missing in what earlier versions wrote
/// </code>
/// </remarks>
internal sealed class InflightEntry
{
    public required long Number { get; init; }

    public required long Time { get; init; }

    /// <summary>The entry that this one stands for: with this one durable, that one is void.</summary>
    public long Replaces { get; init; }

    /// <summary>Entries of the same group that follow; a group that is not whole was never sent and is void.</summary>
    public int GroupLeft { get; set; }

    /// <summary>Its ranges may be stored already: they do not move the acked position, its records say <c>again</c>.</summary>
    public bool IsAgain { get; init; }

    public required LogIdentity Identity { get; init; }

    public required string Topic { get; init; }

    public required int Partition { get; init; }

    public long ProducerId { get; init; } = -1;

    public short ProducerEpoch { get; init; } = -1;

    public int BaseSequence { get; init; } = -1;

    /// <summary>0: the ranges gave no record, nothing is sent.</summary>
    public required int RecordCount { get; init; }

    /// <summary>A log end offset known when it was made: it can only lie at or beyond it.</summary>
    public long ScanFrom { get; init; }

    /// <summary>The newest leader epoch known when it was made; it can only have been sent under this one or later ones.</summary>
    public int LeaderEpoch { get; init; } = -1;

    public required IReadOnlyList<EntryRange> Ranges { get; init; }

    /// <summary>The encoded batch; empty when there are no records, when it was not read back, and after <see cref="GiveBatchBack"/>.</summary>
    public required ReadOnlyMemory<byte> Batch { get; set; }

    /// <summary>The pooled memory that <see cref="Batch"/> lies in, if it does.</summary>
    public PooledBatch? Pooled { private get; init; }

    public int LastSequence => RecordBatch.Sequence(BaseSequence, RecordCount - 1);

    // What follows is not on disk: where it is and what became of it.

    /// <summary>Whether a broker may have had it: of what is read back nobody knows.</summary>
    public bool IsSent { get; set; }

    public bool IsAcked { get; set; }

    /// <summary>The offset of its first record once acked; -1 when another way told that it is there.</summary>
    public long BaseOffset { get; set; } = -1;

    public InflightPlace Place { get; set; }

    /// <summary>
    /// Whether it may have been sent to a leader before the one of this epoch: such a one may have appended and shown it, and the
    /// log have lost its end since.
    /// </summary>
    public bool IsSentBefore(int leaderEpoch) => IsSent && (leaderEpoch < 0 || LeaderEpoch != leaderEpoch);

    /// <summary>Ends the use of the batch: it is acked, and nothing sends or writes it any more.</summary>
    public void GiveBatchBack()
    {
        Batch = default;
        Pooled?.GiveBack();
    }

    public void Write(StateWriter to)
    {
        to.Int64(Number);
        to.Int64(Time);
        to.Int64(Replaces);
        to.Int32(GroupLeft);
        to.Byte(IsAgain ? (byte)1 : (byte)0);
        to.String(Identity.ClusterId);
        to.Guid(Identity.TopicId);
        to.Int32(Identity.Partition);
        to.String(Topic);
        to.Int32(Partition);
        to.Int64(ProducerId);
        to.Int16(ProducerEpoch);
        to.Int32(BaseSequence);
        to.Int32(RecordCount);
        to.Int64(ScanFrom);
        to.Int32(LeaderEpoch);
        to.Int32(Ranges.Count);
        foreach (EntryRange range in Ranges)
        {
            to.UInt64(range.Generation);
            to.Int64(range.Begin);
            range.End.Write(to);
            range.Tail.Write(to);
            range.LeftOut.Write(to);
        }
        to.Bytes(Batch.Span);
        foreach (EntryRange range in Ranges)
        {
            to.Int64(range.End.Covered);
            range.Omitted.Write(to);
        }
    }

    /// <param name="from">The frame's payload.</param>
    /// <param name="withBatch">Whether to copy the batch too; without it only what the ack means is kept.</param>
    public static InflightEntry ReadFrom(ref StateReader from, bool withBatch)
    {
        long number = from.Int64();
        long time = from.Int64();
        long replaces = from.Int64();
        int groupLeft = from.Int32();
        bool again = from.Byte() != 0;
        var identity = new LogIdentity(from.String(), from.Guid(), from.Int32());
        string topic = from.String();
        int partition = from.Int32();
        long producerId = from.Int64();
        short producerEpoch = from.Int16();
        int baseSequence = from.Int32();
        int recordCount = from.Int32();
        long scanFrom = from.Int64();
        int leaderEpoch = from.Int32();
        var ranges = new EntryRange[from.Int32()];
        for (int i = 0; i < ranges.Length; i++)
        {
            ranges[i] = new EntryRange(from.UInt64(), from.Int64(), Progress.Read(ref from), Fingerprint.Read(ref from), LeftOut.Read(ref from));
        }
        ReadOnlySpan<byte> batch = from.Bytes();
        for (int i = 0; i < ranges.Length && !from.IsAtEnd; i++)
        {
            ranges[i] = ranges[i] with { End = ranges[i].End with { Covered = from.Int64() }, Omitted = OmittedLines.Read(ref from) };
        }
        return new InflightEntry
        {
            Number = number,
            Time = time,
            Replaces = replaces,
            GroupLeft = groupLeft,
            IsAgain = again,
            Identity = identity,
            Topic = topic,
            Partition = partition,
            ProducerId = producerId,
            ProducerEpoch = producerEpoch,
            BaseSequence = baseSequence,
            RecordCount = recordCount,
            ScanFrom = scanFrom,
            LeaderEpoch = leaderEpoch,
            Ranges = ranges,
            Batch = withBatch ? batch.ToArray() : default,
            IsSent = true,
        };
    }
}

/// <summary>Where an entry's frame lies in the in-flight files.</summary>
internal readonly record struct InflightPlace(int Segment, long Position, int Length);
