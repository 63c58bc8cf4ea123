using System.Globalization;
using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>
/// What the in-flight files say at start. A file is read up to the first frame that is neither whole nor the zeros of a preallocated
/// end, then the next one: what lies beyond may have been sent, so the logs concerned are settled by fence and scan.
/// </summary>
internal sealed class InflightContents
{
    /// <summary>By number: entries not void, without their batches.</summary>
    public SortedDictionary<long, InflightEntry> Entries { get; } = [];

    /// <summary>Entries that others stand for; they still show what was read.</summary>
    public List<InflightEntry> Replaced { get; } = [];

    public List<InflightSegment> Segments { get; } = [];

    /// <summary>Changes of the registry, oldest first.</summary>
    public List<RegistryNote> Notes { get; } = [];

    /// <summary>The newest note of each log that is not over.</summary>
    public SortedDictionary<TopicPartitionKey, FenceNote> Fences { get; } = [];

    /// <summary>Where reading stopped early; null when it did not.</summary>
    public string? Damage { get; private set; }

    public long NextNumber { get; private set; } = 1;

    /// <summary>Checks against the number that the registry saw on disk.</summary>
    public void Expect(long nextNumber)
    {
        if (NextNumber < nextNumber)
        {
            Damage ??= $"entries {NextNumber} to {nextNumber - 1} are missing";
            NextNumber = nextNumber;
        }
    }

    /// <param name="files">The disk.</param>
    /// <param name="directory">The state directory.</param>
    /// <param name="onlyLooks">Whether nothing is flushed, and files that another process deletes meanwhile are left out: nothing is relied on.</param>
    public static InflightContents Load(IFileSystem files, string directory, bool onlyLooks = false)
    {
        var contents = new InflightContents();
        var ids = new List<int>();
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (entry.Name.StartsWith(InflightFiles.Prefix, StringComparison.Ordinal)
                && int.TryParse(entry.Name.AsSpan(InflightFiles.Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                ids.Add(id);
            }
        }
        ids.Sort();
        foreach (int id in ids)
        {
            string path = Path.Combine(directory, $"{InflightFiles.Prefix}{id:D8}");
            if (contents.Segments is [.., { } last] && id != last.Id + 1)
            {
                contents.Damage ??= $"{path} does not follow number {last.Id}";
            }
            try
            {
                contents.ReadSegment(id, path, onlyLooks ? Read(files, path) : ReadDurable(files, path));
            }
            catch (FileNotFoundException) when (onlyLooks)
            {
                // The agent that runs needed it no longer.
            }
        }
        contents.DropVoid();
        return contents;
    }

    // A process that was killed leaves what it did not flush to the page cache: what is relied on from here on must outlast the host.
    private static byte[] ReadDurable(IFileSystem files, string path)
    {
        using IFile file = files.Open(path, FileOpenMode.ReadWrite);
        file.Flush();
        return Whole(file);
    }

    private static byte[] Read(IFileSystem files, string path)
    {
        using IFile file = files.Open(path, FileOpenMode.Read);
        return Whole(file);
    }

    private static byte[] Whole(IFile file)
    {
        byte[] bytes = new byte[file.Length];
        file.ReadFully(bytes, 0);
        return bytes;
    }

    private void ReadSegment(int id, string path, ReadOnlySpan<byte> bytes)
    {
        var segment = new InflightSegment(id);
        Segments.Add(segment);
        int position = 0;
        while (true)
        {
            FrameResult result = StateReader.TryFrame(bytes[position..], out FrameKind kind, out ReadOnlySpan<byte> payload, out int size);
            if (result != FrameResult.Frame)
            {
                if (result == FrameResult.Damaged || position == 0)
                {
                    Damage ??= $"{path} is not whole at byte {position}";
                }
                segment.Bytes = position;
                return;
            }
            try
            {
                Take(kind, payload, new InflightPlace(id, position, size), bytes.Length);
            }
            catch (StateDamagedException damaged)
            {
                Damage ??= $"{path} at byte {position}: {damaged.Message}";
                segment.Bytes = position;
                return;
            }
            position += size;
        }
    }

    private void Take(FrameKind kind, ReadOnlySpan<byte> payload, InflightPlace place, int fileLength)
    {
        var reader = new StateReader(payload);
        switch (kind)
        {
            case FrameKind.SegmentHeader:
                byte version = reader.Byte();
                if (version is not (1 or 2))
                {
                    throw new StateVersionException($"The agent's in-flight files are of version {version}; this agent knows versions 1 and 2.");
                }
                reader.Int32();
                NextNumber = Math.Max(NextNumber, reader.Int64());
                if (version > 1 && reader.Int64() is long made && fileLength < made)
                {
                    Damage ??= $"segment {place.Segment} has {fileLength} bytes and was made with {made}";
                }
                break;
            case FrameKind.GenerationNote or FrameKind.ForgottenNote:
                Notes.Add(RegistryNote.ReadFrom(kind, ref reader));
                break;
            case FrameKind.Entry:
                InflightEntry entry = InflightEntry.ReadFrom(ref reader, withBatch: false);
                entry.Place = place;
                if (Entries.TryGetValue(entry.Number, out InflightEntry? earlier))
                {
                    entry.IsAcked = earlier.IsAcked;
                    entry.BaseOffset = earlier.BaseOffset;
                }
                Entries[entry.Number] = entry;
                NextNumber = Math.Max(NextNumber, entry.Number + 1);
                break;
            case FrameKind.Acked:
                if (Entries.TryGetValue(reader.Int64(), out InflightEntry? acked))
                {
                    acked.IsAcked = true;
                    acked.BaseOffset = reader.Int64();
                }
                break;
            case FrameKind.Fence:
                FenceNote fence = FenceNote.ReadFrom(ref reader);
                if (fence.IsOver)
                {
                    Fences.Remove(fence.Key);
                }
                else
                {
                    Fences[fence.Key] = fence;
                }
                break;
            default:
                throw new StateDamagedException($"a frame of kind {(byte)kind} does not belong there");
        }
    }

    /// <summary>Takes out the group at the end that is not whole, and what whole groups stand for.</summary>
    private void DropVoid()
    {
        List<long> unfinished = [];
        foreach (InflightEntry entry in Entries.Values.Reverse())
        {
            // Groups are written in one piece, so only the last can be cut; its members have falling counts down to 0.
            if (entry.GroupLeft == 0 || Entries.ContainsKey(entry.Number + entry.GroupLeft))
            {
                break;
            }
            unfinished.Add(entry.Number);
        }
        unfinished.ForEach(n => Entries.Remove(n));
        foreach (InflightEntry entry in Entries.Values.ToList())
        {
            if (entry.Replaces != 0 && Entries.Remove(entry.Replaces, out InflightEntry? replaced))
            {
                Replaced.Add(replaced);
            }
        }
    }
}
