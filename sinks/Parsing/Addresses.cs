using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace LogPipeline.Sinks.Parsing;

/// <summary>IP addresses as text and as bytes in network order. Without a zone or a prefix length, as a single host is written in a log.</summary>
public static class Addresses
{
    public const int TextLengthMax = 45;

    private const int V4Length = 4;
    private const int V6Length = 16;
    private const int Groups = 8;

    /// <summary>Appends the address's bytes to the scratch; false where the text is no address.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, PooledBytes scratch, out Field field)
    {
        int length = TryParse(text, scratch.Reserve(V6Length));
        field = length == 0 ? default : Field.InScratch(scratch.Used, length);
        scratch.Used += length;
        return length > 0;
    }

    /// <summary>Returns how many bytes the address has, 4 or 16; 0 where the text is no address.</summary>
    public static int TryParse(ReadOnlySpan<byte> text, Span<byte> address)
    {
        address = address[..V6Length];
        return TryV4(text, address) ? V4Length : TryV6(text, address) ? V6Length : 0;
    }

    /// <summary>The address that a text is; null where it is not one.</summary>
    public static IPAddress? Read(ReadOnlySpan<char> text)
    {
        if (text.Length > TextLengthMax || !Ascii.IsValid(text))
        {
            return null;
        }
        Span<byte> ascii = stackalloc byte[TextLengthMax];
        Span<byte> address = stackalloc byte[V6Length];
        Ascii.FromUtf16(text, ascii, out int length);
        int bytes = TryParse(ascii[..length], address);
        return bytes == 0 ? null : new IPAddress(address[..bytes]);
    }

    /// <summary>Writes the usual text of 4 or 16 bytes; returns its length.</summary>
    public static int Format(ReadOnlySpan<byte> address, Span<byte> to) => new IPAddress(address).TryFormat(to, out int written) ? written : 0;

    private static bool TryV4(ReadOnlySpan<byte> text, Span<byte> address)
    {
        int at = 0;
        for (int i = 0; i < V4Length; i++)
        {
            int first = at;
            int value = 0;
            for (; at < text.Length && at - first < 3 && (uint)(text[at] - '0') <= 9; at++)
            {
                value = value * 10 + (text[at] - '0');
            }
            bool isEnd = i == V4Length - 1 ? at == text.Length : at < text.Length && text[at] == '.';
            if (at == first || value > 255 || !isEnd)
            {
                return false;
            }
            address[i] = (byte)value;
            at++;
        }
        return true;
    }

    /// <summary>Up to eight groups of hexadecimal digits; `::` once, for the zeros that are missing; an IPv4 address in place of the last two.</summary>
    private static bool TryV6(ReadOnlySpan<byte> text, Span<byte> address)
    {
        address.Clear();
        (int groups, int gap, int at) = (0, -1, 0);
        if (text.StartsWith("::"u8))
        {
            (gap, at) = (0, 2);
        }
        while (at < text.Length)
        {
            if (groups <= Groups - 2 && TryV4(text[at..], address[(groups * 2)..]))
            {
                (groups, at) = (groups + 2, text.Length);
                break;
            }
            int digits = HexGroup(text[at..], out int value);
            if (digits == 0 || groups == Groups)
            {
                return false;
            }
            BinaryPrimitives.WriteUInt16BigEndian(address[(groups++ * 2)..], (ushort)value);
            at += digits;
            if (at == text.Length)
            {
                break;
            }
            if (text[at++] != ':' || at == text.Length)
            {
                return false;
            }
            if (text[at] == ':')
            {
                if (gap >= 0)
                {
                    return false;
                }
                (gap, at) = (groups, at + 1);
            }
        }
        return Spread(address, groups, gap);
    }

    /// <summary>Moves the groups behind the gap to the end.</summary>
    private static bool Spread(Span<byte> address, int groups, int gap)
    {
        if (gap < 0)
        {
            return groups == Groups;
        }
        if (groups == Groups)
        {
            return false; // `::` stands for one group at least
        }
        Span<byte> tail = address[(gap * 2)..(groups * 2)];
        int to = V6Length - tail.Length;
        tail.CopyTo(address[to..]);
        address[(gap * 2)..to].Clear();
        return true;
    }

    private static int HexGroup(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        int digits = 0;
        for (; digits < text.Length && digits < 4 && char.IsAsciiHexDigit((char)text[digits]); digits++)
        {
            value = value * 16 + (text[digits] <= '9' ? text[digits] - '0' : (text[digits] | 0x20) - 'a' + 10);
        }
        return digits;
    }
}
