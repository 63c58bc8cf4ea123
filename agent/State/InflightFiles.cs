using LogPipeline.Files;

namespace LogPipeline.Agent.State;

/// <summary>
/// Owns the files <c>inflight-00000001</c> …: append-only, preallocated, frames of <see cref="StateWriter"/>: entries, their acks, fences,
/// and changes of the registry. A caller that appends and then awaits <see cref="DurableAsync"/> shares one fsync with all that wait. A disk that refuses pauses everything here
/// until it takes the same bytes at the same place; nothing is sent meanwhile. Segments go when nothing in them is needed; where the disk is short of room
/// what is retained goes sooner.
/// </summary>
internal sealed class InflightFiles : IDisposable
{
    public const string Prefix = "inflight-";

    private const byte Version = 2;

    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly DiskPause _pause;
    private readonly GroupedWrite _flush;
    private readonly List<InflightSegment> _segments = [];
    private readonly SortedDictionary<TopicPartitionKey, FenceNote> _fences = [];
    private readonly List<(InflightEntry Entry, int Offset, int Length)> _placed = [];
    private StateWriter _pending = new();
    private StateWriter _writing = new();
    private IFile? _file;
    private long _position;
    private bool _closed;

    public InflightFiles(IFileSystem files, string directory, AgentOptions options, TimeProvider time, DiskPause pause)
    {
        (_files, _directory, _options, _time, _pause) = (files, directory, options, time, pause);
        _flush = new GroupedWrite(FlushAsync, pause.Fatal);
    }

    /// <summary>The number that the next entry gets.</summary>
    public long NextNumber { get; set; } = 1;

    /// <summary>Entries below this number are on disk, or were.</summary>
    public long DurableNumber { get; set; } = 1;

    /// <summary>
    /// Makes a snapshot of the registry while a write here waits for room, and returns when the one now on disk was put together. Null before all
    /// segments that were found have been read.
    /// </summary>
    public Func<Task<long>>? SnapshotForRoom { get; set; }

    /// <summary>Whether something was appended that no write took yet.</summary>
    public bool HasPending => _pending.Length > 0;

    /// <summary>Bytes of all segments.</summary>
    public long Size => _segments.Sum(s => s.Bytes);

    /// <summary>Takes over the segments that were found at start; the next write goes to a new one.</summary>
    public void Adopt(IEnumerable<InflightSegment> segments, IEnumerable<FenceNote> fences)
    {
        foreach (InflightSegment segment in segments)
        {
            // When its last ack was nobody knows any more: it is kept as long as one acked now.
            segment.LastChange = _time.GetTimestamp();
            _segments.Add(segment);
        }
        foreach (FenceNote fence in fences)
        {
            _fences[fence.Key] = fence;
        }
    }

    public void Append(InflightEntry entry)
    {
        int offset = _pending.Length;
        _pending.Begin(FrameKind.Entry);
        entry.Write(_pending);
        _placed.Add((entry, offset, _pending.End()));
    }

    /// <summary>Notes an ack; not worth an fsync of its own, since a lost note costs a question to the broker.</summary>
    public void AppendAcked(InflightEntry entry)
    {
        _pending.Begin(FrameKind.Acked);
        _pending.Int64(entry.Number);
        _pending.Int64(entry.BaseOffset);
        _pending.End();
        Release(entry);
    }

    /// <summary>The entry is acked, or others stand for it: its place may go.</summary>
    public void Release(InflightEntry entry)
    {
        entry.IsAcked = true;
        if (SegmentOf(entry.Place) is InflightSegment segment)
        {
            segment.Unacked--;
            segment.LastChange = _time.GetTimestamp();
        }
    }

    /// <summary>Notes a change of the registry.</summary>
    public void Append(in RegistryNote note) => note.Write(_pending);

    /// <summary>Notes that a producer is being shut off; holds until <see cref="EndFence"/>.</summary>
    public void AppendFence(FenceNote fence)
    {
        _fences[fence.Key] = fence;
        WriteFence(fence);
    }

    public FenceNote? FenceOf(TopicPartitionKey key) => _fences.GetValueOrDefault(key);

    /// <summary>What the fence was for is done, once all that was appended so far is durable.</summary>
    public void EndFence(TopicPartitionKey key)
    {
        if (_fences.Remove(key, out FenceNote? fence))
        {
            WriteFence(fence.Ended());
        }
    }

    /// <summary>Ends when all that was appended before the call is durable.</summary>
    public Task DurableAsync()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        return _flush.DoneAsync();
    }

    /// <summary>Reads an entry back, its batch included.</summary>
    public InflightEntry ReadBack(InflightPlace place)
    {
        using IFile file = _files.Open(PathOf(place.Segment), FileOpenMode.Read);
        byte[] bytes = new byte[place.Length];
        int read = file.ReadFully(bytes, place.Position);
        if (StateReader.TryFrame(bytes.AsSpan(0, read), out FrameKind kind, out ReadOnlySpan<byte> payload, out _) != FrameResult.Frame
            || kind != FrameKind.Entry)
        {
            throw new StateDamagedException($"{PathOf(place.Segment)}: the entry at {place.Position} changed after it was written");
        }
        var reader = new StateReader(payload);
        InflightEntry entry = InflightEntry.ReadFrom(ref reader, withBatch: true);
        entry.Place = place;
        return entry;
    }

    /// <summary>
    /// Deletes segments from the oldest on while all in them is acked, the registry on disk says so, and they are neither young
    /// nor within the bytes that are kept. Where an unacked entry would hold too much back, it is written again at the end.
    /// </summary>
    /// <param name="registryTime">When the registry now on disk was put together; in ticks of the time provider.</param>
    /// <param name="unacked">Entries not yet acked, for moving them.</param>
    public async Task TrimAsync(long registryTime, Func<int, IEnumerable<InflightEntry>> unacked)
    {
        while (_segments.Count > 1)
        {
            InflightSegment oldest = _segments[0];
            long size = Size;
            bool old = _time.GetElapsedTime(oldest.LastChange) > _options.RetainedTime;
            if (oldest.Unacked > 0 && size > _options.RetainedBytesMax + (4 * _options.UnackedBytesMax))
            {
                foreach (InflightEntry entry in unacked(oldest.Id).ToList())
                {
                    Append(entry);
                }
            }
            else if (oldest.Unacked > 0 || oldest.LastChange >= registryTime || (!old && size <= _options.RetainedBytesMax))
            {
                return;
            }
            foreach (FenceNote fence in _fences.Values)
            {
                WriteFence(fence);
            }
            await DurableAsync();
            // Moving or waiting took time: an ack that came meanwhile may be in no registry yet.
            if (oldest.Unacked > 0 || oldest.LastChange >= registryTime || _segments[0] != oldest)
            {
                return;
            }
            DeleteOldest();
        }
    }

    /// <summary>Whether segments could go, now or when they are old enough, if a snapshot were newer than what they say.</summary>
    /// <param name="registryTime">When the snapshot now on disk was put together; in ticks of the time provider.</param>
    public bool AwaitsSnapshot(long registryTime) =>
        _segments.SkipLast(1).Any(segment => segment.Unacked == 0 && segment.LastChange >= registryTime);

    /// <summary>Whether what lies there can still be read.</summary>
    public bool Holds(InflightPlace place) => SegmentOf(place) is not null;

    public void Dispose()
    {
        _closed = true;
        _file?.Dispose();
    }

    private InflightSegment? SegmentOf(InflightPlace place) => _segments.Find(s => s.Id == place.Segment);

    private string PathOf(int segment) => Path.Combine(_directory, $"{Prefix}{segment:D8}");

    private void WriteFence(FenceNote fence)
    {
        _pending.Begin(FrameKind.Fence);
        fence.Write(_pending);
        _pending.End();
    }

    private async Task FlushAsync()
    {
        (_pending, _writing) = (_writing, _pending);
        List<(InflightEntry Entry, int Offset, int Length)> placed = [.. _placed];
        _placed.Clear();
        await _pause.UntilDoneAsync(() => WriteAsync(placed));
        _position += _writing.Length;
        _writing.Clear();
    }

    private async Task WriteAsync(List<(InflightEntry Entry, int Offset, int Length)> placed)
    {
        if (_file is null || _position > _options.InflightSegmentBytes)
        {
            await MakeRoomAsync();
            Roll();
        }
        InflightSegment segment = _segments[^1];
        _file!.Write(_writing.Written, _position);
        await _file.FlushAsync();
        segment.Bytes = _position + _writing.Length;
        foreach ((InflightEntry entry, int offset, int length) in placed)
        {
            if (!entry.IsAcked)
            {
                SegmentOf(entry.Place)?.Unacked -= 1;
                segment.Unacked++;
            }
            entry.Place = new InflightPlace(segment.Id, _position + offset, length);
            entry.GroupLeft = 0;
            DurableNumber = Math.Max(DurableNumber, entry.Number + 1);
        }
    }

    /// <summary>
    /// Lets what is retained go before the disk has no room for the next segment and for the snapshots without which no segment could ever go. What is
    /// not acked yet goes when it is: until then nothing is written.
    /// </summary>
    private async Task MakeRoomAsync()
    {
        long needed = _options.InflightSegmentBytes + (_options.InflightSegmentBytes / 2);
        if (SnapshotForRoom is null || _segments.Count < 2 || _fences.Count > 0 || _files.FreeBytes(_directory) >= needed)
        {
            return;
        }
        long registryTime = long.MinValue;
        while (_segments.Count > 1 && _files.FreeBytes(_directory) < needed)
        {
            if (_segments[0].LastChange >= registryTime)
            {
                registryTime = await SnapshotForRoom();
            }
            if (_segments[0].Unacked > 0 || _segments[0].LastChange >= registryTime)
            {
                throw new IOException($"{_directory}: less than {needed >> 20} MiB are free there, which the next file of batches and the registry need");
            }
            DeleteOldest();
        }
    }

    private void DeleteOldest()
    {
        string path = PathOf(_segments[0].Id);
        _segments.RemoveAt(0);
        _files.Delete(path);
        _files.FlushDirectory(_directory);
    }

    private void Roll()
    {
        int id = _segments.Count == 0 ? 1 : _segments[^1].Id + 1;
        string path = PathOf(id);
        // It gets its name when it has its length and its header, so one that is without them lost them.
        string temporary = path + AtomicFile.TemporarySuffix;
        _files.Delete(temporary);
        IFile file = _files.Open(temporary, FileOpenMode.CreateNew);
        var header = new StateWriter();
        header.Begin(FrameKind.SegmentHeader);
        header.Byte(Version);
        header.Int32(id);
        header.Int64(DurableNumber);
        header.Int64(_options.InflightSegmentBytes);
        header.End();
        try
        {
            file.SetLength(_options.InflightSegmentBytes);
            file.Reserve(_options.InflightSegmentBytes);
            file.Write(header.Written, 0);
            file.Flush();
            _files.Rename(temporary, path);
            _files.FlushDirectory(_directory);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        if (_segments.Count > 0)
        {
            _segments[^1].LastChange = _time.GetTimestamp();
        }
        _file?.Dispose();
        _file = file;
        _position = header.Length;
        _segments.Add(new InflightSegment(id) { Bytes = header.Length, LastChange = _time.GetTimestamp() });
    }
}
