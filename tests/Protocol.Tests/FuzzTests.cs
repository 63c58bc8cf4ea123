using System.Text;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Tests.Golden;

namespace LogPipeline.Protocol.Tests;

public class FuzzTests
{
    private const int Inputs = 200_000;

    /// <summary>What 1 MiB of honest input may cost at most: objects for its elements, and one buffer to unpack into.</summary>
    private const long AllocationMax = 8 << 20;

    /// <summary>Valid messages and batches with bytes flipped, cut, doubled and replaced by large lengths.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Damaged_bytes_are_refused_cleanly(int seed)
    {
        var random = new Random(seed);
        byte[][] seeds = [.. GoldenTests.AllBytes(), .. Batches()];
        for (int i = 0; i < Inputs; i++)
        {
            byte[] input = Damage(seeds[random.Next(seeds.Length)], random);
            int reader = random.Next(Fuzz.ReaderCount);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Fuzz.One(reader, input);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < AllocationMax, $"reader {reader} allocated {allocated} bytes for {Convert.ToHexString(input)}");
        }
    }

    [Theory]
    [InlineData("7fffffff")]
    [InlineData("ffffffff0f")]
    [InlineData("80808080f87f")]
    public void A_length_that_lies_allocates_nothing_for_it(string length)
    {
        byte[] input = [.. Convert.FromHexString(length), .. Convert.FromHexString(length), .. Convert.FromHexString(length)];
        for (int reader = 0; reader < Fuzz.ReaderCount; reader++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Fuzz.One(reader, input);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 16);
        }
    }

    private static byte[] Damage(byte[] valid, Random random)
    {
        byte[] bytes = valid.AsSpan(0, random.Next(4) == 0 ? random.Next(valid.Length + 1) : valid.Length).ToArray();
        for (int flips = random.Next(5); flips > 0 && bytes.Length > 0; flips--)
        {
            int at = random.Next(bytes.Length);
            bytes[at] = random.Next(3) switch { 0 => 0xff, 1 => 0x7f, _ => (byte)random.Next(256) };
        }
        return bytes;
    }

    private static IEnumerable<byte[]> Batches()
    {
        foreach (CompressionCodec codec in Enum.GetValues<CompressionCodec>())
        {
            using var builder = new RecordBatchBuilder(codec, 1 << 20);
            for (int i = 0; i < 20; i++)
            {
                builder.TryAppend(i, Encoding.UTF8.GetBytes($"line {i}"), 1, [2, (byte)'h', 2, (byte)'v']);
            }
            yield return builder.Build(1, 2, 3).ToArray();
        }
    }
}
