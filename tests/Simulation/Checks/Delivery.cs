using System.Globalization;
using System.Text;
using LogPipeline.Contract;
using LogPipeline.Protocol.Records;
using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Simulation.Checks;

/// <summary>One record of the topic that is a line or a part of one.</summary>
internal readonly record struct TopicLine(int Partition, long Offset, RecordPosition Position, byte[] Value)
{
    public bool IsAgain => (Position.Flags & PositionFlags.Again) != 0;
}

/// <summary>Counts what came out against what was written.</summary>
internal static class Delivery
{
    /// <summary>The lines of a partition's batches; fences and control batches left out.</summary>
    public static IEnumerable<TopicLine> LinesOf(int partition, IReadOnlyList<StoredBatch> batches)
    {
        using var decoder = new BatchDecoder();
        var lines = new List<TopicLine>();
        foreach (StoredBatch batch in batches)
        {
            if (batch.Header.IsControl)
            {
                continue;
            }
            var reader = new RecordReader(decoder.Records(batch.Bytes.Span, batch.Header), batch.Header);
            while (reader.Read())
            {
                if (reader.TryGetHeader(PositionHeaders.Position, out ReadOnlySpan<byte> encoded)
                    && RecordPosition.TryRead(encoded, out RecordPosition position))
                {
                    lines.Add(new TopicLine(partition, reader.Offset, position, reader.Value.ToArray()));
                }
            }
        }
        return lines;
    }

    /// <summary>What a reader of the whole topic stores: records marked `again` only where it has not stored their range yet.</summary>
    public static IReadOnlyList<TopicLine> Stored(IReadOnlyList<TopicLine> lines)
    {
        var ranges = new Dictionary<(Guid, ulong), StoredRanges>();
        return lines.Where(line =>
        {
            (Guid AgentId, ulong Generation) source = (line.Position.AgentId, line.Position.Generation);
            StoredRanges stored = ranges.TryGetValue(source, out StoredRanges? known) ? known : ranges[source] = new StoredRanges([]);
            bool isKnown = stored.Contains(line.Position.CoveredBegin, line.Position.End);
            stored.Add(line.Position.CoveredBegin, line.Position.End);
            return !isKnown || !line.IsAgain;
        }).ToList();
    }

    /// <summary>Of each generation: the stored records lie end to end.</summary>
    public static void CheckRanges(World world, IReadOnlyList<TopicLine> lines)
    {
        foreach (IGrouping<(Guid AgentId, ulong Generation), TopicLine> generation in Stored(lines).GroupBy(static line => (line.Position.AgentId, line.Position.Generation)))
        {
            TopicLine? before = null;
            foreach (TopicLine line in generation.OrderBy(static line => line.Position.CoveredBegin))
            {
                if (before is { } last && last.Position.End != line.Position.CoveredBegin)
                {
                    string what = last.Position.End < line.Position.CoveredBegin ? "a hole" : "an overlap";
                    world.Fail("ranges lie end to end", string.Create(CultureInfo.InvariantCulture,
                        $"{what} in generation {generation.Key.Generation:x}: {Place(last)}, then {Place(line)}"));
                    return;
                }
                before = line;
            }
        }
    }

    /// <summary>How often each id is in the topic, not counting what is marked `again` and was there before.</summary>
    public static Dictionary<int, int> CountTopic(IReadOnlyList<TopicLine> lines) =>
        Count(Stored(lines).GroupBy(static line => (line.Position.AgentId, line.Position.Generation, line.Position.LineBegin))
            .SelectMany(static parts => Joined([.. parts.Select(static part => (part.Position.Part, part.Value))])));

    /// <summary>How often each id is in the table or its dead letters.</summary>
    public static Dictionary<int, int> CountTable(Tables tables) =>
        Count(tables.Rows.GroupBy(static row => (row.SourceId, row.LineBegin))
            .SelectMany(static parts => Joined([.. parts.Select(static part => (part.Part, part.Value))]))
            .Concat(tables.DeadLetters.Select(static letter => letter.Value.ToArray())));

    /// <summary>How often each id is among rows that are grouped by line.</summary>
    public static Dictionary<int, int> CountJoined(IEnumerable<IEnumerable<(int Part, byte[] Value)>> lines) => Count(lines.SelectMany(static parts => Joined([.. parts])));

    /// <summary>Each line is there as often as it must and may.</summary>
    /// <param name="where">For messages.</param>
    /// <param name="counted">How often each id is there.</param>
    /// <param name="mayLack">Whether a line need not be there.</param>
    public static void CheckLines(World world, string where, IReadOnlyList<Line> lines, Dictionary<int, int> counted, Func<Line, bool> mayLack)
    {
        foreach (Line line in lines)
        {
            int count = counted.GetValueOrDefault(line.Id);
            if (count > line.Most)
            {
                world.Fail($"a line is in the {where} once", $"line {line.Id} is there {count} times; {line.Story}");
                return;
            }
            if (count < line.Least && !mayLack(line))
            {
                world.Fail($"a line is in the {where}", $"line {line.Id} is missing: {Encoding.ASCII.GetString(line.Bytes)[..Math.Min(60, line.Bytes.Length)]}");
                return;
            }
        }
    }

    /// <summary>The ranges of each source, merged: nothing missing in between, and each row inside.</summary>
    public static void CheckSources(World world, Tables tables, bool mayHaveHoles)
    {
        var ranges = tables.Sources.ToDictionary(static source => source.Id, static source => new StoredRanges(source.Stored));
        foreach (TableRow row in tables.Rows.Where(static row => row.SourceId >= 0))
        {
            if (!ranges.TryGetValue(row.SourceId, out StoredRanges? stored) || !stored.Contains(row.CoveredBegin, row.CoveredEnd))
            {
                world.Fail("stored ranges hold the rows", string.Create(CultureInfo.InvariantCulture,
                    $"source {row.SourceId}: the row of bytes {row.CoveredBegin}..{row.CoveredEnd} is outside"));
                return;
            }
        }
        foreach (SourceRow source in tables.Sources)
        {
            if (source.Stored.Count > 1 && !mayHaveHoles)
            {
                FileRange hole = new(source.Stored[0].End, source.Stored[1].Begin);
                world.Fail("stored ranges have no hole", string.Create(CultureInfo.InvariantCulture,
                    $"source {source.Id}, generation {source.Source.Key.Generation:x}: nothing stored for {hole.Begin}..{hole.End}"));
                return;
            }
        }
    }

    private static string Place(TopicLine line) => string.Create(CultureInfo.InvariantCulture,
        $"bytes {line.Position.CoveredBegin}..{line.Position.End} at {line.Partition}/{line.Offset}");

    // A line once whole or in parts 1, 2, … with nothing missing; doubled parts are told as a doubled line.
    private static IEnumerable<byte[]> Joined(List<(int Part, byte[] Value)> parts)
    {
        foreach ((int part, byte[] value) in parts)
        {
            if (part == 0)
            {
                yield return value;
            }
        }
        var cut = parts.Where(static part => part.Part > 0).OrderBy(static part => part.Part).ToList();
        int copies = cut.Count == 0 ? 0 : cut.GroupBy(static part => part.Part).Max(static same => same.Count());
        byte[] whole = [.. cut.DistinctBy(static part => part.Part).SelectMany(static part => part.Value)];
        for (int i = 0; i < copies; i++)
        {
            yield return whole;
        }
    }

    private static Dictionary<int, int> Count(IEnumerable<byte[]> values)
    {
        var counted = new Dictionary<int, int>();
        foreach (byte[] value in values)
        {
            if (Line.IdOf(value) is { } id)
            {
                counted[id] = counted.GetValueOrDefault(id) + 1;
            }
        }
        return counted;
    }
}
