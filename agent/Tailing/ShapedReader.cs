using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Moves the lines of files whose lines are changed, joined or left out. What the assembler gives out at once goes into one batch, and the
/// read position moves only over that: so a crash takes all of it or nothing, and what is in flight is never shaped again.
/// </summary>
internal sealed class ShapedReader(int blockBytes, Coverage coverage, AgentOptions options, TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    /// <summary>A line that says to be older, 1980, or further ahead of the clock, an hour, is wrong: brokers refuse what is so far ahead.</summary>
    private const long SaidEarliest = 315_532_800_000;
    private const long SaidAheadMax = 3_600_000;

    private readonly LineAssembler _assembler = new(blockBytes / 2, time);
    private readonly Dictionary<InputOptions, LineShape> _shapes =
        options.Inputs.DistinctBy(static input => input, ReferenceEqualityComparer.Instance)
            .ToDictionary(static input => input, static input => new LineShape(input), (IEqualityComparer<InputOptions>)ReferenceEqualityComparer.Instance);
    private readonly Dictionary<TextEncoding, TextDecoder> _decoders = [];

    // Of the file that is being read: what is in the open batch or in earlier ones, and of that what is noted.
    private Progress _progress;
    private Progress _noted;
    private OmittedLines _omitted;
    private RecordBatchBuilder? _builder;
    private long _now;
    private PositionFlags _flags;

    /// <summary>Whether the file that was read last waits for its <c>rate_limit</c>.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Finds out what becomes of a file's lines. False when it is too short to tell its encoding yet.</summary>
    public bool TryLearn(TailedFile file, IFile handle)
    {
        TextEncoding encoding = file.Input.Encoding;
        // A source's lines are UTF-8 by now, or in the encoding that is named; what looks like a byte order mark is a line's own bytes.
        if (encoding == TextEncoding.Auto && file.Input.Source is null)
        {
            Span<byte> head = stackalloc byte[2];
            head = head[..handle.ReadFully(head, 0)];
            if (head.Length < 2 && !file.TakeRest && (head.IsEmpty || head[0] is 0xfe or 0xff))
            {
                file.ScannedUntil = file.Size = head.Length;
                return false;
            }
            encoding = TextDecoder.OfMark(head) ?? encoding;
        }
        TextDecoder? decoder = encoding == TextEncoding.Auto ? null : DecoderOf(encoding);
        if (decoder is not null && file.Input.Encoding == TextEncoding.Auto)
        {
            logger.Decoded(file.Generation.Path, encoding.ToString());
        }
        FileShape? shape = decoder is null && !LineShape.Changes(file.Input) ? null : new FileShape(_shapes[file.Input], decoder, time);
        if (shape is not null)
        {
            GivenUpLines.Find(shape, handle, file.Generation.Read.Position, file.Generation.Read.Part);
        }
        file.Learned(shape);
        return true;
    }

    /// <summary>Adds what lines there are; true when the log takes no more.</summary>
    public bool Frame(TailedFile file, ILineTarget log, in Block block, bool reachesEnd)
    {
        FileShape shape = file.Shape!;
        shape.Due = null;
        IsWaiting = false;
        _progress = _noted = file.Generation.Read;
        _omitted = default;
        _builder = null;
        _now = SaneClock.Now(time, out bool clamped);
        _flags = clamped ? PositionFlags.TimestampClamped : PositionFlags.None;
        bool isEnd = file.TakeRest && reachesEnd;
        long begin = block.Origin > _progress.Position ? block.Origin : _progress.LineBegin;
        bool isInLine = _progress.Part > 0 && !IsAtLineBegin(shape, block);
        var framer = new LineFramer(
            block.Bytes, block.Origin, isInLine ? begin : block.Origin, isInLine ? _progress.Part : 0, shape.LineBytesMax, isEnd, shape.Encoding,
            shape.Shape.Cut);
        _assembler.Begin(shape, block.Origin, begin, _progress.Part, isLeftOut: _progress.Covered < _progress.Position);
        long at = _progress.Position;
        bool blocked = false;
        while (!blocked && !EndsInNuls(file, ref framer, at, block.End, reachesEnd) && framer.TryPeek(out FramedLine line))
        {
            long lineBegin = block.Origin + line.Start;
            if (line.Part == 0)
            {
                coverage.TellNuls(file, lineBegin, at);
            }
            _assembler.Add(line, lineBegin, block.Bytes.Slice(line.Start, line.Length));
            framer.Accept(line);
            at = line.End;
            blocked = !TryGiveAll(file, log, block);
        }
        if (!blocked && isEnd)
        {
            _assembler.CloseAll();
        }
        else if (!blocked && reachesEnd && _assembler.HasOpen)
        {
            shape.Due = _assembler.CloseQuiet(block.End - at);
        }
        blocked = blocked || !TryGiveAll(file, log, block);
        Note(file, log, block);
        file.ScannedUntil = blocked ? 0 : block.End;
        return blocked;
    }

    /// <summary>Whether the parts of a group that were given out end with a line. Where what lies before is not known, a container's line tells by itself.</summary>
    private static bool IsAtLineBegin(FileShape shape, in Block block)
    {
        int unit = shape.Encoding?.UnitSize ?? 1;
        return block.Before.Length < unit
            ? shape.Shape.Input.Format != LineFormat.Plain
            : shape.Encoding is TextDecoder encoding ? encoding.FindLineFeed(block.Before[^unit..]) == 0 : block.Before[^1] == (byte)'\n';
    }

    private TextDecoder DecoderOf(TextEncoding encoding)
    {
        if (!_decoders.TryGetValue(encoding, out TextDecoder? decoder))
        {
            _decoders[encoding] = decoder = new TextDecoder(encoding);
        }
        return decoder;
    }

    /// <summary>Leaves NUL bytes out at a line's begin. A long run of them ends what is open; where a short one follows that, it is read again with it.</summary>
    private bool EndsInNuls(TailedFile file, ref LineFramer framer, long position, long end, bool reachesEnd)
    {
        bool endsInNuls = Coverage.EndsInNuls(file, ref framer, position, end);
        long nuls = endsInNuls ? end - position : framer.LineBegin - position;
        if (nuls >= Coverage.NulsLeftOutMin || (endsInNuls && !reachesEnd))
        {
            _assembler.CloseAll();
        }
        else if (endsInNuls && _assembler.HasOpen)
        {
            file.NulUntil = 0;
        }
        return endsInNuls;
    }

    /// <summary>Adds all that the assembler gives out; false when the log takes no more.</summary>
    private bool TryGiveAll(TailedFile file, ILineTarget log, in Block block)
    {
        while (_assembler.TryTake(out ReadOnlySpan<ShapedLine> lines, out (long Position, long LineBegin, int Part) end))
        {
            if (!MayGive(file.Shape!, lines) || !TryBegin(file, log, block, lines))
            {
                return false;
            }
            Give(file, block, lines, end.Position);
            _assembler.Lines.Accept(lines.Length);
            _progress = _progress with { Position = end.Position, LineBegin = end.LineBegin, Part = end.Part };
        }
        return true;
    }

    /// <summary>Asks the file's limit; false where the lines are to wait. A line that is left out is asked for no more.</summary>
    private bool MayGive(FileShape shape, ReadOnlySpan<ShapedLine> lines)
    {
        int count = 0;
        foreach (ShapedLine line in lines)
        {
            count += line.Omission == Omission.None && line.Part <= 1 ? 1 : 0;
        }
        if (shape.Bucket is not RateBucket bucket || count == 0 || bucket.TryTake(count))
        {
            return true;
        }
        if (shape.Shape.Input.RateLimit!.Policy == RatePolicy.Wait)
        {
            (shape.Due, IsWaiting) = (bucket.ReadyAt, true);
            return false;
        }
        _assembler.Lines.Omit(Omission.Limited, lines.Length);
        return true;
    }

    /// <summary>Makes sure of an open batch that has room for all of these lines.</summary>
    private bool TryBegin(TailedFile file, ILineTarget log, in Block block, ReadOnlySpan<ShapedLine> lines)
    {
        int bytes = 0;
        foreach (ShapedLine line in lines)
        {
            bytes += line.Omission != Omission.None ? 0 : line.Length + Math.Max(0, line.KeyLength) + file.Headers.Host.Length + file.Headers.File.Length + file.HeadersOf(line.Stream).Length + RecordBatchBuilder.RecordOverheadMax;
        }
        if (_builder?.HasRoom(bytes) == false)
        {
            Note(file, log, block);
            log.CloseBatch();
            _builder = null;
        }
        if (_builder is null && log.CanAccept)
        {
            _builder = log.Open.Begin(time.GetTimestamp());
            if (!_builder.HasRoom(bytes))
            {
                log.CloseBatch();
                _builder = log.CanAccept ? log.Open.Begin(time.GetTimestamp()) : null;
            }
        }
        return _builder is not null;
    }

    private void Give(TailedFile file, in Block block, ReadOnlySpan<ShapedLine> lines, long end)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            ShapedLine line = lines[i];
            if (line.Omission != Omission.None)
            {
                Omit(file, line);
                continue;
            }
            int next = i + 1;
            while (next < lines.Length && lines[next].Omission != Omission.None)
            {
                next++;
            }
            // Lines of two streams may lie in each other: each covers the file up to the begin of the next.
            Add(file, block, line, next < lines.Length ? lines[next].Begin : end);
        }
    }

    private void Omit(TailedFile file, in ShapedLine line)
    {
        long bytes = line.End - line.Begin;
        _omitted += line.Omission == Omission.Limited ? new OmittedLines(0, 0, 1, bytes) : new OmittedLines(1, bytes, 0, 0);
        metrics.LeftOutLines.Add(1, line.Omission switch
        {
            Omission.Limited => AgentMetrics.Limited,
            Omission.Withheld or Omission.Unended => AgentMetrics.Withheld,
            _ => AgentMetrics.Filtered,
        });
        if (line.Omission is Omission.Withheld or Omission.Unended && file.Shape!.WithheldTold != line.LineBegin)
        {
            file.Shape.WithheldTold = line.LineBegin;
            if (line.Omission == Omission.Withheld)
            {
                logger.Withheld(file.Generation.Path, line.LineBegin, line.Begin, file.Input.MaxLineBytes);
            }
            else
            {
                logger.Unended(file.Generation.Path, line.LineBegin, line.Begin);
            }
        }
    }

    private void Add(TailedFile file, in Block block, in ShapedLine line, long end)
    {
        ReadOnlySpan<byte> value = _assembler.Lines.TextOf(line);
        LineHeaders lineHeaders = file.HeadersOf(line.Stream);
        PositionFlags flags = line.Flags;
        long at = TimeOf(line, ref flags);
        long begin = Math.Max(_progress.Covered, line.LineBegin);
        bool isHeld = begin >= block.Origin;
        if (!isHeld || (line.Part > 1 && begin != line.Begin))
        {
            flags |= PositionFlags.Shaped; // parts before it are in no record: it does not begin where its bytes do
        }
        int sum = isHeld && (flags & PositionFlags.Shaped) != 0 ? RecordSum.OfFile(block.Slice(begin, end)) : 0;
        ReadOnlySpan<byte> headers = lineHeaders.For(new FramedLine(0, value.Length, end, flags, line.LineBegin, line.Part, line.IsLast), _progress.Covered, sum);
        ReadOnlySpan<byte> key = file.Input.Key switch
        {
            RecordKey.Host => file.Headers.Host,
            RecordKey.File => file.Headers.File,
            _ => _assembler.Lines.KeyOf(line),
        };
        bool hasKey = file.Input.Key is RecordKey.Host or RecordKey.File || line.KeyLength >= 0;
        _builder!.Append(at, hasKey, key, true, value, lineHeaders.Count, headers);
        metrics.ReplacedCharacters.Add(line.Replaced);
        if (line.IsMisfit)
        {
            metrics.MisfitLines.Add(1);
            TellMisfit(file, line.LineBegin);
        }
        _progress = new Progress(
            end, end, 0, _progress.Records + 1, _progress.Bytes + value.Length, _progress.Sum + RecordSum.Term(end, value));
    }

    /// <summary>The time that the line says, unless it cannot be: then, and where it says none, the clock's.</summary>
    private long TimeOf(in ShapedLine line, ref PositionFlags flags)
    {
        if (line.Time >= SaidEarliest && line.Time <= _now + SaidAheadMax)
        {
            return line.Time;
        }
        flags |= line.Time == long.MinValue ? _flags : PositionFlags.TimestampClamped;
        return _now;
    }

    private void TellMisfit(TailedFile file, long position)
    {
        if (!file.Shape!.IsMisfitTold)
        {
            file.Shape.IsMisfitTold = true;
            logger.Misfit(file.Generation.Path, position, file.Input.Format.ToString());
        }
    }

    private void Note(TailedFile file, ILineTarget log, in Block block)
    {
        coverage.Note(file, log, block, _noted, _progress, _omitted);
        (_noted, _omitted) = (_progress, default);
    }
}
