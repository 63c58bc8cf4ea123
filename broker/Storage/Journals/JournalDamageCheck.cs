using LogPipeline.Files;
using LogPipeline.Files.Journals;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Journals;

/// <summary>
/// Decides about bytes of the journal that were durable once and cannot be read: where every batch in them lies whole in its segment,
/// nothing is lost. The heads before the batches, which have checksums of their own, tell where to look.
/// </summary>
internal sealed class JournalDamageCheck(IFileSystem files, JournalReader reader, IReadOnlyCollection<FoundLog> logs)
{
    private const int FrameHeaderSize = JournalDamage.FrameHeaderSize;

    /// <exception cref="CorruptJournalException">A batch is not in its segment, or the damage hides which batches there were.</exception>
    public void RequireNothingLost()
    {
        foreach (JournalDamage damage in reader.Damages)
        {
            if (LossIn(damage) is { } loss)
            {
                throw new CorruptJournalException(damage.Path, damage.Position, loss);
            }
        }
    }

    // What would be lost in one line; null when nothing would.
    private string? LossIn(JournalDamage damage)
    {
        byte[] bytes = new byte[damage.Length];
        if (files.FileExists(damage.Path))
        {
            using IFile file = files.Open(damage.Path, FileOpenMode.Read);
            bytes = bytes[..file.ReadFully(bytes, damage.Position)];
        }
        string unknown = $"acknowledged batches of commits {damage.FirstCommit} to {damage.LastCommit} that cannot be named";
        int at = 0;
        int found = 0;
        while (at < bytes.Length)
        {
            ReadOnlySpan<byte> frame = bytes.AsSpan(at);
            if (frame.Length > FrameHeaderSize && JournalEntryHead.TryRead(frame[FrameHeaderSize..], out JournalEntryHead head))
            {
                if (LossOf(head) is { } loss)
                {
                    return loss;
                }
                at += JournalDamage.FrameSizeOf(JournalEntryHead.Size + head.BatchLength);
                found++;
            }
            else if (frame[Math.Min(frame.Length, FrameHeaderSize)..].IndexOfAnyExcept((byte)0) < 0)
            {
                return damage.FirstCommit == damage.LastCommit ? null : unknown; // the end of a commit, and nothing behind it
            }
            else
            {
                return unknown;
            }
        }
        return found > 0 && damage.FirstCommit == damage.LastCommit ? null : unknown;
    }

    private string? LossOf(JournalEntryHead head)
    {
        FoundLog? log = logs.FirstOrDefault(found => found.TopicId == head.TopicId && found.Partition == head.Partition);
        if (head.Kind == JournalEntryKind.Forget || log is null || head.Cuts != LogCuts.Read(files, log.Directory))
        {
            return null;
        }
        string path = SegmentFileName.Of(log.Directory, head.SegmentOffset, SegmentFileName.Log);
        if (!files.FileExists(path))
        {
            return null; // removed since
        }
        byte[] there = new byte[head.BatchLength];
        using IFile file = files.Open(path, FileOpenMode.Read);
        bool isThere = file.ReadFully(there, head.Position) == there.Length
            && BatchHeader.TryParse(there, out BatchHeader header)
            && header.BaseOffset == head.BaseOffset
            && header.SizeInBytes == there.Length
            && RecordBatch.CrcIsValid(there);
        return isThere ? null : $"the batch at offset {head.BaseOffset} of {log.Topic}-{log.Partition}, and what follows it there";
    }
}
