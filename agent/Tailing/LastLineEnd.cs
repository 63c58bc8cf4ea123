using LogPipeline.Agent.Framing;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>Where a file is read from whose lines so far are not wanted.</summary>
internal static class LastLineEnd
{
    /// <summary>The position after the last line feed, looking back at most the longest line; else the end. In UTF-16 it is between two code units.</summary>
    public static long In(IFile file, InputOptions input)
    {
        Span<byte> mark = stackalloc byte[2];
        mark = mark[..file.ReadFully(mark, 0)];
        TextEncoding encoding = input.Encoding == TextEncoding.Auto ? TextDecoder.OfMark(mark) ?? TextEncoding.Auto : input.Encoding;
        bool isWide = encoding is TextEncoding.Utf16LittleEndian or TextEncoding.Utf16BigEndian;
        long length = isWide ? file.Length & ~1L : file.Length;
        byte[] bytes = new byte[Math.Min(input.MaxLineBytes & ~1, length)];
        ReadOnlySpan<byte> read = bytes.AsSpan(0, file.ReadFully(bytes, length - bytes.Length));
        int end = isWide ? AfterLastFeed(read, encoding) : read.LastIndexOf((byte)'\n') + 1;
        return end > 0 ? length - bytes.Length + end : length == bytes.Length ? 0 : length;
    }

    private static int AfterLastFeed(ReadOnlySpan<byte> bytes, TextEncoding encoding)
    {
        int feed = encoding == TextEncoding.Utf16LittleEndian ? 0 : 1;
        for (int at = (bytes.Length & ~1) - 2; at >= 0; at -= 2)
        {
            if (bytes[at + feed] == (byte)'\n' && bytes[at + 1 - feed] == 0)
            {
                return at + 2;
            }
        }
        return 0;
    }
}
