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

    private static int Decompress(nint context, ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        int length = 0;
        nuint hint = 1;
        PooledBytes.Grow(ref buffer, (int)Math.Min(Math.Max(packed.Length * 4L, 1024), bytesMax), keep: 0);
        fixed (byte* from = packed)
        {
            for (int read = 0; read < packed.Length;)
            {
                nuint taken = (nuint)(packed.Length - read);
                nuint given = (nuint)(Math.Min(buffer.Length, bytesMax) - length);
                fixed (byte* to = &buffer[0])
                {
                    hint = Lz4Library.Check(Lz4Library.Decompress(context, to + length, &given, from + read, &taken, 0));
                }
                read += (int)taken;
                length += (int)given;
                if (length == bytesMax && hint != 0)
                {
                    throw new CorruptRecordException($"lz4: the batch unpacks to more than {bytesMax} bytes");
                }
                if (length == buffer.Length)
                {
                    PooledBytes.Grow(ref buffer, length + 1, keep: length);
                }
                else if (taken == 0 && given == 0)
                {
                    break;
                }
            }
            length = Drain(context, ref hint, ref buffer, length, bytesMax);
        }
        return hint == 0 ? length : throw new CorruptRecordException("lz4: the frame ends early");
    }

    /// <summary>What the library still holds when all input is taken but the output had been full.</summary>
    private static int Drain(nint context, ref nuint hint, ref byte[] buffer, int length, int bytesMax)
    {
        byte none = 0;
        while (hint != 0)
        {
            PooledBytes.Grow(ref buffer, Math.Min(length + 1, bytesMax), keep: length);
            nuint taken = 0;
            nuint given = (nuint)(Math.Min(buffer.Length, bytesMax) - length);
            fixed (byte* to = &buffer[0])
            {
                hint = Lz4Library.Check(Lz4Library.Decompress(context, to + length, &given, &none, &taken, 0));
            }
            length += (int)given;
            if (given == 0)
            {
                break;
            }
        }
        return length;
    }
}
