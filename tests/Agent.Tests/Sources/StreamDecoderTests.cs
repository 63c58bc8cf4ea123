using System.Buffers;
using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Sources;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>Streams in UTF-16 and other encodings, read in pieces that end anywhere in a character.</summary>
public sealed class StreamDecoderTests
{
    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void A_stream_read_in_two_pieces_cut_anywhere_gives_its_lines(string name)
    {
        const string Text = "Login\r\n\n\u0a00\u000bx\n\U0001F600 pair\uFEFF in it\nlast";
        byte[] stream = Encoding.GetEncoding(name).GetBytes("\uFEFF" + Text);
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            Assert.Equal(Text + "\n", LinesOf(stream[..cut], stream[cut..]));
        }
        Assert.Equal(Text + "\n", LinesOf([.. stream.Select(static b => (byte[])[b])]));
    }

    [Theory]
    [InlineData(TextEncoding.Utf8, true)]
    [InlineData(TextEncoding.Utf16LittleEndian, true)]
    [InlineData(TextEncoding.Utf16BigEndian, true)]
    [InlineData(TextEncoding.Gb18030, true)]
    [InlineData(TextEncoding.Utf16LittleEndian, false)]
    [InlineData(TextEncoding.Gb18030, false)]
    [InlineData(TextEncoding.Gbk, false)]
    [InlineData(TextEncoding.Big5, false)]
    [InlineData(TextEncoding.ShiftJis, false)]
    [InlineData(TextEncoding.Latin1, false)]
    public void A_stream_whose_encoding_is_named_gives_its_lines_wherever_it_is_cut(TextEncoding kind, bool isMarked)
    {
        Encoding encoding = TextDecoder.EncodingOf(kind);
        byte[] stream = encoding.GetBytes((isMarked ? "\uFEFF" : "") + "plain\n日本中文 é ä\r\n\n\u0a00\U0001F600 last");
        string text = encoding.GetString(stream).TrimStart('\uFEFF') + "\n";
        for (int cut = 0; cut <= stream.Length; cut++)
        {
            Assert.Equal(text, LinesOf(kind, stream[..cut], stream[cut..]));
        }
        Assert.Equal(text, LinesOf(kind, [.. stream.Select(static b => (byte[])[b])]));
    }

    [Fact]
    public void Half_characters_at_the_end_are_replaced()
    {
        Assert.Equal("a\uFFFD\n", LinesOf([0xff, 0xfe, (byte)'a', 0, (byte)'b']));
        Assert.Equal("a\uFFFD\n", LinesOf([0xff, 0xfe, (byte)'a', 0, 0x3d, 0xd8]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("é\nplain")]
    [InlineData("\uFEFFmarked\n")]
    public void Other_streams_pass_as_they_are(string text)
    {
        byte[] stream = Encoding.UTF8.GetBytes(text);
        Assert.Equal(text.Length == 0 || text.EndsWith('\n') ? text : text + "\n", LinesOf([.. stream.Select(static b => (byte[])[b])]));
    }

    private static string LinesOf(params byte[][] reads) => LinesOf(TextEncoding.Auto, reads);

    private static string LinesOf(TextEncoding encoding, params byte[][] reads)
    {
        var cutter = new LineCutter(1 << 20, new StreamDecoder(encoding));
        var lines = new ArrayBufferWriter<byte>();
        foreach (byte[] read in reads)
        {
            cutter.Add(read, lines);
        }
        cutter.End(lines);
        return Encoding.UTF8.GetString(lines.WrittenSpan);
    }
}
