using System.Buffers;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Shaping;

/// <summary>
/// Makes records of a file's lines: decodes them and joins those that belong together. Begins anew with each read, at a place before which all
/// is given out, so that what it holds needs not be kept: after a crash the lines are read again. What it gives out at once belongs into one batch.
/// </summary>
/// <param name="spanMax">The most of a file that it holds at once, in bytes.</param>
/// <param name="time">For times that say no year or zone.</param>
internal sealed class LineAssembler(int spanMax, TimeProvider time)
{
    /// <summary>How long the rest of a line is waited for that is judged by what it says: a program may write half of one, and think.</summary>
    public static readonly TimeSpan RestTimeout = TimeSpan.FromMinutes(1);

    private readonly OpenGroup[] _open = [new(), new(), new()]; // by stream
    private readonly ArrayBufferWriter<byte> _decoded = new();
    private readonly ArrayBufferWriter<byte> _unwrapped = new();
    private readonly ArrayBufferWriter<byte> _ahead = new();
    private FileShape? _shape;
    private long _at;
    private bool _goesOn;
    private (long LineBegin, int Part, bool IsLeftOut) _begun;

    /// <summary>The lines that are made.</summary>
    public ShapedLines Lines { get; } = new(time);

    public bool HasOpen => _goesOn || Array.Exists(_open, static group => group.IsOpen);

    private int TextMax => _shape!.Shape.Input.MaxLineBytes;

    /// <param name="shape">What becomes of the file's lines.</param>
    /// <param name="position">Where it is read on.</param>
    /// <param name="lineBegin">Where the line or group begins that this is in the middle of.</param>
    /// <param name="part">Parts of that given out before; 0 at a line's begin.</param>
    /// <param name="isLeftOut">Whether the last of them became no record.</param>
    public void Begin(FileShape shape, long position, long lineBegin, int part, bool isLeftOut)
    {
        _shape = shape;
        _at = position;
        Lines.Begin(shape);
        foreach (OpenGroup group in _open)
        {
            group.Close();
        }
        // Which stream goes on its first line tells.
        (_goesOn, _begun) = (part > 0, (lineBegin, part, isLeftOut));
    }

    /// <summary>Takes the next line, or piece of a long one.</summary>
    /// <param name="line">The line.</param>
    /// <param name="begin">Its first byte in the file.</param>
    /// <param name="bytes">Its bytes without terminator.</param>
    public void Add(in FramedLine line, long begin, ReadOnlySpan<byte> bytes)
    {
        bool isShaped = false;
        int replaced = 0;
        ReadOnlySpan<byte> text = bytes;
        if (_shape!.Encoding is TextDecoder encoding)
        {
            _decoded.ResetWrittenCount();
            isShaped = encoding.Decode(bytes, _decoded, out replaced);
            text = _decoded.WrittenSpan;
        }
        LineFormat format = _shape.Shape.Input.Format;
        var plain = new ContainerLine(LineStream.None, line.IsLast, (line.Flags & PositionFlags.CarriageReturn) != 0, long.MinValue);
        ContainerLine container = plain;
        bool isMisfit = false;
        if (format != LineFormat.Plain)
        {
            _unwrapped.ResetWrittenCount();
            isMisfit = line.Part > 0 || !line.IsLast || !ContainerLine.TryUnwrap(text, format, _unwrapped, out container);
            if (isMisfit)
            {
                container = plain;
            }
            else
            {
                text = _unwrapped.WrittenSpan;
                isShaped = true;
            }
        }
        Put(container, text, begin, line, isShaped, isMisfit, replaced);
        _at = line.End;
    }

    /// <summary>What is open is all there is of it.</summary>
    public void CloseAll()
    {
        foreach (OpenGroup group in _open)
        {
            Close(group);
        }
    }

    /// <summary>
    /// Groups that nothing was added to for long are whole. A line that was cut into pieces and whose last piece does not come is given up.
    /// Returns when the first of the others is due, a timestamp; null where no other is open.
    /// </summary>
    /// <param name="unfinished">Bytes that follow and are no line yet: while they become more, nothing is due.</param>
    public long? CloseQuiet(long unfinished)
    {
        TimeSpan quiet = _shape!.Shape.Input.Multiline?.Timeout ?? MultilineOptions.DefaultTimeout;
        TimeSpan restTimeout = _shape.Shape.Judges && quiet < RestTimeout ? RestTimeout : quiet;
        long? due = null;
        for (int stream = 0; stream < _open.Length; stream++)
        {
            if (_open[stream] is not { IsOpen: true, Lines: > 0 } group)
            {
                continue;
            }
            TimeSpan timeout = group.GoesOn ? restTimeout : quiet;
            long since = _shape.QuietSince((LineStream)stream, group.End + unfinished);
            if (time.GetElapsedTime(since) >= timeout)
            {
                GiveUp(group);
            }
            else
            {
                due = Math.Min(due ?? long.MaxValue, since + (long)(timeout.TotalSeconds * time.TimestampFrequency) + 1);
            }
        }
        return due;
    }

    /// <summary>
    /// Gives out the next lines behind which a read may begin again: in order, with all that they cover, and nothing of what is still open.
    /// </summary>
    /// <param name="lines">The lines; good until the next call of anything here.</param>
    /// <param name="end">Where they end, the begin of the line that this is in the middle of, and its parts given out.</param>
    public bool TryTake(out ReadOnlySpan<ShapedLine> lines, out (long Position, long LineBegin, int Part) end)
    {
        (long safe, OpenGroup? next) = FirstOpen();
        bool isTaken = Lines.TryTake(safe, out lines, out long until);
        bool isPart = next is { Part: > 0 } && next.Begin == until;
        end = isPart ? (until, next!.LineBegin, next.Part) : (until, until, 0);
        return isTaken;
    }

    private void Put(in ContainerLine container, ReadOnlySpan<byte> text, long begin, in FramedLine line, bool isShaped, bool isMisfit, int replaced)
    {
        OpenGroup group = _open[(int)container.Stream];
        if (_goesOn)
        {
            GoOn(group, container.Stream, begin);
        }
        MultilineRule? rule = isMisfit ? null : _shape!.Shape.Multiline;
        bool isPiece = group.IsOpen && group.GoesOn;
        if (group.IsOpen && !isPiece && !(rule is not null && Continues(rule, group, text)))
        {
            Close(group);
        }
        if (line.End - Math.Min(begin, FirstOpen().Position) > spanMax)
        {
            GiveWay(group, text);
        }
        // A part ends in its line's terminator. With redactions it is cut when as much again is there, so that a match which goes on is seen.
        int textMax = _shape!.Shape.Redaction is null || line.Part > 0 ? TextMax - 2 : 2 * (TextMax - 2);
        while (group.IsOpen && group.Lines > 0 && group.LengthWith(text.Length) > textMax)
        {
            EndPart(group, text);
        }
        if (!group.IsOpen)
        {
            LineFate before = Lines.FateOf(container.Stream);
            bool isRest = begin >= before.RestFrom;
            group.Open(begin, isRest && before.Omission != Omission.None ? before.LineBegin : begin, 0, goesOn: false);
            group.State = rule?.Begin(text) ?? TraceState.Ordinary;
            (group.IsMisfit, group.IsRest) = (isMisfit, isRest);
        }
        PositionFlags terminator = (line.Flags & PositionFlags.NoNewline) | (container.EndsInCarriageReturn ? PositionFlags.CarriageReturn : PositionFlags.None);
        group.Add(text, line.End, terminator, container.IsWhole, isShaped, container.Time, replaced);
        if (!line.IsLast)
        {
            EndPart(group, group.EndLines(), line.CutsMatch ? LineEnding.InMatch : LineEnding.Safe); // the line goes on behind the longest piece there is
        }
        else if (container.IsWhole && (rule is null || group.IsRest))
        {
            Close(group);
        }
    }

    private bool Continues(MultilineRule rule, OpenGroup group, ReadOnlySpan<byte> line) =>
        group.Lines < _shape!.Shape.Input.Multiline!.MaxLines && rule.Continues(line, ref group.State);

    /// <summary>Goes on in a line parts of which were given out before: they tell whether it is left out, for what they said is read no more.</summary>
    private void GoOn(OpenGroup group, LineStream stream, long begin)
    {
        group.Open(begin, _begun.LineBegin, _begun.Part, goesOn: true);
        _goesOn = false;
        ref LineFate fate = ref Lines.FateOf(stream);
        InputOptions input = _shape!.Shape.Input;
        // Where two streams lie in each other, a record of the other one may cover what was left out.
        if (fate.LineBegin != _begun.LineBegin && (_begun.IsLeftOut || input.Format == LineFormat.Plain))
        {
            fate = new LineFate(_begun.LineBegin, !_begun.IsLeftOut ? Omission.None
                : _shape.Shape.Filter is not null ? Omission.Filtered : input.RateLimit is not null ? Omission.Limited : Omission.Withheld);
        }
    }

    /// <summary>More is held than may be: the one group that goes on with the next line becomes a part, the others end.</summary>
    private void GiveWay(OpenGroup going, ReadOnlySpan<byte> next)
    {
        foreach (OpenGroup group in _open)
        {
            if (group != going)
            {
                GiveUp(group);
            }
            else if (group.IsOpen && group.Lines > 0)
            {
                EndPart(group, next);
            }
        }
    }

    /// <summary>Makes a part of a group that goes on with <paramref name="next"/>.</summary>
    private void EndPart(OpenGroup group, ReadOnlySpan<byte> next)
    {
        LineBorder end = group.EndLines();
        if (_shape!.Shape.Redaction is null)
        {
            EndPart(group, end, LineEnding.Safe);
            return;
        }
        _ahead.ResetWrittenCount();
        _ahead.Write(group.Text);
        _ahead.Write(next);
        LineBorder? border = FindBorder(_ahead.WrittenSpan, [.. group.Borders, end]);
        EndPart(group, border ?? end, border is null ? LineEnding.InMatch : LineEnding.Safe);
    }

    /// <summary>
    /// The last place within the limit that lies in no match of a redaction, before a word where there is one; else the first behind the limit. Null
    /// where there is none.
    /// </summary>
    private LineBorder? FindBorder(ReadOnlySpan<byte> text, IReadOnlyList<LineBorder> borders)
    {
        MatchBorders matches = _shape!.Shape.Redaction!;
        matches.Search(text);
        LineBorder? found = null;
        LineBorder? atWord = null;
        foreach (LineBorder border in borders)
        {
            if (border.Length > TextMax && found is not null)
            {
                break;
            }
            if (matches.Before(border.Length) == border.Length)
            {
                found = border;
                atWord = RedactedCut.IsInWord(text, border.Length) ? atWord : border;
            }
        }
        return atWord ?? found;
    }

    private void EndPart(OpenGroup group, LineBorder border, LineEnding ending)
    {
        Lines.Add(group, StreamOf(group), border, group.Part + 1, isLast: false, ending);
        group.NextPart(border);
    }

    /// <summary>Ends a group that is waited for no longer: where its last line is not whole, what comes of that later shares its fate.</summary>
    private void GiveUp(OpenGroup group)
    {
        if (group is { IsOpen: true, GoesOn: true, Lines: > 0 })
        {
            End(group, LineEnding.GivenUp);
        }
        else
        {
            Close(group);
        }
    }

    private void Close(OpenGroup group)
    {
        while (group.IsOpen && group.Text.Length > TextMax && group.Borders.Count > 0 && FindBorder(group.Text, group.Borders) is LineBorder border)
        {
            EndPart(group, border, LineEnding.Safe);
        }
        if (group.IsOpen && group.Lines > 0)
        {
            End(group, LineEnding.Safe);
        }
        group.Close();
    }

    private void End(OpenGroup group, LineEnding ending)
    {
        Lines.Add(group, StreamOf(group), new LineBorder(group.Text.Length, group.End), group.Part == 0 ? 0 : group.Part + 1, isLast: true, ending);
        group.Close();
    }

    private LineStream StreamOf(OpenGroup group) => (LineStream)Array.IndexOf(_open, group);

    /// <summary>Where the first group begins that is open; at the end of all lines where none is.</summary>
    private (long Position, OpenGroup? Group) FirstOpen()
    {
        (long first, OpenGroup? found) = (_at, null);
        foreach (OpenGroup group in _open)
        {
            if (group.IsOpen && (found is null || group.Begin < first))
            {
                (first, found) = (group.Begin, group);
            }
        }
        return (first, found);
    }
}
