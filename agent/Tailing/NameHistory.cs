namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What names did since the last look, as the watch tells it. A writer that rotates several times before the agent runs leaves files that had a
/// wanted name only in between: they lie under a name that no pattern matches by now, or are gone. Nothing is read or decided here.
/// </summary>
/// <param name="isWanted">Whether an input wants a file of that name.</param>
/// <param name="isFollowed">Whether the file that the name had at the last look is followed.</param>
/// <param name="time">For how long ago a change was.</param>
internal sealed class NameHistory(Func<string, bool> isWanted, Func<string, bool> isFollowed, TimeProvider time)
{
    /// <summary>For so long a name is remembered: changes come behind the disk, so that a look may find another file under it, and this one under its next.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    /// <summary>As many as the kernel keeps for a reader. Of more than that nothing is known.</summary>
    private const int ChangesMax = 16384;

    private readonly List<NameChange> _changes = [];
    private readonly Dictionary<string, PassingFile> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _fresh = new(StringComparer.Ordinal); // names that got a file since the last look
    private long _count;
    private long _sweptAt;

    /// <summary>Whether changes came since <see cref="Apply"/>.</summary>
    public bool HasChanges => _changes.Count > 0;

    /// <summary>Whether changes were missed.</summary>
    public bool HasForgotten { get; set; }

    /// <summary>Notes a change, in the order in which they happened.</summary>
    public void Note(in NameChange change)
    {
        if (_changes.Count + _files.Count >= ChangesMax)
        {
            Forget();
        }
        _changes.Add(change);
    }

    /// <summary>Changes were missed, so that what is noted proves nothing.</summary>
    public void Forget()
    {
        HasForgotten = true;
        _changes.Clear();
        _files.Clear();
        _fresh.Clear();
    }

    /// <summary>
    /// Follows the noted changes. Returns the files that had a wanted name, oldest first, and got another one; adds to <paramref name="gone"/>
    /// the wanted names of files that appeared, were not looked at, and are gone.
    /// </summary>
    public List<PassingFile> Apply(ICollection<string> gone)
    {
        HashSet<string> touched = new(StringComparer.Ordinal);
        foreach (NameChange change in _changes)
        {
            PassingFile? moved = change.From is string from ? Leave(from, touched) : null;
            if (change.To is not string to)
            {
                Vanished(moved);
                continue;
            }
            if (_files.Remove(to, out PassingFile? replaced))
            {
                Vanished(replaced);
            }
            if (change.From is null && isWanted(to) && (touched.Contains(to) || !isFollowed(to)))
            {
                moved = new PassingFile(to, IsUnseen: true, ++_count);
            }
            if (moved is not null)
            {
                _files[to] = moved with { At = time.GetTimestamp() };
                _fresh.Add(to);
            }
            touched.Add(to);
        }
        _changes.Clear();
        return [.. _fresh.Where(path => _files.TryGetValue(path, out PassingFile? file) && file.Origin != path)
            .Select(path => _files[path] with { Path = path }).OrderBy(static file => file.Number)];

        void Vanished(PassingFile? file)
        {
            if (file is { IsUnseen: true })
            {
                gone.Add(file.Origin);
            }
        }
    }

    /// <summary>A look is over, which found what lies under the names of which <paramref name="isThere"/> is true. Forgets what was long ago.</summary>
    public void Seen(Func<string, bool> isThere)
    {
        foreach (string path in _fresh)
        {
            if (_files.TryGetValue(path, out PassingFile? file) && file.IsUnseen && isThere(path))
            {
                _files[path] = file with { IsUnseen = false };
            }
        }
        if (_files.Count > 0 && time.GetElapsedTime(_sweptAt) >= Remembered)
        {
            _sweptAt = time.GetTimestamp();
            foreach (string path in _files.Where(file => time.GetElapsedTime(file.Value.At) >= Remembered).Select(static file => file.Key).ToList())
            {
                _files.Remove(path);
            }
        }
        _fresh.Clear();
    }

    /// <summary>The file that leaves a name, if it is one that a look may not have seen under a wanted one.</summary>
    private PassingFile? Leave(string path, HashSet<string> touched)
    {
        touched.Add(path);
        return _files.Remove(path, out PassingFile? file) ? file
            : isWanted(path) ? new PassingFile(path, IsUnseen: false, ++_count) : null;
    }
}

/// <summary>A file that a look may have missed under the name for which it is wanted.</summary>
/// <param name="Origin">That name.</param>
/// <param name="IsUnseen">Whether it appeared after the last look, so that none has seen it.</param>
/// <param name="Number">The order in which such files came.</param>
internal sealed record PassingFile(string Origin, bool IsUnseen, long Number)
{
    /// <summary>The name that it has now.</summary>
    public string Path { get; init; } = Origin;

    /// <summary>When it got that name, in ticks of the time provider.</summary>
    public long At { get; init; }
}
