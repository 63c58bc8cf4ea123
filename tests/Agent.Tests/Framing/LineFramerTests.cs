using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Tests.Framing;

public sealed class LineFramerTests
{
    private const int Max = 16;

    [Fact]
    public void Any_bytes_in_any_pieces_frame_as_a_naive_splitter_does()
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            byte[] file = new byte[random.Next(0, 200)];
            for (int i = 0; i < file.Length; i++)
            {
                file[i] = random.Next(12) switch { 0 => (byte)'\n', 1 => (byte)'\r', 2 => 0, _ => (byte)random.Next('a', 'd') };
            }
            List<string> expected = Naive(file);
            List<string> framed = InPieces(file, random);
            Assert.True(expected.SequenceEqual(framed), $"seed {seed}");
        }
    }

    [Fact]
    public void A_carriage_return_at_the_cut_stays_with_its_line_feed()
    {
        byte[] file = Encoding.ASCII.GetBytes(new string('x', Max - 1) + "\r" + "y\n" + new string('z', Max) + "\r\n");
        Assert.Equal(
            [
                "0-15 line 0 part 1 " + new string('x', 15) + " Cut",
                "15-18 line 0 part 2 last \ry Cut",
                "18-36 line 18 part 0 last " + new string('z', 16) + " CarriageReturn",
            ],
            InPieces(file, new Random(1)));
    }

    /// <summary>Reads like a tailing agent: what is there so far, more each time, from where the last line ended.</summary>
    private static List<string> InPieces(byte[] file, Random random)
    {
        List<string> framed = [];
        long position = 0;
        long lineBegin = 0;
        int part = 0;
        int there = 0;
        bool isEnd = false;
        while (true)
        {
            there = Math.Min(file.Length, there + random.Next(1, 40));
            isEnd = there == file.Length && random.Next(2) == 0;
            var framer = new LineFramer(file.AsSpan((int)position..there), position, lineBegin, part, Max, isEnd);
            long begin = position;
            while (framer.TryPeek(out FramedLine line))
            {
                framed.Add(Show(position, line, file.AsSpan((int)begin + line.Start, line.Length)));
                framer.Accept(line);
                position = line.End;
            }
            (lineBegin, part) = (framer.LineBegin, framer.Part);
            if (isEnd)
            {
                return framed;
            }
        }
    }

    private static List<string> Naive(byte[] file)
    {
        List<string> lines = [];
        int at = 0;
        while (at < file.Length)
        {
            int feed = Array.IndexOf(file, (byte)'\n', at);
            int end = feed < 0 ? file.Length : feed;
            bool carriage = feed > at && file[feed - 1] == '\r';
            int length = (carriage ? end - 1 : end) - at;
            int lineBegin = at;
            int part = 0;
            while (length > Max)
            {
                int cut = file[at + Max - 1] == '\r' ? Max - 1 : Max;
                lines.Add(Show(at, new FramedLine(0, cut, at + cut, PositionFlags.Cut, lineBegin, ++part, false), file.AsSpan(at, cut)));
                at += cut;
                length -= cut;
                carriage = feed > at && file[feed - 1] == '\r';
                length = (carriage ? end - 1 : end) - at;
            }
            PositionFlags flags = (feed < 0 ? PositionFlags.NoNewline : carriage ? PositionFlags.CarriageReturn : 0) | (part > 0 ? PositionFlags.Cut : 0);
            int next = feed < 0 ? end : feed + 1;
            if (next > at)
            {
                lines.Add(Show(at, new FramedLine(0, length, next, flags, lineBegin, part > 0 ? part + 1 : 0, true), file.AsSpan(at, length)));
            }
            at = next;
        }
        return lines;
    }

    private static string Show(long begin, in FramedLine line, ReadOnlySpan<byte> value) =>
        $"{begin}-{line.End} line {line.LineBegin} part {line.Part}{(line.IsLast ? " last" : "")} {Encoding.Latin1.GetString(value)} {line.Flags}";
}
