namespace LogPipeline.Protocol.Compression;

/// <summary>One codec over whole record areas. Stateless: any thread may call.</summary>
internal interface ICompressor
{
    /// <summary>
    /// Compresses into <paramref name="buffer"/> from position <paramref name="start"/> on, growing it as needed; gives where the
    /// compressed bytes end.
    /// </summary>
    int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start);

    /// <summary>Uncompresses into <paramref name="buffer"/> from 0 on; gives the length.</summary>
    /// <exception cref="Records.CorruptRecordException">Damaged, or more than <paramref name="bytesMax"/> bytes.</exception>
    int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax);
}
