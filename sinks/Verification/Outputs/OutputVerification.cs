using LogPipeline.Files;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Files.Parts;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>
/// Compares topic and files of a file sink: the topic's records are rendered anew, by the parser, format and path that the manifest notes for their
/// offsets, and must come to the lines that each file has up to its committed length. Reads only.
/// </summary>
/// <remarks>
/// First each file is reduced to the number, sum and order of its lines' hashes, on both sides, which takes the same memory however large it is.
/// Only what is not the same is looked into line by line.
/// </remarks>
internal sealed class OutputVerification(SinkOptions options, TopicSide topic, IFileSystem files, long sliceLines)
{
    private readonly SortedDictionary<string, OutputFile> _outputs = new(StringComparer.Ordinal);
    private readonly Dictionary<int, PinnedLog> _logs = [];
    private readonly List<OutputPart> _plan = [];
    private readonly Dictionary<string, List<OutputFile>> _parts = []; // by where their rows were staged
    private readonly Dictionary<string, IFile> _staged = []; // opened with the manifest: a sink that publishes them meanwhile removes their names
    private ShortenedLogs _shortened = new(areApart: false);

    private string Root => options.Files!.Directory;

    public async Task<VerifyReport> RunAsync(string clusterId, Action<long>? progress, CancellationToken cancellation)
    {
        try
        {
            return await VerifyAsync(PinManifest(), clusterId, progress, cancellation);
        }
        finally
        {
            CloseStaged();
        }
    }

    private async Task<VerifyReport> VerifyAsync(Manifest? manifest, string clusterId, Action<long>? progress, CancellationToken cancellation)
    {
        LedgerEntry[] entries = manifest is null ? [] : [.. manifest.Logs.Where(log => log.Log.Sink == options.Name && log.Log.ClusterId == clusterId).OrderBy(log => log.Log.Topic).ThenBy(log => log.Log.Partition)];
        PinnedLog[] pinned = [.. entries.Select(entry => new PinnedLog(entry.Id, entry.Log.TopicId, entry.Log.Topic, entry.Log.Partition, entry.NextOffset))];
        await topic.NoteBacklogAsync(options, pinned, cancellation);
        if (pinned.Length == 0)
        {
            topic.Notes.Add($"the manifest of sink {options.Name} in {Root} knows nothing of cluster {clusterId}: has the sink run?");
            return Report();
        }
        foreach ((string name, long length) in manifest!.Lengths.Where(file => !file.Key.EndsWith(".jsonl", StringComparison.Ordinal)))
        {
            var file = new OutputFile(name, length, FoundLength(name), manifest.FreshStarts.GetValueOrDefault(name) ?? []) { Part = manifest.Parts.GetValueOrDefault(name) };
            _outputs.Add(name, file);
            if (file.Part is { } part)
            {
                (_parts.TryGetValue(part.Staged, out List<OutputFile>? others) ? others : _parts[part.Staged] = []).Add(file);
            }
        }
        await PlanAsync(manifest, pinned, cancellation);
        await ExpectAsync(clusterId, progress, cancellation);
        foreach (OutputFile file in _outputs.Values)
        {
            await ReadAsync(file, (stretch, _, line) => stretch.Lines.Add(line), cancellation);
        }
        await topic.FindHolesAsync(cancellation);
        await CompareAsync(clusterId, cancellation);
        return Report();
    }

    /// <summary>The committed manifest and, opened, the staged files that it counts.</summary>
    private Manifest? PinManifest()
    {
        for (int attempt = 0; ; attempt++)
        {
            Manifest? manifest = ReadManifest();
            if (OpenStaged(manifest) || attempt == 3)
            {
                return manifest;
            }
            CloseStaged();
        }
    }

    /// <summary>False where one was published meanwhile.</summary>
    private bool OpenStaged(Manifest? manifest)
    {
        foreach (string name in manifest?.Lengths.Keys.Where(StagedFormat.IsStaged).Where(name => files.FileExists(Path.Combine(Root, name))) ?? [])
        {
            try
            {
                _staged.Add(name, files.Open(Path.Combine(Root, name), FileOpenMode.Read));
            }
            catch (FileNotFoundException)
            {
                return false;
            }
        }
        return _staged.Count == 0 || ReadManifest()!.Parts.Count == manifest!.Parts.Count;
    }

    private void CloseStaged()
    {
        foreach (IFile file in _staged.Values)
        {
            file.Dispose();
        }
        _staged.Clear();
    }

    private long? FoundLength(string name) => _staged.TryGetValue(name, out IFile? staged) ? staged.Length : files.Stat(Path.Combine(Root, name))?.Length;

    private FileView Open(OutputFile file) => _staged.TryGetValue(file.Name, out IFile? staged)
        ? new FileView(staged, file.Readable, leaveOpen: true) : new FileView(files.Open(Path.Combine(Root, file.Name), FileOpenMode.Read), file.Readable);

    /// <summary>The committed manifest; a sink that writes it meanwhile may be between its two files.</summary>
    private Manifest? ReadManifest()
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return FileStore.Committed(files, Root);
            }
            catch (StoreRefusedException) when (attempt < 3)
            {
                continue;
            }
        }
    }

    /// <summary>Which offsets can be compared, and how they were written.</summary>
    private async Task PlanAsync(Manifest manifest, PinnedLog[] pinned, CancellationToken cancellation)
    {
        OutputForm?[] forms = [.. manifest.Versions.Select((_, version) => OutputForm.Of(manifest, version, options))];
        _shortened = new ShortenedLogs(areApart: forms.All(form => form is { Paths.UsesLog: true }));
        foreach (PinnedLog log in pinned)
        {
            _logs.Add(log.Id, log);
            if (await topic.ExtentAsync(log, cancellation) is not var (start, end))
            {
                _shortened.BeginsLater(log.TopicPartition);
                continue;
            }
            if (end < log.NextOffset)
            {
                _shortened.EndsEarlier(log.TopicPartition);
            }
            Plan(log, manifest, forms, start, end);
        }
    }

    private void Plan(PinnedLog log, Manifest manifest, OutputForm?[] forms, long start, long end)
    {
        long unknownBelow = 0;
        for (int version = 0; version < forms.Length; version++)
        {
            long from = manifest.Versions[version].From.GetValueOrDefault(log.Id);
            long to = version + 1 < forms.Length ? manifest.Versions[version + 1].From.GetValueOrDefault(log.Id) : end;
            if (from < start && from < to)
            {
                _shortened.BeginsLater(log.TopicPartition);
            }
            (from, to) = (Math.Max(from, start), Math.Min(to, end));
            if (from >= to)
            {
                continue;
            }
            if (forms[version] is { } form)
            {
                _plan.Add(new OutputPart(log, from, to, form));
                continue;
            }
            unknownBelow = to;
            _shortened.BeginsLater(log.TopicPartition);
        }
        if (unknownBelow > 0)
        {
            topic.Notes.Add($"{log.TopicPartition}: offsets below {unknownBelow} were written with another parser, whose settings are no longer configured: what the files have of them is not compared");
        }
    }

    private async Task ExpectAsync(string clusterId, Action<long>? progress, CancellationToken cancellation)
    {
        var rows = new ExpectedRows(topic, options.Name, clusterId);
        long expected = 0;
        foreach (OutputPart part in _plan)
        {
            await rows.WalkAsync(part, (records, index) => topic.Add(part.Log, records, index), (in ExpectedRow row, OutputForm form, IReadOnlyList<ulong> lines) =>
            {
                OutputStretch stretch = StretchOf(row, form);
                foreach (ulong line in lines)
                {
                    stretch.Expect(row.Log.Id, line);
                }
                if (++expected % 4096 == 0)
                {
                    progress?.Invoke(expected);
                }
            }, cancellation);
        }
        if (rows.Unwanted > 0)
        {
            topic.Notes.Add($"{rows.Unwanted} records are left out by the sink's where");
        }
    }

    /// <summary>Where a row's lines are: a published part has all rows between its first offset of a log and its last.</summary>
    private OutputStretch StretchOf(in ExpectedRow row, OutputForm? form)
    {
        (PinnedLog log, long offset) = (row.Log, row.Offset);
        OutputFile? part = _parts.GetValueOrDefault(row.Path)?.FindLast(file => file.Part!.Has(log.Id, log.TopicPartition.ToString(), offset));
        return (part ?? OutputOf(row.Path, form)).StretchOf(log.Id, offset);
    }

    private OutputFile OutputOf(string path, OutputForm? form)
    {
        if (!_outputs.TryGetValue(path, out OutputFile? file))
        {
            _outputs.Add(path, file = new OutputFile(path, 0, null, []));
        }
        if (file.Header.Length == 0 && form?.Format.Header.Length > 0)
        {
            file.Header = form.Format.Header.ToArray();
        }
        return file;
    }

    private Task ReadAsync(OutputFile file, LineHashes.Visitor visit, CancellationToken cancellation) => file.Readable == 0 ? Task.CompletedTask : LineHashes.OfFileAsync(
        file, () => Open(file), visit, cancellation);

    private async Task CompareAsync(string clusterId, CancellationToken cancellation)
    {
        var different = new List<StretchDifference>();
        var findings = new OutputFindings(topic, Root);
        foreach (OutputStretch stretch in _outputs.Values.SelectMany(file => file.Stretches).Where(stretch => !stretch.IsSame))
        {
            IReadOnlyList<int>? firstOf = _shortened.FirstOf(stretch, _logs);
            if (stretch.Lines.Count == 0 && stretch.MayBeCut && stretch.File.Damage is null)
            {
                findings.NoteMoved(stretch);
            }
            else if (stretch.Expected.Count == 0 && firstOf is null)
            {
                findings.NoteGone(stretch, stretch.Lines.Count);
            }
            else
            {
                different.Add(new StretchDifference(stretch, firstOf));
            }
        }
        if (different.Count > 0)
        {
            await new OutputDifferences(different, visit => WalkAsync(clusterId, visit, cancellation), (file, visit) => ReadAsync(file, visit, cancellation))
                .FindAsync(row => StretchOf(row, null), sliceLines);
            different.ForEach(difference => findings.Add(difference, !_shortened.IsEmpty));
        }
        foreach (OutputFile file in _outputs.Values.Where(file => file is { Damage: not null, IsShort: false }))
        {
            findings.AddDamage(file);
        }
        findings.AddNotes();
    }

    private async Task WalkAsync(string clusterId, ExpectedRows.Visitor visit, CancellationToken cancellation)
    {
        var rows = new ExpectedRows(topic, options.Name, clusterId);
        foreach (OutputPart part in _plan)
        {
            await rows.WalkAsync(part, null, visit, cancellation);
        }
    }

    private VerifyReport Report()
    {
        topic.CloseFiles();
        return new VerifyReport
        {
            Findings = topic.Findings,
            Generations = [],
            Outputs = [.. _outputs.Values.Select(file => new OutputSummary(
                file.Name, file.Stretches.Sum(stretch => stretch.Expected.Count), file.Stretches.Sum(stretch => stretch.Lines.Count), file.Stretches.All(stretch => stretch.IsSame), file.IsWrong))],
            Notes = topic.Notes,
            HasAlikeGenerations = false,
            RowsCompared = _outputs.Values.Sum(file => file.Stretches.Sum(stretch => stretch.Lines.Count)),
        };
    }
}
