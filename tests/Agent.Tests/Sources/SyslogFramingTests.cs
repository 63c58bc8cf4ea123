using System.Buffers;
using System.Text;
using LogPipeline.Agent.Sources;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>Messages of a syslog stream, however it is cut into reads.</summary>
public sealed class SyslogFramingTests
{
    private const string Legacy = "<13>Oct 11 22:14:15 host app: legacy";
    private const string Modern = "<165>1 2003-10-11T22:14:15.003Z host app 1 ID47 - modern";

    [Theory]
    [InlineData(Legacy + "\n" + Modern + "\n", Legacy + "\n" + Modern + "\n")]
    [InlineData("6 <1>abc8 <2>defgh", "<1>abc\n<2>defgh\n")]
    [InlineData("10 <1>two\nall<13>plain\n7 <3>last\nrest", "<1>two#012all\n<13>plain\n<3>last\nrest\n")]
    [InlineData("7 <1>end\n<2>nul\0<3>next\n\n", "<1>end\n<2>nul\n<3>next\n")]
    [InlineData("123456789 is no length\n0 is none\n42\n", "123456789 is no length\n0 is none\n42\n")]
    [InlineData("", "")]
    public void Messages_are_lines_wherever_reads_end(string stream, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(stream);
        for (int first = 0; first <= bytes.Length; first++)
        {
            for (int second = first; second <= bytes.Length; second++)
            {
                var lines = new ArrayBufferWriter<byte>();
                var framing = new SyslogFraming();
                framing.Add(bytes.AsSpan(0, first), lines);
                framing.Add(bytes.AsSpan(first, second - first), lines);
                framing.Add(bytes.AsSpan(second), lines);
                framing.End(lines);
                Assert.Equal(expected, Encoding.UTF8.GetString(lines.WrittenSpan));
            }
        }
    }

    [Fact]
    public void What_stands_before_messages_stands_before_each_and_before_nothing_empty()
    {
        var lines = new ArrayBufferWriter<byte>();
        var framing = new SyslogFraming("::1 "u8.ToArray());
        framing.Add("<1>a\n\n6 <2>b\nc<3>d"u8, lines);
        framing.End(lines);
        Assert.Equal("::1 <1>a\n::1 <2>b#012c\n::1 <3>d\n", Encoding.UTF8.GetString(lines.WrittenSpan));
    }

    [Fact]
    public void A_message_that_is_too_long_is_cut_without_a_count_and_refused_with_one()
    {
        var lines = new ArrayBufferWriter<byte>();
        var framing = new SyslogFraming();
        framing.Add(new byte[SyslogFraming.MessageBytesMax].AsSpan().ToArray().Select(static _ => (byte)'x').ToArray(), lines);
        framing.Add("y\n"u8, lines);
        Assert.Equal([SyslogFraming.MessageBytesMax, 1], Encoding.ASCII.GetString(lines.WrittenSpan).TrimEnd('\n').Split('\n').Select(static line => line.Length));
        Assert.Throws<InvalidDataException>(() => new SyslogFraming().Add("9999999 <1>"u8, lines));
    }
}
