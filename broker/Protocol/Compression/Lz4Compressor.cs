using LogPipeline.Protocol.Records;

namespace LogPipeline.Protocol.Compression;

/// <summary>
/// LZ4 frames by the system's liblz4. Writes independent blocks of up to 256 KiB without checksums, which every Kafka client
/// reads (Java refuses linked blocks); reads any valid frame, and several of them.
/// </summary>
internal sealed unsafe class Lz4Compressor : ICompressor
{
    public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
    {
        var preferences = new Lz4Library.Preferences { BlockSizeId = 5, BlockMode = 1 };
        try
        {
            nuint bound = Lz4Library.CompressFrameBound((nuint)plain.Length, &preferences);
            PooledBytes.Grow(ref buffer, checked(start + (int)bound), keep: 0);
            fixed (byte* from = plain)
            fixed (byte* to = &buffer[start])
            {
                nuint size = Lz4Library.CompressFrame(to, bound, from, (nuint)plain.Length, &preferences);
                return start + (int)Lz4Library.Check(size);
            }
        }
        catch (DllNotFoundException e)
        {
            throw Lz4Library.Absent(e);
        }
    }

    public int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        if (packed.IsEmpty)
        {
            throw new CorruptRecordException("lz4: no frame");
        }
        nint context = 0;
        try
        {
            Lz4Library.Check(Lz4Library.CreateDecompressionContext(&context, Lz4Library.Version));
            return Decompress(context, packed, ref buffer, bytesMax);
        }
        catch (DllNotFoundException e)
        {
            throw Lz4Library.Absent(e);
        }
        finally
        {
            if (context != 0)
            {
                _ = Lz4Library.FreeDecompressionContext(context);
            }
        }
    }

    /// <summary>The library answers 0 at the end of a frame; as long as it does not, it lacks input or room.</summary>
    private static int Decompress(nint context, ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        int length = 0;
        nuint hint = 1;
        fixed (byte* from = packed)
        {
            for (int read = 0; read < packed.Length || hint != 0;)
            {
                // Room for one byte too many tells a batch that ends at the limit from one that goes on.
                long wanted = Math.Max(length + 1L, Math.Min(packed.Length * 4L, bytesMax));
                PooledBytes.Grow(ref buffer, (int)wanted, keep: length);
                nuint taken = (nuint)(packed.Length - read);
                nuint given = (nuint)(Math.Min(buffer.Length, bytesMax + 1) - length);
                fixed (byte* to = &buffer[0])
                {
                    hint = Lz4Library.Check(Lz4Library.Decompress(context, to + length, &given, from + read, &taken, 0));
                }
                read += (int)taken;
                length += (int)given;
                if (length > bytesMax)
                {
                    throw new CorruptRecordException($"lz4: the batch unpacks to more than {bytesMax} bytes");
                }
                if (taken == 0 && given == 0)
                {
                    throw new CorruptRecordException("lz4: the frame ends early");
                }
            }
        }
        return length;
    }
}
