using System.Buffers.Binary;

namespace LogPipeline.Client.Positions;

/// <summary>
/// The value of the header <c>fence</c>: which agent shut off which producer. Written under the same producer id with the epoch
/// raised, so that what is still under way under an older epoch is refused from here on.
/// </summary>
/// <remarks>
/// <code>
/// big-endian
///   0  version      u8    1
///   1  agent id     16
///  17  producer id  i64   shut off up to epoch - 1
///  25  epoch        i16   the epoch that the marker itself is written under
/// </code>
/// </remarks>
public readonly record struct FenceMarker(Guid AgentId, long ProducerId, short Epoch)
{
    public const int Size = 27;

    private const byte Version = 1;

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> to)
    {
        to = to[..Size];
        to[0] = Version;
        AgentId.TryWriteBytes(to[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(to[17..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(to[25..], Epoch);
    }

    /// <summary>False when the bytes are not a marker of this version.</summary>
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
