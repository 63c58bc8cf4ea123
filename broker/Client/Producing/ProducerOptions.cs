using LogPipeline.Protocol.Compression;

namespace LogPipeline.Client.Producing;

/// <summary>Who must have a record before it counts as delivered.</summary>
public enum Acks
{
    /// <summary>Nobody: no answer is asked for.</summary>
    None = 0,
    /// <summary>The leader.</summary>
    Leader = 1,
    /// <summary>All in-sync replicas.</summary>
    All = -1,
}

/// <summary>How a producer batches, retries and picks partitions.</summary>
public sealed record ProducerOptions
{
    public Acks Acks { get; init; } = Acks.All;

    /// <summary>Retries never repeat or reorder records; needs <see cref="Acks.All"/>.</summary>
    public bool Idempotent { get; init; } = true;

    /// <summary>How long a batch waits for more records.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Size at which a batch goes out, uncompressed bytes.</summary>
    public int BatchBytes { get; init; } = 64 << 10;

    /// <summary>Most bytes of record batches in one request.</summary>
    public int RequestBytesMax { get; init; } = 1 << 20;

    /// <summary>Bytes of batches not yet delivered; sending waits while they are full.</summary>
    public long BufferBytes { get; init; } = 32 << 20;

    public CompressionCodec Compression { get; init; } = CompressionCodec.None;

    /// <summary>From the record's acceptance to its acknowledgement, retries included.</summary>
    public TimeSpan DeliveryTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Requests under way to one broker.</summary>
    public int InFlightMax { get; init; } = 5;

    /// <summary>For records that name no partition; null: by key hash, sticky without a key.</summary>
    public IPartitioner? Partitioner { get; init; }

    /// <summary>Throws <see cref="ArgumentException"/> naming the first setting that cannot be.</summary>
    public void Validate()
    {
        Require(!Idempotent || Acks == Acks.All, $"{nameof(Idempotent)} needs {nameof(Acks)} {Acks.All}");
        Require(!Idempotent || InFlightMax <= 5, $"{nameof(Idempotent)} allows {nameof(InFlightMax)} up to 5, as brokers remember five batches");
        Require(InFlightMax > 0, $"{nameof(InFlightMax)} must be positive");
        Require(Linger >= TimeSpan.Zero, $"{nameof(Linger)} is negative");
        Require(DeliveryTimeout > Linger, $"{nameof(DeliveryTimeout)} must be above {nameof(Linger)}");
        Require(BatchBytes >= 256, $"{nameof(BatchBytes)} is below 256");
        Require(BufferBytes >= BatchBytes, $"{nameof(BufferBytes)} is below {nameof(BatchBytes)}");
        Require(RequestBytesMax > 0, $"{nameof(RequestBytesMax)} must be positive");
    }

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new ArgumentException(otherwise);
        }
    }
}
