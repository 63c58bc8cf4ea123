using LogPipeline.Files;
using LogPipeline.Files.Journals;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Storage.Journals;

/// <summary>
/// One journal for all logs of a data directory. Small appends of any partition become durable by one sync of one file; their
/// segments get the same bytes at once, without a sync, and are synced behind (CommitJournal.Syncing.cs) before the journal's space
/// is used again. It can turn itself off: then every log syncs its own segment for each append, and what the journal holds is kept
/// for the next start.
/// </summary>
internal sealed partial class CommitJournal : IJournalOwner, IDisposable
{
    private const string DirectoryName = "journal";
    private const int Files = 4;
    private const int CommitAtOnceBytes = 512 << 10; // what a disk writes in the time that a sync takes anyway

    private readonly Lock _gate = new(); // guards what follows; taken inside a log's lock, never around one
    private readonly IFileSystem _files;
    private readonly DataDirectoryOptions _options;
    private readonly JournalOptions _journalOptions;
    private readonly ILogger _logger;
    private readonly string _directory;
    private readonly Queue<PendingCommit> _uncommitted = new(); // oldest first: one being told of, one under way, one that waits
    private readonly Action _commit;
    private readonly Stack<PendingCommit> _spare = new();
    private PendingCommit? _newest; // the last one of _uncommitted, or one that is done
    private JournalReader? _reader; // until the new life begins
    private Random? _random;
    private int _restored;
    private HashSet<(Guid TopicId, int Partition)> _kept = []; // logs that were not recovered, with batches in the journal
    private JournalReplay? _replay;
    private Journal? _journal;
    private TaskCompletionSource? _idle;
    private bool _isOff = true;

    /// <summary>Why it turned itself off; null while it works. Any thread may read it.</summary>
    public string? Problem { get; private set; }

    private CommitJournal(IFileSystem files, string directory, DataDirectoryOptions options, ILogger logger)
    {
        (_files, _directory, _options, _logger) = (files, directory, options, logger);
        _commit = () => _journal!.Commit();
        _journalOptions = new JournalOptions
        {
            Checksum = Crc32C.Compute,
            FileBytes = JournalOptions.FileBytesOf(options.JournalBytes, Files),
            FilesMax = Files,
        };
    }

    /// <summary>Where the journal of a data directory lies.</summary>
    public static string DirectoryOf(string dataDirectory) => $"{dataDirectory}/{DirectoryName}";

    /// <summary>Returns a journal that takes nothing: for a log that syncs each append in its own segment.</summary>
    public static CommitJournal Off(IFileSystem files, string dataDirectory, DataDirectoryOptions options, ILogger logger) =>
        new(files, DirectoryOf(dataDirectory), options, logger);

    /// <summary>Reads what the last life left. Call <see cref="Recovered"/> for each log, then <see cref="Begin"/>.</summary>
    /// <exception cref="CorruptJournalException">Acknowledged batches cannot be read, and the segments do not hold them either.</exception>
    /// <exception cref="InvalidDataException">The journal's header is damaged or missing.</exception>
    public static CommitJournal Read(
        IFileSystem files, string dataDirectory, IReadOnlyCollection<FoundLog> logs, DataDirectoryOptions options, ILogger logger)
    {
        var journal = new CommitJournal(files, DirectoryOf(dataDirectory), options, logger);
        JournalReader reader = JournalReader.Open(files, journal._directory, Crc32C.Compute);
        journal._reader = reader;
        try
        {
            new JournalDamageCheck(files, reader, logs).RequireNothingLost();
            journal._replay = new JournalReplay(reader);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
        return journal;
    }

    /// <summary>What the last life left of a log, for its recovery; null when there is nothing.</summary>
    public LogReplay? ReplayOf(FoundLog log) => _replay?.Of(log);

    /// <summary>The log was recovered and is durable. What was left of one that could not be recovered is kept.</summary>
    public void Recovered(FoundLog log)
    {
        _restored += _replay?.Of(log)?.Restored ?? 0;
        _replay?.Done(log);
    }

    /// <summary>Whether batches of a log that was not recovered are kept for the next start.</summary>
    public bool Keeps(FoundLog log) => _kept.Contains((log.TopicId, log.Partition));

    /// <summary>Begins a new life, in which nothing that was replayed counts any more.</summary>
    /// <param name="logs">Those that should be here. What was not replayed of one of them is kept, of others it is void.</param>
    /// <param name="random">For the life's id.</param>
    /// <exception cref="IOException">The disk refused, and what was replayed would count again.</exception>
    public void Begin(IEnumerable<(Guid TopicId, int Partition)> logs, Random random)
    {
        JournalReader found = _reader!;
        try
        {
            List<(Guid TopicId, int Partition)> wanted = [.. logs];
            long? left = _replay!.OldestLeft(wanted);
            _kept = [.. wanted.Where(log => _replay.Has(log))];
            _pinnedCommit = left ?? long.MaxValue;
            _random = random;
            _isOff = false;
            if (found.IsNew)
            {
                return; // a directory that takes no small batch has no journal
            }
            _journal = Journal.Open(_files, found, left - 1 ?? found.LastCommit, _journalOptions, random, this);
        }
        catch (IOException e) when (found.Entries.Count == 0)
        {
            // There is nothing in it that would have to be made void.
            _isOff = true;
            Problem = e.Message;
            Log.JournalOff(_logger, _directory, e);
        }
        if (found.Entries.Count > 0)
        {
            Log.Replayed(_logger, _directory, found.Entries.Count, _restored);
        }
        found.Dispose();
        (_reader, _replay) = (null, null);
    }

    /// <summary>
    /// Adds a batch that was written to its segment to the commit that waits; <see cref="Commit"/> makes it begin. Called under the
    /// log's lock, so that a log's batches are journaled in offset order.
    /// </summary>
    /// <returns>False when the batch has to be synced in its segment: it is large, the journal is full, or off.</returns>
    public bool TryAppend(JournaledLog log, in BatchHeader header, LogEnd end, ReadOnlySpan<byte> batch)
    {
        if (batch.Length > _options.JournalAppendBytesMax)
        {
            return false;
        }
        PartitionLog its = log.Log;
        Span<byte> head = stackalloc byte[JournalEntryHead.Size];
        new JournalEntryHead(
            JournalEntryKind.Batch, its.TopicId, its.Partition, header.LeaderEpoch, header.BaseOffset, end.Segment.BaseOffset,
            (int)(end.Position - batch.Length), batch.Length, end.Cuts).Write(head);
        lock (_gate)
        {
            if (_isOff || !IsOpen() || !_journal!.TryAppend(head, batch, out long commit))
            {
                return false;
            }
            Note(log, commit, end);
            return true;
        }
    }

    /// <summary>Earlier entries of this log do not count any more, as soon as anything later does.</summary>
    public void Forget(JournaledLog log)
    {
        Span<byte> head = stackalloc byte[JournalEntryHead.Size];
        new JournalEntryHead(JournalEntryKind.Forget, log.Log.TopicId, log.Log.Partition, 0, 0, 0, 0, 0, 0).Write(head);
        lock (_gate)
        {
            if (!_isOff && log.Appends > 0 && _journal!.TryAppend(head, default, out long commit))
            {
                PendingOf(commit);
            }
        }
    }

    /// <summary>
    /// Begins a commit of what waits, unless one is under way: at the end of the calling thread's turn, so that one commit takes all that
    /// the turn appends, or at once when much waits.
    /// </summary>
    public void Commit()
    {
        if (Volatile.Read(ref _isOff) || _journal is not { } journal)
        {
            return;
        }
        if (journal.PendingBytes >= CommitAtOnceBytes)
        {
            journal.Commit();
        }
        else
        {
            Turn.AtEnd(_commit);
        }
    }

    /// <summary>Ends cleanly: all logs were closed before, so that nothing has to be replayed.</summary>
    public async Task CloseAsync()
    {
        Task? idle = null;
        lock (_gate)
        {
            if (_uncommitted.Count > 0 || _isPassing)
            {
                _idle = new TaskCompletionSource();
                idle = _idle.Task;
            }
        }
        if (idle is not null)
        {
            await idle;
        }
        bool isSafe;
        lock (_gate)
        {
            isSafe = !_isOff && _journal is not null && _pinnedCommit == long.MaxValue && _unsynced.TrueForAll(static log => log.UnsyncedSince == 0);
            _isOff = true;
        }
        if (isSafe)
        {
            try
            {
                _journal!.Trim(_journal.DurableCommit);
                _journal.Close();
            }
            catch (IOException e)
            {
                Log.CheckpointRefused(_logger, _directory, e);
            }
        }
        Dispose();
    }

    /// <summary>Lets go of the files as they are.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOff = true;
            _isDisposed = true;
        }
        _reader?.Dispose();
        _journal?.Dispose();
    }

    // Under _gate. Whether there is a journal; the first small batch makes it.
    private bool IsOpen()
    {
        if (_journal is null)
        {
            try
            {
                _journal = Journal.Open(_files, _reader!, 0, _journalOptions, _random!, this);
            }
            catch (IOException e)
            {
                _isOff = true;
                Problem = e.Message;
                Log.JournalOff(_logger, _directory, e);
            }
        }
        return _journal is not null;
    }

    private void Note(JournaledLog log, long commit, LogEnd end)
    {
        PendingCommit pending = PendingOf(commit);
        if (log.PendingCommit == commit)
        {
            pending.Ends[log.PendingIndex] = (log, end);
        }
        else
        {
            (log.PendingCommit, log.PendingIndex) = (commit, pending.Ends.Count);
            pending.Ends.Add((log, end));
        }
        log.Appends++;
        if (log.UnsyncedSince == 0)
        {
            log.UnsyncedSince = commit;
        }
        if (!log.IsListed)
        {
            log.IsListed = true;
            _unsynced.Add(log);
        }
    }

    // Under _gate. Who waits until no commit and no pass is under way or owed, once that is so.
    private TaskCompletionSource? TakeIdle()
    {
        TaskCompletionSource? idle = _uncommitted.Count == 0 && !_isPassing ? _idle : null;
        _idle = idle is null ? _idle : null;
        return idle;
    }

    private PendingCommit PendingOf(long commit)
    {
        if (_newest is { } newest && newest.Number == commit)
        {
            return newest;
        }
        _newest = _spare.TryPop(out PendingCommit? spare) ? spare : new PendingCommit();
        _newest.Number = commit;
        _uncommitted.Enqueue(_newest);
        return _newest;
    }

    /// <summary>How far each log that has batches in one commit reaches once that commit is durable.</summary>
    private sealed class PendingCommit
    {
        public long Number { get; set; }

        public List<(JournaledLog Log, LogEnd End)> Ends { get; } = [];
    }
}
