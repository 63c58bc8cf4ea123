namespace LogPipeline.Protocol.Compression;

/// <summary>How the records of a batch are compressed: bits 0–2 of its attributes.</summary>
public enum CompressionCodec : byte
{
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}
