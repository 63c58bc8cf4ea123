using System.Buffers;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Finds what a process before this one gave up: lines in a container's file whose begin lies before the read position and whose end, if it comes, lies
/// behind. Nothing needs to be kept for that, as each line of such a file says whether it is whole.
/// </summary>
internal static class GivenUpLines
{
    /// <summary>More lines of one output may lie before the position without one of the other's, which then counts as whole.</summary>
    private const int LookBackBytes = 256 << 10;

    /// <summary>Tells a file's shape what became of them.</summary>
    /// <param name="shape">The file's, new.</param>
    /// <param name="handle">The file.</param>
    /// <param name="position">Where it is read on.</param>
    /// <param name="part">Parts given out of the line that goes on there; the read loop knows about that one.</param>
    public static void Find(FileShape shape, IFile handle, long position, int part)
    {
        if (position == 0 || shape.Shape.Input.Format == LineFormat.Plain || !shape.Shape.Judges || shape.Encoding?.IsWide == true)
        {
            return;
        }
        byte[] rented = ArrayPool<byte>.Shared.Rent((int)Math.Min(LookBackBytes, position));
        Span<byte> bytes = rented.AsSpan(0, (int)Math.Min(LookBackBytes, position));
        long begin = position - bytes.Length;
        bytes = bytes[..handle.ReadFully(bytes, begin)];
        Find(shape, bytes, begin, part);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void Find(FileShape shape, ReadOnlySpan<byte> bytes, long begin, int part)
    {
        ArrayBufferWriter<byte>[] pieces = [new(), new(), new()]; // by stream
        long[] begins = [-1, -1, -1];
        long position = begin + bytes.Length;
        LineStream last = LineStream.None;
        var framer = new LineFramer(bytes, begin, begin, 0, bytes.Length, isEnd: false);
        bool isWhole = begin == 0;
        while (framer.TryPeek(out FramedLine line))
        {
            framer.Accept(line);
            var text = new ArrayBufferWriter<byte>();
            if (isWhole && Unwrap(shape, bytes.Slice(line.Start, line.Length), text) is ContainerLine container)
            {
                last = container.Stream;
                int stream = (int)last;
                begins[stream] = container.IsWhole ? -1 : begins[stream] < 0 ? line.LineBegin : begins[stream];
                pieces[stream].Write(text.WrittenSpan);
                if (container.IsWhole)
                {
                    pieces[stream].ResetWrittenCount();
                }
            }
            isWhole = true; // the first may have begun before what was read
        }
        for (int stream = 0; stream < begins.Length; stream++)
        {
            if (begins[stream] >= 0 && !(part > 0 && stream == (int)last))
            {
                shape.Fates[stream] = new LineFate(begins[stream], FateOf(shape.Shape, pieces[stream].WrittenSpan), position);
            }
        }
    }

    private static ContainerLine? Unwrap(FileShape shape, ReadOnlySpan<byte> line, ArrayBufferWriter<byte> text)
    {
        var decoded = new ArrayBufferWriter<byte>();
        if (shape.Encoding is TextDecoder encoding)
        {
            encoding.Decode(line, decoded, out _);
            line = decoded.WrittenSpan;
        }
        return ContainerLine.TryUnwrap(line, shape.Shape.Input.Format, text, out ContainerLine container) ? container : null;
    }

    private static Omission FateOf(LineShape shape, ReadOnlySpan<byte> begun) =>
        shape.Filter?.Keeps(begun) == false ? Omission.Filtered : shape.Redaction is null ? Omission.None : Omission.Unended;
}
