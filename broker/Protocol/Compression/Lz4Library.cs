using System.Runtime.InteropServices;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Protocol.Compression;

/// <summary>The frame functions of liblz4 (lz4frame.h, stable since 1.8).</summary>
internal static unsafe partial class Lz4Library
{
    /// <summary>LZ4F_VERSION.</summary>
    public const uint Version = 100;

    private const string Name = "liblz4.so.1";

    /// <summary>LZ4F_preferences_t: frame info, then level and flags.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Preferences
    {
        /// <summary>4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB.</summary>
        public int BlockSizeId;

        /// <summary>0 linked, 1 independent.</summary>
        public int BlockMode;
        public int ContentChecksum;
        public int FrameType;
        public ulong ContentSize;
        public uint DictionaryId;
        public int BlockChecksum;
        public int Level;
        public uint AutoFlush;
        public uint FavorDecompressionSpeed;
        public fixed uint Reserved[3];
    }

    [LibraryImport(Name, EntryPoint = "LZ4F_compressFrameBound")]
    public static partial nuint CompressFrameBound(nuint size, Preferences* preferences);

    [LibraryImport(Name, EntryPoint = "LZ4F_compressFrame")]
    public static partial nuint CompressFrame(byte* to, nuint capacity, byte* from, nuint size, Preferences* preferences);

    [LibraryImport(Name, EntryPoint = "LZ4F_createDecompressionContext")]
    public static partial nuint CreateDecompressionContext(nint* context, uint version);

    [LibraryImport(Name, EntryPoint = "LZ4F_freeDecompressionContext")]
    public static partial nuint FreeDecompressionContext(nint context);

    [LibraryImport(Name, EntryPoint = "LZ4F_decompress")]
    public static partial nuint Decompress(nint context, byte* to, nuint* toSize, byte* from, nuint* fromSize, nint options);

    [LibraryImport(Name, EntryPoint = "LZ4F_isError")]
    private static partial uint IsError(nuint code);

    [LibraryImport(Name, EntryPoint = "LZ4F_getErrorName")]
    private static partial nint ErrorName(nuint code);

    /// <summary>Gives a result back, or throws what it says went wrong.</summary>
    public static nuint Check(nuint code) => IsError(code) == 0
        ? code
        : throw new CorruptRecordException($"lz4: {Marshal.PtrToStringUTF8(ErrorName(code))}");

    public static UnsupportedCompressionException Absent(DllNotFoundException cause) =>
        new("compression lz4 needs the library liblz4.so.1: install the package liblz4-1 (Debian, Ubuntu) or lz4-libs (Red Hat)", cause);
}
