using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Tests.Scripted;
using LogPipeline.Contract;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>Files of every encoding, written and read in pieces that end anywhere in a character.</summary>
public sealed class EncodingTests
{
    private static readonly string[] s_lines = ["Login failed", "", "中文行\u6bb5", "\u3042\u30a2x", "", "é", "last"];

    static EncodingTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    public static TheoryData<TextEncoding, string, bool> Encodings => new()
    {
        { TextEncoding.Auto, "utf-8", false },
        { TextEncoding.Auto, "utf-8", true },
        { TextEncoding.Utf8, "utf-8", true },
        { TextEncoding.Auto, "utf-16", true },
        { TextEncoding.Auto, "utf-16BE", true },
        { TextEncoding.Utf16LittleEndian, "utf-16", false },
        { TextEncoding.Utf16BigEndian, "utf-16BE", false },
        { TextEncoding.Gb18030, "gb18030", false },
        { TextEncoding.Gb18030, "gb18030", true },
        { TextEncoding.Gbk, "gbk", false },
        { TextEncoding.Big5, "big5", false },
        { TextEncoding.ShiftJis, "shift_jis", false },
        { TextEncoding.Latin1, "latin1", false },
    };

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_file_written_in_two_pieces_cut_anywhere_gives_its_lines(TextEncoding encoding, string name, bool hasMark)
    {
        var coding = Encoding.GetEncoding(name);
        string[] lines = [.. s_lines.Where(line => coding.GetString(coding.GetBytes(line)) == line), "\U0001F600 pair"];
        lines = [.. lines.Where(line => coding.GetString(coding.GetBytes(line)) == line)];
        byte[] bytes = coding.GetBytes((hasMark ? "\uFEFF" : "") + string.Concat(lines.Select((line, i) => line + (i % 2 == 0 ? "\n" : "\r\n"))));
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            AgentRig.OnOneThread(async rig =>
            {
                rig.Options = With(rig.Options, encoding);
                rig.Append(bytes[..cut]);
                await rig.StartAsync();
                await rig.PassAsync(TimeSpan.FromMilliseconds(5));
                if (cut % 3 == 0)
                {
                    rig.Kill();
                    await rig.StartAsync();
                }
                rig.Append(bytes[cut..]);
                await rig.UntilLinesAsync(lines.Length);
                Assert.Equal(lines, rig.Lines());
                CheckRanges(rig, bytes);
                await rig.StopAsync();
            });
        }
    }

    [Fact]
    public void What_is_no_character_is_replaced_and_what_follows_is_read() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, TextEncoding.Gbk);
        rig.Append([(byte)'a', 0x81, (byte)'\n', (byte)'b', (byte)'\n']);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        Assert.Equal(["a\uFFFD", "b"], rig.Lines());
        await rig.StopAsync();
    });

    [Fact]
    public void Bytes_that_are_no_utf8_are_passed_on_unless_utf8_is_asked_for() => AgentRig.OnOneThread(async rig =>
    {
        byte[] bytes = [(byte)'a', 0xff, (byte)'\n', (byte)'o', (byte)'k', (byte)'\n'];
        rig.Append(bytes);
        rig.Append(bytes, "/logs/strict.log");
        InputOptions input = rig.Options.Inputs[0];
        rig.Options = rig.Options with
        {
            Inputs = [input with { Paths = [AgentRig.LogPath] }, input with { Paths = ["/logs/strict.log"], Encoding = TextEncoding.Utf8 }],
        };
        await rig.StartAsync();
        await rig.UntilLinesAsync(4);
        List<(RecordPosition Position, byte[] Value)> records = rig.Broker.Records();
        Assert.Contains(records, r => r.Value.AsSpan().SequenceEqual(bytes.AsSpan(0, 2)) && r.Position.Flags == PositionFlags.None);
        Assert.Contains(records, r => r.Value.AsSpan().SequenceEqual("a\uFFFD"u8) && r.Position.Flags == PositionFlags.Shaped);
        Assert.Equal(2, records.Count(r => r.Value.AsSpan().SequenceEqual("ok"u8) && r.Position.Flags == PositionFlags.None));
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("utf-16", TextEncoding.Auto)]
    [InlineData("gb18030", TextEncoding.Gb18030)]
    [InlineData("latin1", TextEncoding.Latin1)]
    public void A_long_line_comes_in_parts_that_split_no_character_and_fit(string name, TextEncoding encoding) => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = With(rig.Options, encoding);
        var coding = Encoding.GetEncoding(name);
        string character = name == "latin1" ? "é" : "\U0001F600x";
        string line = string.Concat(Enumerable.Repeat(character, 1500));
        byte[] bytes = coding.GetBytes((encoding == TextEncoding.Auto ? "\uFEFF" : "") + line + "\nnext\n");
        for (int at = 0; at < bytes.Length; at += 999)
        {
            rig.Append(bytes[at..Math.Min(at + 999, bytes.Length)]);
            if (at == 0)
            {
                await rig.StartAsync();
            }
            await rig.PassAsync(TimeSpan.FromMilliseconds(3));
        }
        await rig.UntilAsync(() => rig.Lines() is [.., "next"] && rig.Agent.IsCaughtUp, "the line behind it");
        List<(RecordPosition Position, byte[] Value)> records = rig.Broker.Records();
        Assert.Equal(line, string.Concat(rig.Lines()[..^1]));
        Assert.Equal(Enumerable.Range(1, records.Count - 1), records[..^1].Select(r => r.Position.Part));
        Assert.All(records, r => Assert.True(r.Value.Length <= 1024 && !Encoding.UTF8.GetString(r.Value).Contains('\uFFFD', StringComparison.Ordinal)));
        Assert.Equal([.. Enumerable.Repeat(false, records.Count - 2), true, true], records.Select(r => r.Position.IsLast));
        CheckRanges(rig, bytes);
        await rig.StopAsync();
    });

    [Fact]
    public void A_wide_file_without_a_last_line_feed_gives_its_rest_when_it_is_over() => AgentRig.OnOneThread(async rig =>
    {
        byte[] bytes = [.. Encoding.Unicode.GetBytes("\uFEFFone\ntwo"), (byte)'x'];
        rig.Append(bytes);
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        rig.Machine.Rename(AgentRig.LogPath, "/logs/old");
        await rig.UntilLinesAsync(2);
        Assert.Equal(["one", "two\uFFFD"], rig.Lines());
        Assert.Equal(PositionFlags.NoNewline | PositionFlags.Shaped, rig.Broker.Records()[1].Position.Flags);
        CheckRanges(rig, bytes);
        await rig.StopAsync();
    });

    [Fact]
    public void Text_of_wide_characters_that_are_half_NUL_is_no_hole() => AgentRig.OnOneThread(async rig =>
    {
        string line = new('\u0100', 3000); // little-endian: 00 01 00 01 …
        byte[] bytes = Encoding.Unicode.GetBytes("\uFEFF\u0100\n" + line + "\n");
        rig.Options = With(rig.Options, TextEncoding.Auto);
        rig.Append(bytes);
        await rig.StartAsync();
        await rig.UntilAsync(() => string.Concat(rig.Lines()) == "\u0100" + line, "all of it");
        await rig.StopAsync();
    });

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void Reading_from_the_end_begins_at_a_whole_character(string name) => AgentRig.OnOneThread(async rig =>
    {
        var coding = Encoding.GetEncoding(name);
        rig.Options = rig.Options with { Inputs = [rig.Options.Inputs[0] with { ReadFrom = ReadFrom.End }] };
        rig.Append(coding.GetBytes("\uFEFFold\n\u0a00\u000bhalf"));
        await rig.StartAsync();
        rig.Append(coding.GetBytes(" more\nnew\n"));
        await rig.UntilLinesAsync(2);
        Assert.Equal(["\u0a00\u000bhalf more", "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(TextEncoding.Auto, "latin1")] // passed on as it is: held against the record's value
    [InlineData(TextEncoding.Latin1, "latin1")]
    [InlineData(TextEncoding.Utf16LittleEndian, "utf-16")]
    [InlineData(TextEncoding.Utf16BigEndian, "utf-16BE")]
    public void A_line_whose_end_a_crash_of_the_host_took_and_its_application_wrote_anew_is_not_repeated(TextEncoding encoding, string name) => AgentRig.OnOneThread(async rig =>
    {
        var coding = Encoding.GetEncoding(name);
        byte[] bytes = coding.GetBytes("first line\r\nlast line\r\n");
        rig.Options = With(rig.Options, encoding);
        rig.Append(bytes);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Kill();
        using (IFile file = rig.Machine.Open(AgentRig.LogPath, FileOpenMode.ReadWrite))
        {
            file.SetLength(bytes.Length - coding.GetByteCount("\r\n"));
        }
        rig.Options = rig.Options with { BootId = "b2" };
        rig.Append(coding.GetBytes("\n"));
        await rig.StartAsync();
        rig.Append(coding.GetBytes("new\r\n"));
        await rig.UntilLinesAsync(3);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["first line", "last line", "new"], rig.Lines());
        await rig.StopAsync();
    });

    [Theory]
    [InlineData(TextEncoding.Auto, "latin1", "\n")] // passed on as it is: held against the record's value
    [InlineData(TextEncoding.Latin1, "latin1", "\n")]
    [InlineData(TextEncoding.Latin1, "latin1", "\r\n")]
    [InlineData(TextEncoding.Utf16LittleEndian, "utf-16", "\n")]
    [InlineData(TextEncoding.Utf16LittleEndian, "utf-16", "\r\n")]
    [InlineData(TextEncoding.Utf16BigEndian, "utf-16BE", "\n")]
    public void A_rotated_file_that_lost_the_end_of_its_last_line_in_a_crash_of_the_host_repeats_nothing(TextEncoding encoding, string name, string lineEnd) => AgentRig.OnOneThread(async rig =>
    {
        const string Rotated = AgentRig.LogPath + ".1";
        var coding = Encoding.GetEncoding(name);
        byte[] bytes = coding.GetBytes($"first line{lineEnd}last line{lineEnd}");
        rig.Options = With(rig.Options, encoding);
        rig.Append(bytes);
        await rig.StartAsync();
        await rig.UntilLinesAsync(2);
        rig.Machine.Rename(AgentRig.LogPath, Rotated);
        await rig.UntilAsync(() => rig.Agent.Describe().Contains("Rotated", StringComparison.Ordinal), "it is seen rotated");
        rig.Kill();
        using (IFile file = rig.Machine.Open(Rotated, FileOpenMode.ReadWrite))
        {
            file.SetLength(bytes.Length - coding.GetByteCount(lineEnd));
        }
        rig.Options = rig.Options with { BootId = "b2" };
        rig.Append(coding.GetBytes($"new{lineEnd}"));
        await rig.StartAsync();
        await rig.UntilLinesAsync(3);
        await rig.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["first line", "last line", "new"], rig.Lines());
        await rig.StopAsync();
    });

    private static AgentOptions With(AgentOptions options, TextEncoding encoding) =>
        options with { Inputs = [options.Inputs[0] with { Encoding = encoding }] };

    /// <summary>Each record begins where the one before it ended, and has the sum of the bytes of the file that it was made of.</summary>
    internal static void CheckRanges(AgentRig rig, byte[] file)
    {
        long position = 0;
        foreach ((RecordPosition record, byte[] value) in rig.Broker.Records())
        {
            Assert.Equal(position, record.CoveredBegin);
            position = record.End;
            byte[] bytes = file[(int)record.FileBegin..(int)record.End];
            if (record.Flags.HasFlag(PositionFlags.Shaped))
            {
                Assert.Equal(RecordSum.OfFile(bytes), record.FileSum);
            }
            else
            {
                Assert.Equal(0, record.FileSum);
                Assert.True(bytes.AsSpan().StartsWith(value));
            }
        }
    }
}
