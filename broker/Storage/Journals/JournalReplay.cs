using LogPipeline.Files;
using LogPipeline.Files.Journals;
using LogPipeline.Storage.Checkpoints;

namespace LogPipeline.Storage.Journals;

/// <summary>
/// What the journal holds of each log when it is opened. Recovery asks for the batch that belongs where the segment has none; so only
/// what is missing is written, never over a batch that is there, a replay that is cut short is simply done again, and its time
/// depends on the journal's size alone. A batch behind a gap is not asked for: it was never acknowledged.
/// </summary>
internal sealed class JournalReplay
{
    private readonly JournalReader _reader;
    private readonly Dictionary<(Guid, int), LogReplay> _logs = [];

    public JournalReplay(JournalReader reader)
    {
        _reader = reader;
        Span<byte> bytes = stackalloc byte[JournalEntryHead.Size];
        foreach (JournalEntry entry in reader.Entries)
        {
            reader.Read(entry, bytes[..Math.Min(entry.Length, bytes.Length)]);
            if (!JournalEntryHead.TryRead(bytes, out JournalEntryHead head) || head.BatchLength != entry.Length - JournalEntryHead.Size)
            {
                throw new InvalidDataException(
                    $"{reader.Directory}: the entry at position {entry.Position} of file {entry.File} was not written by this program.");
            }
            (Guid, int) log = (head.TopicId, head.Partition);
            if (head.Kind == JournalEntryKind.Forget)
            {
                _logs.Remove(log);
                continue;
            }
            if (!_logs.TryGetValue(log, out LogReplay? replay))
            {
                _logs[log] = replay = new LogReplay(reader, entry.Commit);
            }
            replay.Add(head, entry);
        }
    }

    /// <summary>What there is of one log; null when there is nothing.</summary>
    public LogReplay? Of(FoundLog log) => _logs.GetValueOrDefault((log.TopicId, log.Partition));

    /// <summary>The log is recovered and durable: what the journal holds of it is not needed any more.</summary>
    public void Done(FoundLog log) => _logs.Remove((log.TopicId, log.Partition));

    /// <summary>Whether there is something of a log that was not recovered.</summary>
    public bool Has((Guid TopicId, int Partition) log) => _logs.ContainsKey(log);

    /// <summary>The oldest commit that holds bytes of a log that was not recovered; null when there is none.</summary>
    /// <param name="logs">Those that are still wanted: others were deleted.</param>
    public long? OldestLeft(IEnumerable<(Guid TopicId, int Partition)> logs) =>
        logs.Select(log => _logs.GetValueOrDefault(log)?.FirstCommit).Min();
}

/// <summary>What the journal holds of one log, by place.</summary>
internal sealed class LogReplay(JournalReader reader, long firstCommit)
{
    private readonly Dictionary<(long SegmentOffset, long Position), (int Cuts, JournalEntry Entry)> _batches = []; // the newest for each place

    public long FirstCommit => firstCommit;

    /// <summary>Batches written back.</summary>
    public int Restored { get; private set; }

    public void Add(in JournalEntryHead head, JournalEntry entry) =>
        _batches[(head.SegmentOffset, head.Position)] = (head.Cuts, entry);

    /// <summary>
    /// Writes the batch that belongs to a place of a segment's file, unless it was journaled before the log was cut last; not durable
    /// before the file is flushed.
    /// </summary>
    /// <returns>False when the journal has none for it.</returns>
    public bool TryRestore(long segmentOffset, long position, int cuts, IFile file)
    {
        if (!_batches.Remove((segmentOffset, position), out (int Cuts, JournalEntry Entry) found) || found.Cuts != cuts)
        {
            return false;
        }
        JournalEntry entry = found.Entry;
        byte[] payload = new byte[entry.Length];
        reader.Read(entry, payload);
        file.Write(payload.AsSpan(JournalEntryHead.Size), position);
        Restored++;
        return true;
    }
}
