namespace LogPipeline.Protocol.Compression;

/// <summary>One codec over whole record areas. It keeps its working memory from one call to the next: not for several threads.</summary>
internal interface ICompressor : IDisposable
{
    /// <summary>
    /// Compresses into <paramref name="buffer"/> from <paramref name="start"/> on, and grows it as needed; the bytes before stay.
    /// </summary>
    /// <returns>Where the compressed bytes end.</returns>
    int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start);

    /// <summary>Uncompresses into <paramref name="buffer"/> from 0 on, and grows it as needed.</summary>
    /// <returns>The length of the uncompressed bytes.</returns>
    /// <exception cref="CorruptRecordException">The bytes are damaged, or unpack to more than <paramref name="bytesMax"/>.</exception>
    int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax);
}
