using System.Text;
using LogPipeline.Cli.Printing;
using LogPipeline.Client;
using LogPipeline.Client.Consuming;

namespace LogPipeline.Cli.Tests.Printing;

public sealed class RecordOutputTests
{
    private static readonly byte[] Hostile = [.. "red \e[31m\a\r\n  at two\u202e"u8, 0xff];

    [Fact]
    public async Task Programs_get_the_bytes()
    {
        byte[] written = await WrittenAsync(RecordForm.Bytes);
        Assert.Equal([.. Hostile, (byte)'\n'], written);
    }

    /// <summary>A line break stays, as in a stack trace.</summary>
    [Fact]
    public async Task A_terminal_gets_nothing_that_it_obeys() =>
        Assert.Equal("red ␛[31m␇␍\n  at two\ufffd\ufffd\n", Encoding.UTF8.GetString(await WrittenAsync(RecordForm.Text)));

    private static async Task<byte[]> WrittenAsync(RecordForm form)
    {
        using var written = new MemoryStream();
        var output = new RecordOutput(written, form);
        output.Write(new ConsumedRecord { Partition = new TopicPartition("t", 0), Offset = 0, Timestamp = 0, Value = Hostile });
        await output.FlushAsync();
        return written.ToArray();
    }
}
