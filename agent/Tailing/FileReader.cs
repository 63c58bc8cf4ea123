using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>How a look into a file ended.</summary>
internal enum ReadOutcome
{
    /// <summary>There is more to read.</summary>
    More,

    /// <summary>All whole lines are read.</summary>
    AtEnd,

    /// <summary>The log takes no more for now.</summary>
    Blocked,

    /// <summary>Its limit lets no more through for now: it is due later.</summary>
    Waiting,

    /// <summary>The bytes before the read position are not those that were read.</summary>
    Changed,
}

/// <summary>
/// Moves lines from a file to its log's open batch: one read into a shared buffer, one search for each line feed, one copy into
/// the batch. A read begins up to 1 KiB before the position, so each proves that the file is still the one that was read.
/// Files whose lines are to be changed are read by <see cref="ShapedReader"/> from there on.
/// </summary>
internal sealed class FileReader
{
    private const int ReadBytes = 512 << 10;

    private readonly TimeProvider _time;
    private readonly Coverage _coverage;
    private readonly ShapedReader _shaped;
    private readonly byte[] _buffer;

    public FileReader(AgentOptions options, TimeProvider time, AgentMetrics metrics, ILogger logger)
    {
        int blockBytes = Math.Max(ReadBytes, options.Inputs.Max(BlockBytesOf));
        _buffer = GC.AllocateUninitializedArray<byte>(Fingerprint.LengthMax + blockBytes);
        (_time, _coverage) = (time, new Coverage(metrics, logger));
        _shaped = new ShapedReader(blockBytes, _coverage, options, time, metrics, logger);
    }

    public ReadOutcome Read(TailedFile file, IFile handle, ILineTarget log)
    {
        if (!file.IsShapeKnown && !_shaped.TryLearn(file, handle))
        {
            return ReadOutcome.AtEnd;
        }
        Generation generation = file.Generation;
        long position = generation.Read.Position;
        int before = generation.ReadTail.Length;
        // What follows a run of NUL bytes that was read before is read alone; the bytes before the position prove the file all the same.
        bool isBehindNuls = file.NulUntil > position;
        Span<byte> buffer = isBehindNuls ? _buffer.AsSpan(0, before + 1) : _buffer;
        int got = handle.ReadFully(buffer, position - before);
        if (got < before || (before > 0 && Fingerprint.Of(_buffer.AsSpan(0, before)) != generation.ReadTail)
            || (position == 0 && !isBehindNuls && !generation.Seen.IsBeginOf(_buffer.AsSpan(0, got))))
        {
            return ReadOutcome.Changed;
        }
        if (isBehindNuls)
        {
            if (got > before && _buffer[before] != 0)
            {
                file.NulUntil = 0; // the writer has come this far
                return ReadOutcome.More;
            }
            (position, before) = (file.NulUntil, 0);
            got = handle.ReadFully(_buffer, position);
            int text = _buffer.AsSpan(0, got).IndexOfAnyExcept((byte)0);
            if (text >= 0 && position + text - generation.Read.Position < Coverage.NulsLeftOutMin)
            {
                file.NulUntil = 0; // so few are a part of the line
                return ReadOutcome.More;
            }
        }
        file.Size = Math.Max(file.Size, position - before + got);
        bool reachesEnd = got < _buffer.Length;
        var block = new Block(_buffer.AsSpan(0, got), before, position);
        bool blocked = file.Shape is null ? Frame(file, log, block, reachesEnd) : _shaped.Frame(file, log, block, reachesEnd);
        GrowHead(generation, handle, position - before);
        return blocked ? file.Shape is not null && _shaped.IsWaiting ? ReadOutcome.Waiting : ReadOutcome.Blocked : reachesEnd ? ReadOutcome.AtEnd : ReadOutcome.More;
    }

    private static int BlockBytesOf(InputOptions input) => (LineShape.HeldLines(input) * input.MaxLineBytes) + (64 << 10);

    /// <summary>Adds what lines there are; true when the log takes no more.</summary>
    private bool Frame(TailedFile file, ILineTarget log, in Block block, bool reachesEnd)
    {
        Progress progress = file.Generation.Read;
        ReadOnlySpan<byte> bytes = block.Bytes;
        // Bytes behind the position may have been cut and written anew since they were searched, so they are searched again.
        var framer = new LineFramer(
            bytes, block.Origin, block.Origin > progress.Position ? block.Origin : progress.LineBegin, progress.Part, file.Input.MaxLineBytes,
            file.TakeRest && reachesEnd);
        long now = SaneClock.Now(_time, out bool clamped);
        PositionFlags more = clamped ? PositionFlags.TimestampClamped : PositionFlags.None;
        bool blocked = false;
        Progress covered = progress;
        RecordBatchBuilder? builder = null;
        while (!Coverage.EndsInNuls(file, ref framer, progress.Position, block.End) && framer.TryPeek(out FramedLine line))
        {
            if (builder is null)
            {
                if (!log.CanAccept)
                {
                    blocked = true;
                    break;
                }
                builder = log.Open.Begin(_time.GetTimestamp());
            }
            ReadOnlySpan<byte> value = bytes.Slice(line.Start, line.Length);
            if (!Append(builder, file, line, now, more, progress.Covered, value))
            {
                _coverage.Note(file, log, block, covered, progress);
                covered = progress;
                log.CloseBatch();
                builder = null;
                continue;
            }
            _coverage.TellNuls(file, line.LineBegin, progress.Position);
            framer.Accept(line);
            progress = new Progress(
                line.End,
                framer.LineBegin,
                framer.Part,
                progress.Records + 1,
                progress.Bytes + line.Length,
                progress.Sum + RecordSum.Term(line.End, value));
        }
        _coverage.Note(file, log, block, covered, progress);
        file.ScannedUntil = blocked ? 0 : block.End;
        return blocked;
    }

    private static bool Append(
        RecordBatchBuilder builder, TailedFile file, in FramedLine line, long now, PositionFlags more, long coveredBegin, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> headers = file.Headers.For(line, more, coveredBegin);
        return file.Input.Key switch
        {
            RecordKey.Host => builder.TryAppend(now, true, file.Headers.Host, true, value, file.Headers.Count, headers),
            RecordKey.File => builder.TryAppend(now, true, file.Headers.File, true, value, file.Headers.Count, headers),
            _ => builder.TryAppend(now, value, file.Headers.Count, headers),
        };
    }

    /// <summary>The head covers bytes that were read, no others: what follows them may be cut and written anew before it is read.</summary>
    private void GrowHead(Generation generation, IFile handle, long bufferBegin)
    {
        int length = (int)Math.Min(generation.Read.Position, Fingerprint.LengthMax);
        if (length > generation.Head.Length)
        {
            generation.Head = bufferBegin == 0 ? Fingerprint.Of(_buffer.AsSpan(0, length)) : ContentCheck.HeadOf(handle, length);
        }
    }
}
