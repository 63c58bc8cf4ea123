using System.Buffers;
using System.Text;
using LogPipeline.Agent.Sources;

namespace LogPipeline.Agent.Tests.Sources;

/// <summary>The journal's export format, however it is cut into reads.</summary>
public sealed class JournalExportTests
{
    private static readonly byte[] Stream =
    [
        .. "__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=hällo \"w\"\nPRIORITY=6\n\n"u8,
        .. "__CURSOR=s=1;i=2\nMESSAGE\n"u8, 7, 0, 0, 0, 0, 0, 0, 0, .. "two\nall"u8, .. "\nA=1\nA=2\n\n"u8,
        .. "__CURSOR=s=1;i=3\nMESSAGE\n"u8, 2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, .. "\n\n\n"u8,
    ];

    private const string Lines = """
        {"__CURSOR":"s=1;i=1","__REALTIME_TIMESTAMP":"1700000000000000","MESSAGE":"hällo \"w\"","PRIORITY":"6"}
        {"__CURSOR":"s=1;i=2","MESSAGE":"two\nall","A":["1","2"]}
        {"__CURSOR":"s=1;i=3","MESSAGE":[255,254]}

        """;

    [Fact]
    public void Each_entry_is_a_line_wherever_reads_end()
    {
        for (int cut = 0; cut <= Stream.Length; cut++)
        {
            var export = new JournalExport();
            var lines = new ArrayBufferWriter<byte>();
            export.Add(Stream.AsSpan(0, cut), lines);
            export.Add(Stream.AsSpan(cut), lines);
            Assert.Equal(Lines, Encoding.UTF8.GetString(lines.WrittenSpan));
        }
    }

    [Theory]
    [InlineData(200_000, true)]
    [InlineData(600_000, false)]
    public void A_long_message_is_kept_and_one_beyond_the_bound_is_told(int length, bool isKept)
    {
        List<ulong> leftOut = [];
        var export = new JournalExport { MessageLeftOut = leftOut.Add };
        var lines = new ArrayBufferWriter<byte>();
        string message = new('x', length);
        export.Add(Encoding.UTF8.GetBytes($"__CURSOR=a\nMESSAGE={message}\n\n__CURSOR=b\nMESSAGE\n"), lines);
        export.Add(BitConverter.GetBytes((ulong)length), lines);
        export.Add(Encoding.UTF8.GetBytes($"{message}\n\n"), lines);
        string value = isKept ? $"\"{message}\"" : "null";
        Assert.Equal($"{{\"__CURSOR\":\"a\",\"MESSAGE\":{value}}}\n{{\"__CURSOR\":\"b\",\"MESSAGE\":{value}}}\n", Encoding.UTF8.GetString(lines.WrittenSpan));
        Assert.Equal(isKept ? [] : [(ulong)length, (ulong)length], leftOut);
    }

    [Fact]
    public void A_field_that_is_too_long_is_null_and_what_follows_is_read()
    {
        var export = new JournalExport();
        var lines = new ArrayBufferWriter<byte>();
        byte[] large = new byte[300_000];
        export.Add("__CURSOR=c\nCOREDUMP\n"u8, lines);
        export.Add(BitConverter.GetBytes((ulong)large.Length), lines);
        export.Add(large.AsSpan(0, 100_000), lines);
        export.Add(large.AsSpan(100_000), lines);
        export.Add("\nMESSAGE=after\n\n"u8, lines);
        Assert.Equal("{\"__CURSOR\":\"c\",\"COREDUMP\":null,\"MESSAGE\":\"after\"}\n", Encoding.UTF8.GetString(lines.WrittenSpan));
    }

    [Theory]
    [InlineData("{\"__CURSOR\":\"s=1;i=2\",\"MESSAGE\":\"m\"}", "s=1;i=2")]
    [InlineData("{\"MESSAGE\":{\"__CURSOR\":\"inner\"},\"__CURSOR\":\"outer\"}", "outer")]
    [InlineData("{\"__CURSOR\":\"s=1;i=2\",\"MESS", "s=1;i=2")]
    [InlineData("{\"__CURSOR\":\"s=1", null)]
    [InlineData("", null)]
    public void The_cursor_of_a_line_is_found(string line, string? expected) => Assert.Equal(expected, JournalExport.CursorOf(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void Journalctl_is_told_where_to_go_on_and_what_to_read()
    {
        var options = new JournalSourceOptions { Units = ["nginx.service", "app.service"], Directory = "/j" };
        Assert.Equal(
            ["--follow", "--no-tail", "--output=export", "--merge", "--all", "--directory=/j", "--unit=nginx.service", "--unit=app.service", "--cursor=c"],
            options.Arguments("c", "m"));
        Assert.Equal(["--lines=1", "--output=export", "--merge", "--all", "--directory=/j"], options.LastEntryArguments("m"));
        Assert.Equal(["--follow", "--no-tail", "--output=export", "--merge", "--all", "_MACHINE_ID=m", "--since=@17"], new JournalSourceOptions().Arguments("@17", "m"));
        Assert.Equal(["--follow", "--no-tail", "--output=export", "--merge", "--all"], new JournalSourceOptions().Arguments(null, ""));
    }

    [Theory]
    [InlineData("a", "bc")]
    [InlineData("b", "abc")]
    [InlineData(null, "abc")]
    public void The_entry_that_it_goes_on_behind_is_left_out_where_the_stream_begins_with_it(string? after, string expected)
    {
        var lines = new ArrayBufferWriter<byte>();
        new JournalExport(after).Add("__CURSOR=a\n\n__CURSOR=b\n\n__CURSOR=c\n\n"u8, lines);
        Assert.Equal(string.Concat(expected.Select(static cursor => $$"""{"__CURSOR":"{{cursor}}"}""" + "\n")), Encoding.UTF8.GetString(lines.WrittenSpan));
    }
}
