using LogPipeline.Agent.State;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Shipping;

/// <summary>What is known when entries are made anew.</summary>
/// <param name="Identity">The log they go to.</param>
/// <param name="Producer">The id they go out under.</param>
/// <param name="Found">What the log has.</param>
/// <param name="Retained">Acked entries to look at too.</param>
/// <param name="Extra">Ranges that are in the log and in no entry.</param>
/// <param name="Refused">The entry to be split.</param>
/// <param name="Unsure">The log could not be read as far back as needed: what is not found is marked again.</param>
/// <param name="LeaderEpoch">The epoch under which it was read.</param>
internal sealed record ReplacementPlan(
    LogIdentity Identity, ProducerIdentity Producer, FoundRanges Found, IReadOnlyList<RetainedEntry> Retained,
    IReadOnlyList<EntryRange> Extra, Refusal? Refused, bool Unsure, int LeaderEpoch)
{
    /// <summary>
    /// What becomes of an entry's records that are not found: were they there before the log lost its end, or in the one that had its
    /// name, they may be stored.
    /// </summary>
    public RecordFate Missing(InflightEntry entry) =>
        Unsure || entry.IsSentBefore(LeaderEpoch) || (entry.IsSent && entry.Identity != Identity) ? RecordFate.MarkAgain : RecordFate.Keep;
}

internal record struct ReplacementCounts(int Found, int Missing, int Lost);

/// <summary>
/// Makes the group of entries that stands for a window after a fence: in the old order, without the records that are in the log,
/// acked ones that are gone marked again, a refused one halved or, when it is a single record, put to the dead letters.
/// </summary>
internal sealed class Replacement(
    LogWindow window, AgentState state, Generations generations, CompressionCodec codec, TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    private readonly HashSet<long> _restamped = [];
    private readonly List<InflightEntry> _group = [];
    private readonly List<InflightEntry> _foundWhole = [];

    /// <summary>The progress after one more record.</summary>
    public static Progress After(in Progress before, in RecordPosition record, int valueLength, ulong sumTerm) => new(
        record.End,
        record.IsLast ? record.End : record.LineBegin,
        record.IsLast ? 0 : record.Part,
        before.Records + 1,
        before.Bytes + valueLength,
        before.Sum + sumTerm);

    /// <summary>Entries that are found whole are acked at once; the rest comes back as a group in one piece.</summary>
    public List<InflightEntry> Make(ReplacementPlan plan, out ReplacementCounts counts)
    {
        counts = default;
        _group.Clear();
        _foundWhole.Clear();
        // A batch that was closed while the new producer was noted stands in the group too, so that this begins at 0.
        window.Writer.RestartSequences();
        foreach (RetainedEntry retained in plan.Retained)
        {
            InflightEntry entry = state.Inflight.ReadBack(retained.Place);
            (byte[] batch, int count) = ReEncoder.Apply(
                entry.Batch.Span, codec, 0, (_, p) => plan.Found.Contains(p) ? RecordFate.Drop : RecordFate.MarkAgain);
            if (count > 0)
            {
                counts.Lost++;
                Add(plan, entry, entry.Ranges, batch, count, again: true, replaces: 0);
            }
        }
        foreach (InflightEntry entry in window.Slots.Select(s => s.Entry))
        {
            if (plan.Refused is Refusal refused && refused.EntryNumber == entry.Number)
            {
                counts.Missing++;
                Split(plan, entry, refused.Error);
            }
            else
            {
                Place(plan, entry, ref counts);
            }
        }
        if (plan.Extra.Count > 0)
        {
            _group.Add(NewEntry(plan, null, plan.Extra, default, 0, again: false, replaces: 0));
        }
        Seal();
        // Last, when nothing can fail any more and be tried again: an ack counts once.
        _foundWhole.ForEach(entry => window.AckOne(entry, -1));
        return [.. _group];
    }

    private void Place(ReplacementPlan plan, InflightEntry entry, ref ReplacementCounts counts)
    {
        if (entry.RecordCount == 0)
        {
            Add(plan, entry, entry.Ranges, default, 0, entry.IsAgain, entry.Number);
            return;
        }
        RecordFate missing = plan.Missing(entry);
        (byte[] batch, int count) = ReEncoder.Apply(
            entry.Batch.Span, codec, 0, (_, p) => plan.Found.Contains(p) ? RecordFate.Drop : missing);
        if (count == 0 && _group.Count == 0)
        {
            // All before it is acked too, so the note alone tells; nothing needs to be written again.
            counts.Found++;
            _foundWhole.Add(entry);
            return;
        }
        counts.Found += count == 0 ? 1 : 0;
        counts.Missing += count == 0 ? 0 : 1;
        Add(plan, entry, entry.Ranges, batch, count, entry.IsAgain, entry.Number);
    }

    private void Split(ReplacementPlan plan, InflightEntry entry, ErrorCode error)
    {
        logger.BatchRefused(window.Key.Topic, window.Key.Partition, error.ToString());
        if (error == ErrorCode.InvalidTimestamp && _restamped.Add(entry.Number))
        {
            Restamp(plan, entry);
            return;
        }
        if (entry.RecordCount == 1)
        {
            DeadLetter(plan, entry, error);
            return;
        }
        ((byte[] first, int firstCount), (byte[] second, int secondCount)) = ReEncoder.Halve(entry.Batch.Span, entry.RecordCount, codec);
        (List<EntryRange> before, List<EntryRange> after) = SplitRanges(entry, firstCount);
        Add(plan, entry, before, first, firstCount, entry.IsAgain, entry.Number);
        Add(plan, entry, after, second, secondCount, entry.IsAgain, entry.Number);
    }

    /// <summary>
    /// A time the broker does not take: records that are far from our clock get its time first, as a line may say anything, and the others keep theirs;
    /// where none is, all get no time.
    /// </summary>
    private void Restamp(ReplacementPlan plan, InflightEntry entry)
    {
        long now = SaneClock.Now(time, out _);
        bool[] isFar = [.. ReEncoder.TimesOf(entry.Batch.Span).Select(said => said >= 0 && Math.Abs(now - said) > 60_000)];
        bool isAnyFar = isFar.Contains(true);
        (byte[] batch, int count) = ReEncoder.Apply(
            entry.Batch.Span, codec, isAnyFar ? now : -1, (i, _) => isAnyFar && !isFar[i] ? RecordFate.Keep : RecordFate.Restamp);
        Add(plan, entry, entry.Ranges, batch, count, entry.IsAgain, entry.Number);
        _restamped.Add(_group[^1].Number);
    }

    private void DeadLetter(ReplacementPlan plan, InflightEntry entry, ErrorCode error)
    {
        LeftOut leftOut = default;
        ReEncoder.Visit(entry.Batch.Span, (position, value) =>
        {
            leftOut = new LeftOut(1, value.Length, RecordSum.Term(position.End, value));
            string file = generations.Find(position.Generation)?.FirstPath ?? "";
            state.DeadLetters.Add(entry.Topic, file, position, value, error.ToString());
            logger.DeadLetter(entry.Topic, entry.Partition, value.Length, position.LineBegin, error.ToString());
        });
        metrics.DeadLetters.Add(1);
        // An entry of one record has ranges of one generation only, the record's.
        List<EntryRange> ranges = [.. entry.Ranges.Select((r, i) => i == 0 ? r with { LeftOut = r.LeftOut + leftOut } : r)];
        Add(plan, entry, ranges, default, 0, entry.IsAgain, entry.Number);
    }

    /// <summary>The ranges of the first records of an entry, and of the rest.</summary>
    private static (List<EntryRange> Before, List<EntryRange> After) SplitRanges(InflightEntry entry, int half)
    {
        // Totals are known at each range's end; taking its records off gives them at its begin, then they are added one by one.
        Dictionary<ulong, Progress> at = entry.Ranges.ToDictionary(r => r.Generation, r => r.End);
        List<(RecordPosition Position, int Length, ulong Term)> records = [];
        ReEncoder.Visit(entry.Batch.Span, (p, value) => records.Add((p, value.Length, RecordSum.Term(p.End, value))));
        foreach ((RecordPosition p, int length, ulong term) in records)
        {
            Progress end = at[p.Generation];
            at[p.Generation] = end with { Records = end.Records - 1, Bytes = end.Bytes - length, Sum = end.Sum - term };
        }
        HashSet<ulong> reached = [];
        foreach ((RecordPosition p, int length, ulong term) in records.Take(half))
        {
            at[p.Generation] = After(at[p.Generation], p, length, term);
            reached.Add(p.Generation);
        }
        HashSet<ulong> rest = [.. records.Skip(half).Select(r => r.Position.Generation)];
        List<EntryRange> before = [];
        List<EntryRange> after = [];
        foreach (EntryRange range in entry.Ranges)
        {
            bool split = reached.Contains(range.Generation) && rest.Contains(range.Generation);
            if (split)
            {
                Progress middle = at[range.Generation];
                before.Add(range with { End = middle, Tail = default, LeftOut = default, Omitted = default });
                after.Add(range with { Begin = middle.Position });
            }
            else
            {
                (reached.Contains(range.Generation) ? before : after).Add(range);
            }
        }
        return (before, after);
    }

    private void Add(
        ReplacementPlan plan, InflightEntry old, IReadOnlyList<EntryRange> ranges, ReadOnlyMemory<byte> batch, int count, bool again, long replaces) =>
        _group.Add(NewEntry(plan, old, ranges, batch, count, again, replaces));

    private InflightEntry NewEntry(
        ReplacementPlan plan, InflightEntry? old, IReadOnlyList<EntryRange> ranges, ReadOnlyMemory<byte> batch, int count, bool again, long replaces)
    {
        int sequence = window.Writer.TakeSequences(count);
        byte[] bytes = batch.ToArray();
        if (count > 0)
        {
            RecordBatch.SetProducer(bytes, plan.Producer.ProducerId, plan.Producer.Epoch, sequence);
        }
        return new InflightEntry
        {
            Number = state.Inflight.NextNumber++,
            Time = old?.Time ?? SaneClock.Now(time, out _),
            Replaces = replaces,
            IsAgain = again,
            Identity = plan.Identity,
            Topic = window.Key.Topic,
            Partition = window.Key.Partition,
            ProducerId = plan.Producer.ProducerId,
            ProducerEpoch = plan.Producer.Epoch,
            BaseSequence = sequence,
            RecordCount = count,
            ScanFrom = window.Record.End.Offset,
            LeaderEpoch = window.Record.End.LeaderEpoch,
            Ranges = ranges,
            Batch = bytes,
        };
    }

    private void Seal()
    {
        for (int i = 0; i < _group.Count; i++)
        {
            _group[i].GroupLeft = _group.Count - 1 - i;
        }
    }
}
