using System.Net;
using System.Text;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Tests.Parsing;

public sealed class AddressesTests
{
    private static string? Parse(string text)
    {
        using var scratch = new PooledBytes();
        scratch.Append("before"u8);
        if (!Addresses.TryParse(Encoding.UTF8.GetBytes(text), scratch, out Field field))
        {
            Assert.Equal(6, scratch.Used);
            return null;
        }
        byte[] to = new byte[Addresses.TextLengthMax];
        return Encoding.ASCII.GetString(to, 0, Addresses.Format(scratch.Span(field.Start, field.Length), to));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("255.255.255.255")]
    [InlineData("10.1.2.3")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("1::")]
    [InlineData("2001:db8::8:800:200c:417a")]
    [InlineData("1:2:3:4:5:6:7:8")]
    [InlineData("1::3:4:5:6:7:8")]
    [InlineData("2001:DB8::A")]
    [InlineData("::ffff:192.0.2.1")]
    [InlineData("64:ff9b::192.0.2.33")]
    public void What_the_framework_reads_is_read_alike(string text) => Assert.Equal(IPAddress.Parse(text).ToString(), Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("1")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.4/8")]
    [InlineData("unix:")]
    [InlineData("fe80::1%eth0")]
    [InlineData(":1")]
    [InlineData("1:")]
    [InlineData(":::")]
    [InlineData("1::2::3")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7::8")]
    [InlineData("12345::")]
    [InlineData("[::1]")]
    [InlineData("::1.2.3")]
    [InlineData("1:2:3:4:5:6:7:1.2.3.4")]
    public void What_is_no_address_of_one_host_is_refused(string text) => Assert.Null(Parse(text));

    [Fact]
    public void Random_addresses_come_back()
    {
        var random = new Random(11);
        byte[] bytes = new byte[16];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            for (int zero = random.Next(16); zero > 0; zero--)
            {
                bytes[random.Next(16)] = 0;
            }
            string text = new IPAddress(bytes.AsSpan(0, i % 2 == 0 ? 4 : 16)).ToString();
            Assert.Equal(text, Parse(text));
        }
    }
}
