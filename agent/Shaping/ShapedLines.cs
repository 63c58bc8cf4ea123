using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using LogPipeline.Agent.Shaping.Redaction;
using LogPipeline.Contract;

namespace LogPipeline.Agent.Shaping;

/// <summary>
/// Lines that are shaped and wait to be given out, with their texts and keys. What a line becomes is decided here: left out, redacted, with
/// which time and key.
/// </summary>
/// <param name="time">For times that say no year or zone.</param>
internal sealed class ShapedLines(TimeProvider time)
{
    private readonly List<ShapedLine> _lines = [];
    private readonly ArrayBufferWriter<byte> _texts = new();
    private readonly LineFate[] _fates = [LineFate.None, LineFate.None, LineFate.None]; // by stream, behind the last line that was added
    private FileShape? _shape;
    private int _given;

    /// <summary>Forgets all lines; those that come are of another file or place.</summary>
    public void Begin(FileShape shape)
    {
        _shape = shape;
        shape.Fates.CopyTo(_fates, 0);
        Clear();
    }

    /// <summary>What became of the last line of a stream that was added.</summary>
    public ref LineFate FateOf(LineStream stream) => ref _fates[(int)stream];

    /// <summary>Adds the text of a group up to a border.</summary>
    /// <param name="group">The group.</param>
    /// <param name="stream">The group's.</param>
    /// <param name="end">Where the text ends.</param>
    /// <param name="part">0 = it is all that the group has, else which part.</param>
    /// <param name="isLast">Whether the group ends with it.</param>
    /// <param name="ending">What is known of the place where it ends.</param>
    public void Add(OpenGroup group, LineStream stream, LineBorder end, int part, bool isLast, LineEnding ending)
    {
        PositionFlags flags = (isLast ? group.Terminator : PositionFlags.None) | (part > 0 ? PositionFlags.Cut : PositionFlags.None)
            | (group.IsShaped ? PositionFlags.Shaped : PositionFlags.None);
        ReadOnlySpan<byte> text = group.Text[..end.Length];
        Omission omission = OmissionOf(group, stream, text, part, ending);
        bool isRedacted = false;
        if (_shape!.Shape.Redaction is MatchBorders redaction && omission == Omission.None)
        {
            text = redaction.Redact(text, out isRedacted);
        }
        flags |= isRedacted ? PositionFlags.Shaped : PositionFlags.None;
        int start = _texts.WrittenCount;
        _texts.Write(text);
        InputOptions input = _shape.Shape.Input;
        long at = input.Timestamp != TimeForm.None && TimeInLine.Read(input.Timestamp, text, time) is long said ? said : group.Time;
        int keyLength = input.KeyPattern?.FirstGroup(text) is string key ? (int)Encoding.UTF8.GetBytes(key, _texts) : -1;
        _lines.Add(new ShapedLine(
            group.Begin, end.End, group.LineBegin, part, isLast, flags, start, text.Length, keyLength, stream, at, omission, group.Replaced, group.IsMisfit,
            ending == LineEnding.GivenUp));
    }

    /// <summary>
    /// Gives out the next lines that do not lie in each other, as those of two streams may: in order, with all that they cover. False where there are
    /// none, or where they would reach over <paramref name="safe"/>.
    /// </summary>
    /// <param name="safe">Before it nothing is open.</param>
    /// <param name="lines">The lines; good until the next call of anything here.</param>
    /// <param name="end">Where they end.</param>
    public bool TryTake(long safe, out ReadOnlySpan<ShapedLine> lines, out long end)
    {
        lines = default;
        end = 0;
        if (_given == _lines.Count)
        {
            Clear();
            return false;
        }
        Span<ShapedLine> waiting = CollectionsMarshal.AsSpan(_lines)[_given..];
        waiting.Sort(static (a, b) => a.Begin.CompareTo(b.Begin));
        int count = 0;
        do
        {
            end = Math.Max(end, waiting[count++].End);
        }
        while (count < waiting.Length && waiting[count].Begin < end);
        if (end > safe)
        {
            return false;
        }
        _given += count;
        lines = waiting[..count];
        return true;
    }

    /// <summary>Leaves out the last lines that were given out.</summary>
    public void Omit(Omission omission, int count)
    {
        foreach (ref ShapedLine line in CollectionsMarshal.AsSpan(_lines)[(_given - count).._given])
        {
            line = line with { Omission = line.Omission == Omission.None ? omission : line.Omission };
            ref LineFate fate = ref FateOf(line.Stream);
            fate = fate.LineBegin == line.LineBegin ? fate with { Omission = line.Omission } : fate;
        }
    }

    /// <summary>The read position moves behind the last lines that were given out.</summary>
    public void Accept(int count)
    {
        foreach (ShapedLine line in CollectionsMarshal.AsSpan(_lines)[(_given - count).._given])
        {
            _shape!.Fates[(int)line.Stream] = new LineFate(line.LineBegin, line.Omission, line.IsGivenUp ? line.End : long.MaxValue);
        }
    }

    /// <summary>The key of a line that was given out.</summary>
    public ReadOnlySpan<byte> KeyOf(in ShapedLine line) => _texts.WrittenSpan.Slice(line.Start + line.Length, Math.Max(0, line.KeyLength));

    /// <summary>The text of a line that was given out.</summary>
    public ReadOnlySpan<byte> TextOf(in ShapedLine line) => _texts.WrittenSpan.Slice(line.Start, line.Length);

    private void Clear()
    {
        _given = 0;
        _lines.Clear();
        _texts.ResetWrittenCount();
    }

    /// <summary>
    /// Whether a line is wanted; of a long one the first part tells, and none follows one that had to be cut in a match. A line that is given up is left
    /// out where anything is redacted, and so is its rest: a secret may lie on both sides of that place, and be found in neither half.
    /// </summary>
    private Omission OmissionOf(OpenGroup group, LineStream stream, ReadOnlySpan<byte> text, int part, LineEnding ending)
    {
        ref LineFate fate = ref FateOf(stream);
        if (group.IsRest)
        {
            fate = new LineFate(group.LineBegin, fate.Omission);
        }
        else if (part <= 1 || fate.LineBegin != group.LineBegin)
        {
            fate = new LineFate(group.LineBegin, _shape!.Shape.Filter?.Keeps(text) == false ? Omission.Filtered : Omission.None);
        }
        if (fate.Omission == Omission.None && ending != LineEnding.Safe && _shape!.Shape.Redaction is not null)
        {
            fate = fate with { Omission = ending == LineEnding.InMatch ? Omission.Withheld : Omission.Unended };
        }
        fate = fate with { RestFrom = ending == LineEnding.GivenUp ? group.End : long.MaxValue };
        return fate.Omission;
    }
}
