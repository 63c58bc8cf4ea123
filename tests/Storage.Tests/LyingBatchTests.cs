using System.Buffers.Binary;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Tests;

/// <summary>Batches whose checksum holds and whose content does not: none of them may reach the log.</summary>
public sealed class LyingBatchTests
{
    private const int CountAt = 57;
    private const int LastDeltaAt = 23;
    private const int AttributesAt = 22;
    private const int MaxTimestampAt = 35;

    private readonly PartitionLog _log = new TestNode().StartLog();

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Snappy)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public void A_count_other_than_that_of_the_records_is_refused(CompressionCodec codec)
    {
        Assert.Equal(ErrorCode.None, Append(3, codec, static _ => { }).Error);
        foreach (int count in (int[])[1, 2, 4, 1000, int.MaxValue])
        {
            AppendResult result = Append(3, codec, batch =>
            {
                BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(CountAt), count);
                BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(LastDeltaAt), count - 1);
            });
            Assert.Equal(ErrorCode.InvalidRecord, result.Error);
            Assert.NotNull(result.Problem);
        }
        Assert.Equal(ErrorCode.InvalidRecord, Append(3, codec, batch => BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(LastDeltaAt), 5)).Error);
        Assert.Equal(3, _log.LogEndOffset);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public void Records_that_are_not_in_the_codec_that_the_batch_names_are_refused(int codec)
    {
        Assert.Equal(ErrorCode.InvalidRecord, Append(3, CompressionCodec.None, batch => batch[AttributesAt] = (byte)codec).Error);
        Assert.Equal(0, _log.LogEndOffset);
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip)]
    [InlineData(CompressionCodec.Lz4)]
    [InlineData(CompressionCodec.Zstd)]
    public void A_batch_that_unpacks_to_hundreds_of_megabytes_is_refused(CompressionCodec codec)
    {
        using var builder = new RecordBatchBuilder(codec, 200 << 20);
        builder.TryAppend(0, new byte[70 << 20]);
        byte[] batch = builder.Build().ToArray();
        Assert.InRange(batch.Length, 0, 1 << 20);
        AppendResult result = _log.Append(batch);
        Assert.Equal(ErrorCode.InvalidRecord, result.Error);
        Assert.Contains("unpacks to more", result.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Lz4)]
    public void A_largest_timestamp_that_lies_is_set_right(CompressionCodec codec)
    {
        AppendResult result = Append(3, codec, static batch =>
        {
            BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(MaxTimestampAt), long.MaxValue);
            batch[AttributesAt] |= 0x08; // "log append time", which is the broker's to say
        });
        Assert.Equal(ErrorCode.None, result.Error);
        Assert.True(BatchHeader.TryParse(_log.ReadAll(), out BatchHeader stored));
        Assert.Equal((1002, false, codec), (stored.MaxTimestamp, stored.IsLogAppendTime, stored.Codec));
        Assert.Equal(3, TestBatches.Walk(_log.ReadAll(), 0)); // the checksum holds
    }

    [Fact]
    public void The_brokers_own_batches_are_taken_as_they_are()
    {
        byte[] batch = TestBatches.Make(1);
        batch[AttributesAt] = 0x07;
        RecordBatch.Seal(batch);
        Assert.Equal(ErrorCode.None, _log.Append(batch, AppendOrigin.Broker).Error);
    }

    private AppendResult Append(int count, CompressionCodec codec, Action<byte[]> lie)
    {
        byte[] batch = TestBatches.Make(count, codec: codec);
        lie(batch);
        RecordBatch.Seal(batch);
        return _log.Append(batch);
    }
}
