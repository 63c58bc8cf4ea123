using System.Globalization;
using System.Text;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Tests.Golden;

namespace LogPipeline.Protocol.Tests;

public class FuzzTests
{
    /// <summary>Inputs of each run; <c>./test fuzz</c> sets how many, and from which seed on.</summary>
    private static readonly int Inputs = Number("LOGPIPE_FUZZ_INPUTS") ?? 100_000;
    private static readonly int FirstSeed = Number("LOGPIPE_FUZZ_SEED") ?? 1;

    /// <summary>What 1 MiB of honest input may cost at most: objects for its elements, and one buffer to unpack into.</summary>
    private const long AllocationMax = 8 << 20;

    /// <summary>
    /// Valid messages and batches, damaged, each mostly given to its own reader. A failure names the run and the input: the same run
    /// comes to it again.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Damaged_bytes_are_refused_cleanly(int run)
    {
        var random = new Random(FirstSeed + run);
        (int Reader, byte[] Bytes)[] valid = [.. Messages(), .. Batches(), .. MessageSets()];
        for (int i = 0; i < Inputs; i++)
        {
            (int reader, byte[] bytes) = valid[random.Next(valid.Length)];
            byte[] input = Damage.Some(bytes, valid[random.Next(valid.Length)].Bytes, random);
            reader = random.Next(8) == 0 ? random.Next(Fuzz.ReaderCount) : reader;
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

    private static IEnumerable<(int Reader, byte[] Bytes)> Messages() =>
        GoldenTests.AllBytes().Select(static message => (Fuzz.ReaderOf(message.Key, message.IsRequest, message.Version), message.Bytes));

    private static IEnumerable<(int Reader, byte[] Bytes)> Batches()
    {
        // As often as the messages of some APIs together: they are few among thousands.
        foreach (CompressionCodec codec in Enumerable.Repeat(Enum.GetValues<CompressionCodec>(), 50).SelectMany(static codecs => codecs))
        {
            using var builder = new RecordBatchBuilder(codec, 1 << 20);
            for (int i = 0; i < 20; i++)
            {
                builder.TryAppend(i, Encoding.UTF8.GetBytes($"line {i}"), 1, [2, (byte)'h', 2, (byte)'v']);
            }
            yield return (Fuzz.BatchReader, builder.Build(1, 2, 3).ToArray());
        }
    }

    private static IEnumerable<(int Reader, byte[] Bytes)> MessageSets() =>
        Enumerable.Repeat(Records.Legacy.ForeignSetTests.AllBytes, 15).SelectMany(static sets => sets).Select(static bytes => (Fuzz.MessageSetReader, bytes));

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
