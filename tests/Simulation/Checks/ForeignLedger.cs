using System.Buffers.Binary;
using System.Globalization;
using LogPipeline.Protocol.Records;
using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Checks;

/// <summary>
/// What foreign producers were told: a record whose batch was acknowledged is in the log once, and no record is there twice. Its
/// number is the first four bytes of its value.
/// </summary>
internal sealed class ForeignLedger(World world)
{
    public const string AckedIsThere = "an acknowledged record is in the log";
    public const string OnceInLog = "a record is in the log once";

    private readonly List<string?> _acked = []; // by the record's number: how it was acknowledged, null before
    private readonly SortedDictionary<long, int> _removed = []; // by offset: the records that retention removed

    /// <summary>False where the broker is made to forget producers as Apache Kafka does: their repeats may then be stored again.</summary>
    public bool MustBeOnce { get; set; } = true;

    /// <summary>The number of a new record.</summary>
    public int Next()
    {
        _acked.Add(null);
        return _acked.Count - 1;
    }

    /// <summary>The client takes the record for stored.</summary>
    /// <param name="number">Which record.</param>
    /// <param name="how">The answer that said so, for messages.</param>
    public void Acked(int number, string how) => _acked[number] = how;

    /// <summary>Retention removes batches, as it may: their records have been in the log.</summary>
    public void Removed(IEnumerable<StoredBatch> batches) => AddTo(_removed, batches);

    /// <summary>Holds what is on the disk against what was told.</summary>
    public void Check(IReadOnlyList<StoredBatch> stored)
    {
        int[] counts = new int[_acked.Count];
        var there = new SortedDictionary<long, int>(_removed);
        AddTo(there, stored);
        foreach (int number in there.Values)
        {
            counts[number]++;
        }
        for (int number = 0; number < counts.Length; number++)
        {
            if (_acked[number] is { } how && counts[number] == 0)
            {
                world.Fail(
                    AckedIsThere,
                    string.Create(CultureInfo.InvariantCulture, $"record {number} was acknowledged ({how}) and is not there"));
                return;
            }
            if (counts[number] > 1 && MustBeOnce)
            {
                world.Fail(OnceInLog, string.Create(CultureInfo.InvariantCulture, $"record {number} is there {counts[number]} times"));
                return;
            }
        }
    }

    private static void AddTo(SortedDictionary<long, int> records, IEnumerable<StoredBatch> batches)
    {
        foreach (StoredBatch batch in batches)
        {
            var reader = new RecordReader(batch.Bytes.Span[RecordBatch.HeaderSize..], batch.Header);
            while (reader.Read())
            {
                records[reader.Offset] = BinaryPrimitives.ReadInt32BigEndian(reader.Value);
            }
        }
    }
}
