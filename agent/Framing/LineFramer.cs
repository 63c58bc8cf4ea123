using LogPipeline.Contract;

namespace LogPipeline.Agent.Framing;

/// <summary>
/// Cuts bytes of a file into lines: slices, no copies. A line ends with LF or CR LF; one longer than the limit comes in parts.
/// What follows the last line feed stays for later, unless the file has ended. No byte has a meaning besides LF and a CR before it.
/// In UTF-16 a line feed is a code unit, and a cut never splits a character of any encoding.
/// </summary>
/// <param name="bytes">The file's bytes from <paramref name="position"/> on.</param>
/// <param name="position">Where they begin in the file.</param>
/// <param name="lineBegin">Where the line begins that they begin in; the position itself at a line's begin.</param>
/// <param name="part">Parts of that line given out before.</param>
/// <param name="lineBytesMax">A longer line, terminator not counted, comes in parts of this size.</param>
/// <param name="isEnd">Whether nothing will follow.</param>
/// <param name="encoding">How the bytes are to be understood; null = ASCII or a superset of it that needs no decoding.</param>
/// <param name="cut">Where a longer line may be cut; null = anywhere. It sees twice the limit, so no part is given out before that many bytes are there.</param>
internal ref struct LineFramer(
    ReadOnlySpan<byte> bytes, long position, long lineBegin, int part, int lineBytesMax, bool isEnd, TextDecoder? encoding = null, ILineCut? cut = null)
{
    private const byte LineFeed = (byte)'\n';
    private const byte CarriageReturn = (byte)'\r';

    private static ReadOnlySpan<byte> Mark => [0xef, 0xbb, 0xbf];

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly int _unit = encoding is null ? 1 : encoding.UnitSize;
    private int _at;

    /// <summary>Where the line begins that comes next or goes on.</summary>
    public long LineBegin { get; private set; } = lineBegin;

    /// <summary>Parts of that line given out.</summary>
    public int Part { get; private set; } = part;

    /// <summary>Bytes of the byte order mark that some programs begin a file with, where it comes next; else 0.</summary>
    public readonly int MarkAhead
    {
        get
        {
            ReadOnlySpan<byte> mark = encoding is null ? Mark : encoding.Mark;
            return position == 0 && _at == 0 && _bytes.StartsWith(mark) ? mark.Length : 0;
        }
    }

    /// <summary>NUL bytes at a line's begin; all that is left, where nothing else follows. 0 inside a line.</summary>
    public readonly int NulsAhead
    {
        get
        {
            ReadOnlySpan<byte> rest = _bytes[_at..];
            int other = Part > 0 || rest.IsEmpty || rest[0] != 0 ? 0 : rest.IndexOfAnyExcept((byte)0);
            int nuls = other < 0 ? rest.Length : other;
            return nuls == 0 ? 0 : nuls - (nuls % _unit); // half a code unit may be half of any character
        }
    }

    /// <summary>Bytes behind the last line that was accepted.</summary>
    public readonly int Left => _bytes.Length - _at;

    /// <summary>Leaves bytes at a line's begin out: the line begins behind them.</summary>
    public void Skip(int count)
    {
        _at += count;
        LineBegin = position + _at;
    }

    /// <summary>Finds the next line or part; false when the bytes that are left are none.</summary>
    public readonly bool TryPeek(out FramedLine line)
    {
        ReadOnlySpan<byte> rest = _bytes[_at..];
        // A whole line fits when its terminator lies within the limit and two code units.
        int windowMax = lineBytesMax + (2 * _unit);
        ReadOnlySpan<byte> window = rest.Length > windowMax ? rest[..windowMax] : rest;
        int feed = encoding is null ? window.IndexOf(LineFeed) : encoding.FindLineFeed(window);
        if (feed >= 0)
        {
            bool carriage = EndsInCarriageReturn(rest[..feed]);
            int length = carriage ? feed - _unit : feed;
            if (length <= lineBytesMax)
            {
                line = Last(length, feed + _unit, carriage ? PositionFlags.CarriageReturn : PositionFlags.None);
                return true;
            }
        }
        if (feed >= 0 || window.Length == windowMax || (isEnd && rest.Length > lineBytesMax))
        {
            if (cut is not null)
            {
                return TryPeekPart(cut, rest, out line);
            }
            int length = encoding is null ? lineBytesMax : encoding.WholeCharacters(rest[..lineBytesMax]);
            // A carriage return stays with the line feed that may follow it.
            length -= EndsInCarriageReturn(rest[..length]) ? _unit : 0;
            line = new FramedLine(_at, length, position + _at + length, PositionFlags.Cut, LineBegin, Part + 1, false);
            return true;
        }
        if (isEnd && rest.Length > 0)
        {
            line = Last(rest.Length, rest.Length, PositionFlags.NoNewline);
            return true;
        }
        line = default;
        return false;
    }

    /// <summary>Finds the next part of a line that is longer than the limit, cut where it may be.</summary>
    private readonly bool TryPeekPart(ILineCut rule, ReadOnlySpan<byte> rest, out FramedLine line)
    {
        int ahead = 2 * lineBytesMax;
        ReadOnlySpan<byte> window = rest.Length > ahead + (2 * _unit) ? rest[..(ahead + (2 * _unit))] : rest;
        int feed = encoding is null ? window.IndexOf(LineFeed) : encoding.FindLineFeed(window);
        if (feed < 0 && !isEnd && rest.Length <= ahead + _unit)
        {
            line = default;
            return false;
        }
        int end = feed >= 0 ? feed : rest.Length;
        bool carriage = feed >= 0 && EndsInCarriageReturn(rest[..feed]);
        end -= carriage ? _unit : 0;
        bool isWhole = end <= ahead;
        end = Math.Min(end, ahead);
        int most = encoding is null ? TextDecoder.WholeOfUtf8(rest[..lineBytesMax]) : encoding.WholeCharacters(rest[..lineBytesMax]);
        int length = rule.LengthOf(rest[..end], most, isWhole, encoding);
        if (length == end && isWhole)
        {
            line = Last(length, feed < 0 ? rest.Length : feed + _unit, feed < 0 ? PositionFlags.NoNewline : carriage ? PositionFlags.CarriageReturn : PositionFlags.None);
            return true;
        }
        bool isMatchCut = length == 0;
        length = isMatchCut ? most : length;
        line = new FramedLine(_at, length, position + _at + length, PositionFlags.Cut, LineBegin, Part + 1, false, isMatchCut);
        return true;
    }

    /// <summary>Goes on behind a line that was found.</summary>
    public void Accept(in FramedLine line)
    {
        _at = (int)(line.End - position);
        (LineBegin, Part) = line.IsLast ? (line.End, 0) : (line.LineBegin, line.Part);
    }

    private readonly bool EndsInCarriageReturn(ReadOnlySpan<byte> bytes) =>
        encoding is null ? !bytes.IsEmpty && bytes[^1] == CarriageReturn : encoding.EndsInCarriageReturn(bytes);

    private readonly FramedLine Last(int length, int size, PositionFlags flags) => new(
        _at,
        length,
        position + _at + size,
        Part > 0 ? flags | PositionFlags.Cut : flags,
        LineBegin,
        Part > 0 ? Part + 1 : 0,
        true);
}

/// <summary>A line, or a part of a long one, as a slice of the framed bytes.</summary>
/// <param name="Start">Index of its first byte.</param>
/// <param name="Length">Bytes without terminator.</param>
/// <param name="End">Position in the file after it and its terminator.</param>
/// <param name="Flags">What is unusual.</param>
/// <param name="LineBegin">Position of the whole line's first byte.</param>
/// <param name="Part">0 = a whole line, else 1, 2, …</param>
/// <param name="IsLast">Whether the line ends with it.</param>
/// <param name="CutsMatch">Whether it ends inside of what must not be cut.</param>
internal readonly record struct FramedLine(
    int Start, int Length, long End, PositionFlags Flags, long LineBegin, int Part, bool IsLast, bool CutsMatch = false);
