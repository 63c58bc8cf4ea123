using System.Buffers.Binary;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Producers;

namespace LogPipeline.Storage.Tests;

public sealed class ProducerSnapshotTests
{
    [Fact]
    public void A_snapshot_gives_back_what_it_was_made_of()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            ProducerTable table = Some(new Random(seed));
            ProducerTable? read = ProducerSnapshot.TryDecode(ProducerSnapshot.Encode(table));
            Assert.NotNull(read);
            Assert.Equal(table.Entries.Select(Text).Order(StringComparer.Ordinal), read.Entries.Select(Text).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void A_flipped_bit_or_a_cut_makes_a_snapshot_worthless()
    {
        byte[] bytes = ProducerSnapshot.Encode(Some(new Random(1)));
        for (int at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= (byte)(1 << (at % 8));
            Assert.Null(ProducerSnapshot.TryDecode(bytes));
            bytes[at] ^= (byte)(1 << (at % 8));
            Assert.Null(ProducerSnapshot.TryDecode(bytes.AsSpan(0, at)));
        }
    }

    [Fact]
    public void Counts_that_lie_below_a_right_checksum_are_refused()
    {
        ProducerTable table = new();
        table.Add(1, 0, new ProducerBatch(4, 4, 4, 1000));
        byte[] bytes = ProducerSnapshot.Encode(table);
        foreach (int at in (int[])[6, bytes.Length - 4])
        {
            foreach (int lie in (int[])[-1, 4, int.MaxValue, int.MinValue])
            {
                byte[] lying = [.. bytes];
                BinaryPrimitives.WriteInt32BigEndian(lying.AsSpan(at), lie);
                BinaryPrimitives.WriteUInt32BigEndian(lying.AsSpan(2), Crc32C.Compute(lying.AsSpan(6)));
                Assert.Null(ProducerSnapshot.TryDecode(lying));
            }
        }
    }

    [Fact]
    public void A_snapshot_of_the_version_before_vouches_for_its_batches_only()
    {
        // Producer 9, epoch 1, last batch sequence 6 to 7 at offset 16 to 17; before it the batch of sequence 4 to 5.
        byte[] bytes = Convert.FromHexString(
            "0001" + "00000000" + "00000001"
            + "0000000000000009" + "0001" + "00000007" + "0000000000000011" + "00000001" + "00000000000003e8" + "ffffffff" + "ffffffffffffffff"
            + "4c504231" + "00000001" + "0000000000000009" + "00000005" + "000000000000000f" + "00000001" + "00000000000003e8");
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), Crc32C.Compute(bytes.AsSpan(6)));
        ProducerEntry entry = Assert.Single(ProducerSnapshot.TryDecode(bytes)!.Entries);
        Assert.Equal(2, entry.Count);
        Assert.True(entry.Took(4, 7));
        Assert.False(entry.Took(3, 4));
        Assert.False(entry.Took(7, 8));
        Assert.Equal((1, 17L, 1000L), (entry.Epoch, entry.Last.LastOffset, entry.LastTimestamp));
        // Kafka's own file ends where ours goes on.
        byte[] kafkas = bytes[..56];
        BinaryPrimitives.WriteUInt32BigEndian(kafkas.AsSpan(2), Crc32C.Compute(kafkas.AsSpan(6)));
        Assert.True(Assert.Single(ProducerSnapshot.TryDecode(kafkas)!.Entries).Took(6, 7));
    }

    private static ProducerTable Some(Random random)
    {
        ProducerTable table = new();
        for (int i = 0; i < 30; i++)
        {
            long id = random.Next(5);
            ProducerEntry? known = table.Entries.FirstOrDefault(entry => entry.ProducerId == id);
            bool isNext = known is not null && random.Next(6) != 0;
            int delta = random.Next(20) == 0 ? 1 << 29 : random.Next(4);
            int last = RecordBatch.Sequence(isNext ? known!.Last.LastSequence : int.MaxValue - random.Next(9), 1 + delta);
            table.Add(id, isNext ? known!.Epoch : (short)random.Next(3), new ProducerBatch(last, 100 * i, delta, 1000 + i));
        }
        return table;
    }

    private static string Text(ProducerEntry entry) =>
        $"{entry.ProducerId} {entry.Epoch} {entry.Taken} {string.Join(' ', Enumerable.Range(0, entry.Count).Select(i => entry[i]))}";
}
