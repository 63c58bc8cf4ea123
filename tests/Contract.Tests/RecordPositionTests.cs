namespace LogPipeline.Contract.Tests;

public sealed class RecordPositionTests
{
    private static readonly Guid Agent = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void Golden_bytes_of_a_position()
    {
        var position = new RecordPosition(
            PositionFlags.CarriageReturn | PositionFlags.Again, Agent, 0x0102030405060708, 0x10, 0x12, 0x1234, 3, IsLast: true) { FileSum = 0xabcdef };
        byte[] bytes = new byte[RecordPosition.Size];
        position.Write(bytes);

        Assert.Equal(
            "0109" + "00112233445566778899AABBCCDDEEFF" + "0102030405060708" + "0000000000000010" + "0000000000000012"
            + "0000000000001234" + "00000003" + "01" + "ABCDEF",
            Convert.ToHexString(bytes));
        Assert.True(RecordPosition.TryRead(bytes, out RecordPosition read));
        Assert.Equal(position, read);
    }

    [Fact]
    public void Golden_bytes_of_a_fence()
    {
        var marker = new FenceMarker(Agent, 0x77, 5);
        byte[] bytes = new byte[FenceMarker.Size];
        marker.Write(bytes);

        Assert.Equal("01" + "00112233445566778899AABBCCDDEEFF" + "0000000000000077" + "0005", Convert.ToHexString(bytes));
        Assert.True(FenceMarker.TryRead(bytes, out FenceMarker read));
        Assert.Equal(marker, read);
    }

    [Theory]
    [InlineData(0, 5, 5)]
    [InlineData(-1, 0, 5)]
    [InlineData(6, 0, 5)]
    public void A_position_that_contradicts_itself_is_refused(long coveredBegin, long lineBegin, long end)
    {
        byte[] bytes = new byte[RecordPosition.Size];
        new RecordPosition(PositionFlags.None, Agent, 1, coveredBegin, lineBegin, end, 0, true).Write(bytes);
        Assert.False(RecordPosition.TryRead(bytes, out _));
    }

    [Fact]
    public void Another_version_or_length_is_refused()
    {
        byte[] bytes = new byte[RecordPosition.Size];
        new RecordPosition(PositionFlags.None, Agent, 1, 0, 0, 9, 0, true).Write(bytes);
        Assert.False(RecordPosition.TryRead(bytes.AsSpan(1), out _));
        bytes[0] = 2;
        Assert.False(RecordPosition.TryRead(bytes, out _));
    }
}
