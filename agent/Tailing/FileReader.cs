using LogPipeline.Agent.Framing;
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

    /// <summary>The bytes before the read position are not those that were read.</summary>
    Changed,
}

/// <summary>
/// Moves lines from a file to its log's open batch: one read into a shared buffer, one search for each line feed, one copy into
/// the batch. A read begins up to 1 KiB before the position, so each proves that the file is still the one that was read.
/// </summary>
internal sealed class FileReader(AgentOptions options, TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    private const int ReadBytes = 512 << 10;

    /// <summary>A shorter run of NUL bytes before a line is taken for a part of it.</summary>
    private const int NulsLeftOutMin = 4096;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        Fingerprint.LengthMax + Math.Max(ReadBytes, options.Inputs.Max(i => i.MaxLineBytes) + (64 << 10)));

    public ReadOutcome Read(TailedFile file, IFile handle, ILineTarget log)
    {
        Generation generation = file.Generation;
        long position = generation.Read.Position;
        int before = generation.ReadTail.Length;
        // What follows a run of NUL bytes that was read before is read alone; the bytes before the position prove the file all the same.
        bool isBehindNuls = file.NulUntil > position;
        Span<byte> buffer = isBehindNuls ? _buffer.AsSpan(0, before + 1) : _buffer;
        int got = handle.ReadFully(buffer, position - before);
        if (got < before || (before > 0 && Fingerprint.Of(_buffer.AsSpan(0, before)) != generation.ReadTail))
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
            if (text >= 0 && position + text - generation.Read.Position < NulsLeftOutMin)
            {
                file.NulUntil = 0; // so few are a part of the line
                return ReadOutcome.More;
            }
        }
        file.Size = Math.Max(file.Size, position - before + got);
        bool reachesEnd = got < _buffer.Length;
        bool blocked = Frame(file, log, position, before, got, reachesEnd);
        GrowHead(generation, handle, position - before);
        return blocked ? ReadOutcome.Blocked : reachesEnd ? ReadOutcome.AtEnd : ReadOutcome.More;
    }

    /// <summary>Adds what lines there are; true when the log takes no more.</summary>
    private bool Frame(TailedFile file, ILineTarget log, long origin, int before, int got, bool reachesEnd)
    {
        Generation generation = file.Generation;
        Progress progress = generation.Read;
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(before, got - before);
        // Bytes behind the position may have been cut and written anew since they were searched, so they are searched again.
        var framer = new LineFramer(
            bytes, origin, origin > progress.Position ? origin : progress.LineBegin, progress.Part, file.Input.MaxLineBytes, file.TakeRest && reachesEnd);
        long now = SaneClock.Now(time, out bool clamped);
        PositionFlags more = clamped ? PositionFlags.TimestampClamped : PositionFlags.None;
        bool blocked = false;
        Progress covered = progress;
        RecordBatchBuilder? builder = null;
        while (!EndsInNuls(file, ref framer, progress, origin + bytes.Length) && framer.TryPeek(out FramedLine line))
        {
            if (builder is null)
            {
                if (!log.CanAccept)
                {
                    blocked = true;
                    break;
                }
                builder = log.Open.Begin(time.GetTimestamp());
            }
            ReadOnlySpan<byte> value = bytes.Slice(line.Start, line.Length);
            if (!Append(builder, file, line, now, more, progress.Position, value))
            {
                Cover(file, log, covered, progress, before, origin);
                covered = progress;
                log.CloseBatch();
                builder = null;
                continue;
            }
            TellLeftOut(file, line, progress);
            framer.Accept(line);
            progress = new Progress(
                line.End,
                framer.LineBegin,
                framer.Part,
                progress.Records + 1,
                progress.Bytes + line.Length,
                progress.Sum + RecordSum.Term(line.End, value));
        }
        Cover(file, log, covered, progress, before, origin);
        file.ScannedUntil = blocked ? 0 : origin + bytes.Length;
        return blocked;
    }

    /// <summary>
    /// Leaves out what is no text at a line's begin: a byte order mark, and a long run of NUL bytes, as a writer leaves that goes on behind the
    /// end that a truncation took. The next record covers them. True when nothing but NUL follows: a writer may have
    /// reserved it and may write there yet.
    /// </summary>
    private static bool EndsInNuls(TailedFile file, ref LineFramer framer, in Progress progress, long end)
    {
        if (progress.Position == 0 && framer.IsAtMark)
        {
            framer.Skip(LineFramer.MarkLength);
        }
        int nuls = framer.NulsAhead;
        if (nuls == framer.Left && framer.LineBegin + nuls > progress.Position)
        {
            file.NulUntil = end;
            return true;
        }
        if (nuls == 0)
        {
            return false;
        }
        if (framer.LineBegin + nuls - progress.Position >= NulsLeftOutMin)
        {
            framer.Skip(nuls);
            file.NulUntil = framer.LineBegin;
        }
        return false;
    }

    private void TellLeftOut(TailedFile file, in FramedLine line, in Progress before)
    {
        long leftOut = line.LineBegin - before.Position;
        if (leftOut >= NulsLeftOutMin)
        {
            metrics.NulBytes.Add(leftOut);
            logger.NulsLeftOut(file.Generation.Path, leftOut, before.Position);
        }
    }

    private static bool Append(
        RecordBatchBuilder builder, TailedFile file, in FramedLine line, long now, PositionFlags more, long coveredBegin, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> headers = file.Headers.For(line, more, coveredBegin);
        return file.Input.Key switch
        {
            RecordKey.Host => builder.TryAppend(now, true, file.Headers.Host, true, value, LineHeaders.Count, headers),
            RecordKey.File => builder.TryAppend(now, true, file.Headers.File, true, value, LineHeaders.Count, headers),
            _ => builder.TryAppend(now, value, LineHeaders.Count, headers),
        };
    }

    /// <summary>Notes in the open batch, and in the generation, what was added since <paramref name="from"/>.</summary>
    private void Cover(TailedFile file, ILineTarget log, in Progress from, in Progress to, int before, long origin)
    {
        if (to.Position == from.Position)
        {
            return;
        }
        int end = before + (int)(to.Position - origin);
        int length = Math.Min(end, Fingerprint.LengthMax);
        Fingerprint tail = Fingerprint.Of(_buffer.AsSpan(end - length, length));
        log.Open.Cover(file.Generation.Id, from.Position, to, tail);
        (file.Generation.Read, file.Generation.ReadTail) = (to, tail);
        metrics.Lines.Add(to.Records - from.Records);
        metrics.Bytes.Add(to.Bytes - from.Bytes);
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
