using System.Buffers;
using System.Text.Json;
using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// One transaction: appends beyond the committed lengths, and a copy of the manifest that becomes the committed one. Holds the
/// store's turn until it is disposed.
/// </summary>
internal sealed class FileFlush(FileStore store, Manifest next) : ISinkFlush
{
    private const int ChunkBytes = 256 << 10;
    private const int OpenMax = 64;

    private readonly SortedDictionary<string, IFile> _open = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _new = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _newDirectories = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _packed = new();
    private bool _committed;
    private bool _ended;

    public ValueTask<IReadOnlyList<SourceState>> ReadSourcesAsync(IReadOnlyList<Source> sources, CancellationToken cancellation)
    {
        var states = new List<SourceState>(sources.Count);
        foreach (Source source in sources)
        {
            if (!next.Sources.TryGetValue(source.Key, out SourceFact? fact))
            {
                fact = new SourceFact(next.Sources.Count + 1, source.Host, source.File, "{}", 0);
                next.Set(source.Key, fact);
            }
            states.Add(new SourceState(fact.Id, source, fact.Version, RangeText.Parse(fact.Stored)));
        }
        return ValueTask.FromResult<IReadOnlyList<SourceState>>(states);
    }

    public ValueTask CopyRowsAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation)
    {
        store.Guard(() =>
        {
            Append(next.Logs.Find(l => l.Id == logId)!.Log, rows);
            return true;
        });
        return default;
    }

    public ValueTask<int> UpdateLedgerAsync(LedgerUpdate update, CancellationToken cancellation)
    {
        int at = next.Logs.FindIndex(l => l.Id == update.LogId && l.Owner == update.Owner && l.NextOffset == update.Expected);
        if (at >= 0)
        {
            next.Logs[at] = next.Logs[at] with { NextOffset = update.Next, LeaderEpoch = update.LeaderEpoch };
        }
        return ValueTask.FromResult(at < 0 ? 0 : 1);
    }

    public ValueTask<int> UpdateSourcesAsync(IReadOnlyList<SourceState> sources, CancellationToken cancellation)
    {
        int updated = 0;
        foreach (SourceState state in sources)
        {
            SourceKey key = state.Source.Key;
            if (!next.Sources.TryGetValue(key, out SourceFact? fact) || fact.Version != state.Version)
            {
                continue;
            }
            next.Set(key, fact with { Stored = RangeText.Format(state.Stored), Version = fact.Version + 1 });
            updated++;
        }
        return ValueTask.FromResult(updated);
    }

    public ValueTask WriteDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellation)
    {
        foreach (DeadLetter letter in letters)
        {
            AppendJson("dead-letters.jsonl", json =>
            {
                json.WriteNumber("log", letter.LogId);
                json.WriteNumber("log_offset", letter.Offset);
                json.WriteString("time", letter.Time);
                json.WriteString("state", letter.State);
                json.WriteString("reason", letter.Reason);
                json.WriteBase64String("value", letter.Value.Span);
            });
        }
        return default;
    }

    public ValueTask WriteGapAsync(LedgerGap gap, CancellationToken cancellation)
    {
        AppendJson("gaps.jsonl", json =>
        {
            json.WriteNumber("log", gap.LogId);
            json.WriteNumber("from_offset", gap.From);
            json.WriteNumber("to_offset", gap.To);
            json.WriteString("found", gap.Found);
            json.WriteString("reason", gap.Reason);
        });
        return default;
    }

    public async ValueTask CommitAsync(CancellationToken cancellation)
    {
        try
        {
            foreach ((string name, IFile file) in _open)
            {
                await file.FlushAsync();
                RequireWhole(file, next.Lengths[name]);
            }
        }
        catch (IOException error)
        {
            throw new StoreUnavailableException($"files directory {store.Root}: {error.Message}", error);
        }
        store.Guard(() =>
        {
            foreach (string directory in _newDirectories)
            {
                store.FileSystem.FlushDirectory(directory);
            }
            store.Replace(next);
            return true;
        });
        _committed = true;
    }

    public ValueTask RollbackAsync(CancellationToken cancellation) => DisposeAsync();

    public ValueTask DisposeAsync()
    {
        if (_ended)
        {
            return default;
        }
        _ended = true;
        foreach (IFile file in _open.Values)
        {
            file.Dispose();
        }
        store.End(_committed);
        return default;
    }

    private void Append(LogIdentity log, RowBatch rows)
    {
        rows.RequireParsed(store.Parser.Columns.Count);
        var pending = new SortedDictionary<string, ArrayBufferWriter<byte>>(StringComparer.Ordinal);
        var paths = new RowPaths(store.Paths, log, rows, store.VersionOfNames(next));
        Span<Row> all = rows.Rows;
        for (int i = 0; i < all.Length; i++)
        {
            ref readonly Row row = ref all[i];
            if (row.State != RowState.Store)
            {
                continue;
            }
            string name = paths.Of(row);
            if (!pending.TryGetValue(name, out ArrayBufferWriter<byte>? bytes))
            {
                pending.Add(name, bytes = new ArrayBufferWriter<byte>(ChunkBytes / 4));
            }
            store.Format.Write(bytes, log, rows, i);
            if (bytes.WrittenCount >= ChunkBytes)
            {
                NoteNew(pending.Keys);
                Write(name, bytes.WrittenSpan);
                bytes.ResetWrittenCount();
            }
        }
        NoteNew(pending.Keys);
        foreach ((string file, ArrayBufferWriter<byte> bytes) in pending.Where(p => p.Value.WrittenCount > 0))
        {
            Write(file, bytes.WrittenSpan);
        }
    }

    /// <summary>Before a file that the manifest does not know has a byte, a note says that it is to be removed unless this flush is committed.</summary>
    private void NoteNew(IEnumerable<string> names)
    {
        int noted = _new.Count;
        _new.UnionWith(names.Where(name => !next.Lengths.ContainsKey(name)));
        if (_new.Count > noted)
        {
            store.NoteNew(_new);
        }
    }

    /// <summary>Adds rows to a file of them.</summary>
    private void Write(string name, ReadOnlySpan<byte> bytes)
    {
        OpenFile(name);
        if (next.Lengths[name] == 0 && store.Format.Header.Length > 0)
        {
            AppendTo(name, store.Compression.Pack(store.Format.Header, _packed));
        }
        AppendTo(name, store.Compression.Pack(bytes, _packed));
    }

    private void AppendTo(string name, ReadOnlySpan<byte> bytes)
    {
        IFile file = OpenFile(name);
        long length = next.Lengths[name];
        RequireWhole(file, length);
        file.Write(bytes, length);
        next.SetLength(name, length + bytes.Length);
    }

    private IFile OpenFile(string name)
    {
        if (_open.TryGetValue(name, out IFile? open))
        {
            return open;
        }
        if (_open.Count == OpenMax)
        {
            SyncOpenFiles();
        }
        (IFile file, long length) = Open(name, next.Lengths.TryGetValue(name, out long known) ? known : 0);
        next.SetLength(name, length);
        _open.Add(name, file);
        return file;
    }

    /// <summary>Rows of very many hosts or days: their files are synced and closed before others are opened.</summary>
    private void SyncOpenFiles()
    {
        foreach ((string name, IFile file) in _open)
        {
            file.Flush();
            RequireWhole(file, next.Lengths[name]);
            file.Dispose();
        }
        _open.Clear();
    }

    /// <summary>Opens a file to append; where it was moved away or cut, what is there is what it begins with.</summary>
    private (IFile File, long Length) Open(string name, long length)
    {
        string path = Path.Combine(store.Root, name);
        string directory = Path.GetDirectoryName(path)!;
        long? found = store.FileSystem.Stat(path)?.Length;
        if ((found ?? 0) < length)
        {
            length = store.BeginAnew(name, length, found);
            next.Take(name, store.Manifest);
        }
        if (length == 0)
        {
            store.FileSystem.CreateDirectory(directory);
            _newDirectories.Add(directory);
        }
        IFile file = store.FileSystem.Open(path, FileOpenMode.ReadWrite);
        if (file.Length > length)
        {
            file.SetLength(length); // never committed, or left by others under a name that is the sink's
        }
        Span<byte> last = stackalloc byte[1];
        if (length > 0 && store.IsText(name) && file.Read(last, length - 1) == 1 && last[0] != (byte)'\n')
        {
            file.Write("\n"u8, length++); // cut within a line
        }
        return (file, length);
    }

    /// <exception cref="StoreUnavailableException">The file was cut since it was opened: written on, it would have a hole of NULs. The next flush begins it anew.</exception>
    private static void RequireWhole(IFile file, long length)
    {
        if (file.Length < length)
        {
            throw new StoreUnavailableException($"{file.Path} was cut while it was written.");
        }
    }

    /// <summary>Adds a line to a file that is of no format.</summary>
    private void AppendJson(string name, Action<Utf8JsonWriter> write) => store.Guard(() =>
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        NoteNew([name]);
        AppendTo(name, stream.ToArray());
        return true;
    });
}
