using System.Buffers;
using System.Globalization;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// Takes the messages out of a stream of the syslog protocol (RFC 6587), each as one line. A message that begins with a number and a space is
/// that long (octet counting, which TLS demands, RFC 5425); any other ends with a line feed, or a NUL as some senders write it. The two may
/// alternate. A message is passed on as it came; a line feed within it becomes <c>#012</c>, as rsyslog writes it, and those at its end go.
/// </summary>
/// <param name="before">Stands before each message; empty = nothing does.</param>
internal sealed class SyslogFraming(ReadOnlyMemory<byte> before = default) : ILineFraming
{
    /// <summary>A longer message without a count is cut here, one with a count is refused.</summary>
    public const int MessageBytesMax = 1 << 20;

    private const int DigitsMax = 7;

    private readonly StreamRest _rest = new();

    /// <summary>Adds bytes of the stream, and the messages that are whole to <paramref name="lines"/>.</summary>
    /// <exception cref="InvalidDataException">A message is said to be longer than any may be: what follows cannot be told apart. What was whole before is added.</exception>
    public void Add(ReadOnlySpan<byte> bytes, IBufferWriter<byte> lines)
    {
        _rest.Add(bytes);
        ReadOnlySpan<byte> left = _rest.Bytes;
        while (TryTake(ref left, lines))
        {
        }
        _rest.Keep(left.Length);
    }

    /// <summary>The stream has ended: what is left of it is the last message.</summary>
    public void End(IBufferWriter<byte> lines)
    {
        Write(before.Span, _rest.Bytes, lines);
        _rest.Keep(0);
    }

    /// <summary>Writes one message as one line, behind <paramref name="before"/>; an empty one is no line.</summary>
    public static void Write(ReadOnlySpan<byte> before, ReadOnlySpan<byte> message, IBufferWriter<byte> lines)
    {
        message = message.TrimEnd("\n\0"u8);
        if (message.IsEmpty)
        {
            return;
        }
        lines.Write(before);
        while (message.IndexOf((byte)'\n') is >= 0 and int feed)
        {
            lines.Write(message[..feed]);
            lines.Write("#012"u8);
            message = message[(feed + 1)..];
        }
        lines.Write(message);
        lines.Write("\n"u8);
    }

    private bool TryTake(ref ReadOnlySpan<byte> left, IBufferWriter<byte> lines)
    {
        int digits = left.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (left.IsEmpty || (digits < 0 && left.Length <= DigitsMax && left[0] != (byte)'0'))
        {
            return false; // the number may go on
        }
        if (digits is > 0 and <= DigitsMax && left[0] != (byte)'0' && left[digits] == (byte)' ')
        {
            int length = int.Parse(left[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            if (length > MessageBytesMax)
            {
                throw new InvalidDataException($"a message of {length} bytes is announced; {MessageBytesMax} are the most");
            }
            if (left.Length < digits + 1 + length)
            {
                return false;
            }
            Write(before.Span, left.Slice(digits + 1, length), lines);
            left = left[(digits + 1 + length)..];
            return true;
        }
        int end = left.IndexOfAny((byte)'\n', (byte)0);
        if (end < 0 && left.Length < MessageBytesMax)
        {
            return false;
        }
        Write(before.Span, end < 0 ? left : left[..end], lines);
        left = end < 0 ? default : left[(end + 1)..];
        return true;
    }
}
