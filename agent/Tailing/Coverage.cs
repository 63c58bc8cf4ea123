using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>Accounts for what of a file is put into batches, and for the NUL bytes and byte order marks that are not.</summary>
internal sealed class Coverage(AgentMetrics metrics, ILogger logger)
{
    /// <summary>A shorter run of NUL bytes before a line is taken for a part of it.</summary>
    public const int NulsLeftOutMin = 4096;

    /// <summary>Notes in the open batch, and in the generation, what was added since <paramref name="from"/>.</summary>
    public void Note(TailedFile file, ILineTarget log, in Block block, in Progress from, in Progress to, in OmittedLines omitted = default)
    {
        if (to.Position == from.Position)
        {
            return;
        }
        Fingerprint tail = block.TailAt(to.Position);
        log.Open.Cover(file.Generation.Id, from.Position, to, tail, omitted);
        (file.Generation.Read, file.Generation.ReadTail) = (to, tail);
        metrics.Lines.Add(to.Records - from.Records);
        metrics.Bytes.Add(to.Bytes - from.Bytes);
    }

    /// <summary>
    /// Leaves out what is no text at a line's begin: a byte order mark, and a long run of NUL bytes, as a writer leaves that goes on behind the
    /// end that a truncation took. The next record covers them. True when nothing but NUL follows: a writer may have
    /// reserved it and may write there yet.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="framer">At the line's begin.</param>
    /// <param name="position">Where the last line ended.</param>
    /// <param name="end">Where the bytes end that were read.</param>
    public static bool EndsInNuls(TailedFile file, ref LineFramer framer, long position, long end)
    {
        if (position == 0 && framer.MarkAhead is > 0 and int mark)
        {
            framer.Skip(mark);
        }
        int nuls = framer.NulsAhead;
        if (nuls == framer.Left && framer.LineBegin + nuls > position)
        {
            file.NulUntil = end;
            return true;
        }
        if (nuls == 0)
        {
            return false;
        }
        if (framer.LineBegin + nuls - position >= NulsLeftOutMin)
        {
            framer.Skip(nuls);
            file.NulUntil = framer.LineBegin;
        }
        return false;
    }

    /// <summary>Tells of NUL bytes between the end of the last line and the begin of this one.</summary>
    public void TellNuls(TailedFile file, long lineBegin, long position)
    {
        long leftOut = lineBegin - position;
        if (leftOut >= NulsLeftOutMin)
        {
            metrics.NulBytes.Add(leftOut);
            logger.NulsLeftOut(file.Generation.Path, leftOut, position);
        }
    }
}
