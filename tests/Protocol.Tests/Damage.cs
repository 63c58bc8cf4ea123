using System.Buffers.Binary;

namespace LogPipeline.Protocol.Tests;

/// <summary>What goes wrong with bytes on their way, and what an attacker makes of them.</summary>
internal static class Damage
{
    private static readonly int[] Lengths = [-1, 0, int.MaxValue, int.MinValue, 1 << 24, 0x7fff];

    /// <summary>A copy of valid bytes with up to four damages.</summary>
    /// <param name="valid">The bytes.</param>
    /// <param name="other">Other valid bytes, which may take over in the middle.</param>
    /// <param name="random">Decides what is done where.</param>
    public static byte[] Some(byte[] valid, byte[] other, Random random)
    {
        byte[] bytes = [.. valid];
        for (int damages = random.Next(5); damages > 0 && bytes.Length > 0; damages--)
        {
            bytes = One(bytes, random.Next(bytes.Length), other, random);
        }
        return bytes;
    }

    private static byte[] One(byte[] bytes, int at, byte[] other, Random random)
    {
        switch (random.Next(9))
        {
            case 0:
                return bytes[..at];
            case 1:
                bytes[at] = random.Next(3) switch { 0 => 0xff, 1 => 0x7f, _ => (byte)random.Next(256) };
                return bytes;
            case 2:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 3 when at <= bytes.Length - 4:
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), Lengths[random.Next(Lengths.Length)]);
                return bytes;
            case 4: // a varint that is as long as one can be
                return [.. bytes[..at], 0xff, 0xff, 0xff, 0xff, 0x0f, .. bytes[at..]];
            case 5:
                return [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]];
            case 6:
                return [.. bytes, .. bytes[at..]];
            case 7:
                return [.. bytes[..at], .. other[random.Next(other.Length + 1)..]];
            default:
                bytes[at] = (byte)(bytes[at] + 1);
                return bytes;
        }
    }
}
