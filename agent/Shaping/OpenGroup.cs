using System.Buffers;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Shaping;

/// <summary>Lines of one stream that become one record, as far as they were seen.</summary>
internal sealed class OpenGroup
{
    private readonly ArrayBufferWriter<byte> _text = new();
    private readonly List<LineBorder> _borders = [];
    private PositionFlags _terminator;
    private bool _isWhole;
    private TraceState _state;

    public bool IsOpen { get; private set; }

    /// <summary>First byte that no part given out before covers.</summary>
    public long Begin { get; private set; }

    /// <summary>First byte of the whole group.</summary>
    public long LineBegin { get; private set; }

    public long End { get; private set; }

    /// <summary>Parts given out before.</summary>
    public int Part { get; private set; }

    /// <summary>Lines in it, parts given out before left out.</summary>
    public int Lines { get; private set; }

    /// <summary>Whether the next line of the stream is known to belong to it: the last one was no whole line, or was known to go on before a restart.</summary>
    public bool GoesOn { get; private set; }

    /// <summary>Whether its text is not the file's bytes.</summary>
    public bool IsShaped { get; private set; }

    public long Time { get; private set; }

    /// <summary>Places in it that were no characters.</summary>
    public int Replaced { get; private set; }

    public ReadOnlySpan<byte> Text => _text.WrittenSpan;

    /// <summary>Where a line or piece begins behind another: places where it may become a part.</summary>
    public IReadOnlyList<LineBorder> Borders => _borders;

    /// <summary>How it ends; without a line feed where the rest of its last line did not come.</summary>
    public PositionFlags Terminator => _isWhole ? _terminator : _terminator | PositionFlags.NoNewline;

    /// <summary>Where in a stack trace it is.</summary>
    public ref TraceState State => ref _state;

    /// <summary>Whether it is no line of a container's format, though the file is of one.</summary>
    public bool IsMisfit { get; set; }

    /// <summary>Whether it is the rest of a line that was decided upon without it.</summary>
    public bool IsRest { get; set; }

    /// <summary>Begins at a line; or goes on behind parts that were given out before.</summary>
    public void Open(long begin, long lineBegin, int part, bool goesOn)
    {
        _state = part == 0 ? TraceState.Ordinary : _state;
        (IsOpen, Begin, End, LineBegin, Part, Lines, GoesOn, IsShaped, Time) = (true, begin, begin, lineBegin, part, 0, goesOn, false, long.MinValue);
        (_terminator, _isWhole, Replaced, IsMisfit, IsRest) = (PositionFlags.None, false, 0, false, false);
        _text.ResetWrittenCount();
        _borders.Clear();
    }

    /// <summary>Bytes that the text takes with one more line.</summary>
    public int LengthWith(int line) => _text.WrittenCount + (_isWhole ? 2 : 0) + line;

    /// <summary>Adds a line, or a piece of one.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="end">After its terminator.</param>
    /// <param name="terminator">How it ends, where it is whole.</param>
    /// <param name="isWhole">Whether the line ends here.</param>
    /// <param name="isShaped">Whether the text is not the file's bytes.</param>
    /// <param name="time">What the line says of its time.</param>
    /// <param name="replaced">Places in it that were no characters.</param>
    public void Add(ReadOnlySpan<byte> text, long end, PositionFlags terminator, bool isWhole, bool isShaped, long time, int replaced)
    {
        EndLine();
        if (Lines > 0)
        {
            _borders.Add(new LineBorder(_text.WrittenCount, End));
        }
        _text.Write(text);
        Time = Lines == 0 && Part == 0 ? time : Time;
        (End, _terminator, _isWhole, GoesOn) = (end, terminator, isWhole, !isWhole);
        IsShaped |= isShaped;
        Replaced += replaced;
        Lines++;
    }

    /// <summary>What was added so far ends where a line follows it in the group. Returns that place.</summary>
    public LineBorder EndLines()
    {
        EndLine();
        return new LineBorder(_text.WrittenCount, End);
    }

    /// <summary>What lies before <paramref name="border"/> was given out as a part; what lies behind it goes on.</summary>
    public void NextPart(LineBorder border)
    {
        (byte[] rest, LineBorder[] borders) = (_text.WrittenSpan[border.Length..].ToArray(), [.. _borders.Where(other => other.Length > border.Length)]);
        (long end, PositionFlags terminator, bool isWhole, bool isShaped, bool goesOn) = (End, _terminator, _isWhole, IsShaped, GoesOn);
        Open(border.End, LineBegin, Part + 1, goesOn: true);
        if (rest.Length > 0)
        {
            _text.Write(rest);
            _borders.AddRange(borders.Select(other => other with { Length = other.Length - border.Length }));
            (End, _terminator, _isWhole, IsShaped, GoesOn, Lines) = (end, terminator, isWhole, isShaped, goesOn, _borders.Count + 1);
        }
    }

    public void Close() => IsOpen = false;

    /// <summary>The terminator of a line inside a group is a part of its text.</summary>
    private void EndLine()
    {
        if (_isWhole)
        {
            _text.Write((_terminator & PositionFlags.CarriageReturn) != 0 ? "\r\n"u8 : "\n"u8);
            _isWhole = false;
        }
    }
}

/// <summary>The end of a line or piece inside a group.</summary>
/// <param name="Length">Bytes of the group's text up to there.</param>
/// <param name="End">Position in the file.</param>
internal readonly record struct LineBorder(int Length, long End);
