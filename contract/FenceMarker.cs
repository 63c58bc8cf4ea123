using System.Buffers.Binary;

namespace LogPipeline.Contract;

/// <summary>
/// The value of the header <c>fence</c>. An agent writes it to a partition under a producer id of its own with a raised epoch, so that
/// the broker refuses every request of that producer which is still on its way under an older epoch.
/// </summary>
/// <remarks>
/// <code>
/// big-endian
///   0  version      u8    1
///   1  agent id     16
///  17  producer id  i64   fenced up to epoch - 1
///  25  epoch        i16   the epoch under which the marker itself is written
/// </code>
/// </remarks>
public readonly record struct FenceMarker(Guid AgentId, long ProducerId, short Epoch)
{
    public const int Size = 27;

    private const byte Version = 1;

    /// <summary>Writes the marker into the first <see cref="Size"/> bytes of <paramref name="to"/>.</summary>
    public void Write(Span<byte> to)
    {
        to = to[..Size];
        to[0] = Version;
        AgentId.TryWriteBytes(to[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(to[17..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(to[25..], Epoch);
    }

    /// <summary>Reads a header value; returns false when it has another length or version.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out FenceMarker marker)
    {
        if (from.Length != Size || from[0] != Version)
        {
            marker = default;
            return false;
        }
        marker = new FenceMarker(
            new Guid(from.Slice(1, 16), bigEndian: true),
            BinaryPrimitives.ReadInt64BigEndian(from[17..]),
            BinaryPrimitives.ReadInt16BigEndian(from[25..]));
        return true;
    }
}
