namespace LogPipeline.Files.Tests;

/// <summary>Names are bytes to the kernel and strings to the product: none is lost on the way.</summary>
public sealed class PathTextTests
{
    [Fact]
    public void Any_bytes_come_back_as_they_were_in_both_forms()
    {
        for (int seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            byte[] name = new byte[random.Next(0, 40)];
            random.NextBytes(name);
            // Mostly text, as names are, with pieces of characters of two to four bytes.
            byte[][] pieces = [[(byte)'a'], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0xe2, 0x82], [0xed, 0xb2, 0x80], [(byte)'\\', (byte)'x']];
            byte[] bytes = [.. name.SelectMany(b => b % 3 == 0 ? [b] : pieces[b % pieces.Length]).Where(b => b != 0)];

            string text = PathText.Decode(bytes);

            Assert.Equal(bytes, Encoded(text));
            Assert.Equal(bytes.AsSpan().IndexOf("\\x"u8) >= 0 ? text : PathText.Parse(PathText.Show(text)), text);
            Assert.True(System.Text.Unicode.Utf8.IsValid(bytes) == !PathText.HasEscapes(text), $"seed {seed}");
        }
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_by_their_number()
    {
        Assert.Equal("caf\\xE9.log", PathText.Show("caf\udce9.log"));
        Assert.Equal("caf\udce9.log", PathText.Parse("caf\\xE9.log"));
        Assert.Equal("é😀.log", PathText.Show("é😀.log"));
    }

    [Theory]
    [InlineData("\\x41.log")]
    [InlineData("a\\x")]
    [InlineData("a\\xE")]
    [InlineData("a\\xZZ")]
    public void What_was_not_shown_so_stays_as_it_is(string text) => Assert.Equal(text, PathText.Parse(text));

    private static byte[] Encoded(string text)
    {
        byte[] bytes = new byte[PathText.Length(text)];
        Assert.Equal(bytes.Length, PathText.Encode(text, bytes));
        return bytes;
    }
}
