using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using LogPipeline.Sinks.Files.Parts;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// The ledger of a file sink and what of its files is committed. A value: a flush works on a copy, which shares what it does not change.
/// </summary>
/// <remarks>
/// Days and sources only grow in number, and a flush touches few: <c>manifest.json</c> holds all of them as of some revision, and
/// <c>manifest.changes.json</c> the logs and those that changed since. A commit replaces one of the two files as a whole (written beside,
/// synced, renamed, directory synced), so it is always one of two whole versions. Changes of an earlier revision are in the manifest already.
/// </remarks>
internal sealed record Manifest
{
    public const string FileName = "manifest.json";

    public const string ChangesFileName = "manifest.changes.json";

    private const int Version = 2;

    /// <summary>Of a manifest with several configurations: a program that does not know them would add rows to files of other columns.</summary>
    private const int VersionOfSeveral = 3;

    public required Guid LedgerId { get; init; }

    public required string ConfigHash { get; init; }

    /// <summary>The configurations that rows were made with, the present one last; empty where an earlier program made the manifest.</summary>
    public ImmutableList<FilesVersion> Versions { get; init; } = [];

    /// <summary>Counts how often all of it was written; -1 when it never was in this version.</summary>
    public long Revision { get; init; } = -1;

    public List<LedgerEntry> Logs { get; init; } = [];

    /// <summary>By sink-wide key; the state's ranges are text.</summary>
    public ImmutableSortedDictionary<SourceKey, SourceFact> Sources { get; private set; } = ImmutableSortedDictionary<SourceKey, SourceFact>.Empty;

    /// <summary>Committed length by path below the directory; bytes beyond it are cut.</summary>
    public ImmutableSortedDictionary<string, long> Lengths { get; private set; } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>Of files that somebody moved away or cut, by path: where they went on, in the order of places.</summary>
    public ImmutableSortedDictionary<string, ImmutableList<FreshStart>> FreshStarts { get; private set; } = ImmutableSortedDictionary.Create<string, ImmutableList<FreshStart>>(StringComparer.Ordinal);

    /// <summary>Published Parquet files, by path.</summary>
    public ImmutableSortedDictionary<string, FilePart> Parts { get; private set; } = ImmutableSortedDictionary.Create<string, FilePart>(StringComparer.Ordinal);

    private ImmutableSortedSet<SourceKey> ChangedSources { get; set; } = [];

    private ImmutableSortedSet<string> ChangedLengths { get; set; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>What changed since the revision.</summary>
    public int ChangeCount => ChangedSources.Count + ChangedLengths.Count;

    public Manifest Copy() => this with { Logs = [.. Logs] };

    /// <summary>The same facts as a new revision without changes.</summary>
    public Manifest Folded() => this with { Revision = Revision + 1, ChangedSources = ChangedSources.Clear(), ChangedLengths = ChangedLengths.Clear() };

    /// <summary>Whether rows are made so at present.</summary>
    public bool IsWrittenAs(FilesVersion version) => ConfigHash == version.ConfigHash && !Versions.IsEmpty && Versions[^1].Output == version.Output;

    /// <summary>The same facts, for rows that are made with another configuration from now on.</summary>
    public Manifest Changed(FilesVersion to)
    {
        if (ConfigHash == to.ConfigHash && Versions.Count <= 1 && Versions.All(version => version.Output is null))
        {
            // An earlier program did not note the output: it is taken for the present one.
            return this with { Versions = [to with { Since = Versions.FirstOrDefault()?.Since }] };
        }
        FilesVersion next = to with { From = ImmutableSortedDictionary.CreateRange(Logs.Select(log => KeyValuePair.Create(log.Id, log.NextOffset))) };
        return this with { ConfigHash = to.ConfigHash, Versions = [.. Versions.IsEmpty ? [FilesVersion.Of(ConfigHash)] : Versions, next] };
    }

    /// <summary>The version that names of files carry which begin with their columns' names: those begin anew with each parser.</summary>
    /// <param name="count">So many configurations, from the first on.</param>
    public int NameVersion(int count)
    {
        int changes = 0;
        for (int i = 1; i < count; i++)
        {
            changes += Versions[i].ConfigHash != Versions[i - 1].ConfigHash ? 1 : 0;
        }
        return 1 + changes;
    }

    /// <summary>Adds a log.</summary>
    public Manifest With(LedgerStart start)
    {
        var entry = new LedgerEntry(Logs.Count + 1, start.Log, start.Offset, -1, default);
        return this with
        {
            Logs = [.. Logs, entry],
            Versions = start.Offset == 0 ? Versions : [.. Versions.Select(version => version with { From = version.From.SetItem(entry.Id, start.Offset) })],
        };
    }

    public void Set(SourceKey key, SourceFact fact)
    {
        Sources = Sources.SetItem(key, fact);
        ChangedSources = ChangedSources.Add(key);
    }

    public void SetLength(string name, long length)
    {
        Lengths = Lengths.SetItem(name, length);
        ChangedLengths = ChangedLengths.Add(name);
    }

    /// <summary>Notes that somebody moved a file away, or cut it so that this many bytes are left.</summary>
    public void StartAfresh(string name, long length)
    {
        SetLength(name, length);
        var start = new FreshStart(length, ImmutableSortedDictionary.CreateRange(Logs.Select(log => KeyValuePair.Create(log.Id, log.NextOffset))));
        ImmutableList<FreshStart> before = FreshStarts.GetValueOrDefault(name) ?? [];
        FreshStarts = FreshStarts.SetItem(name, before.RemoveAll(earlier => earlier.At >= length).Add(start));
    }

    /// <summary>Takes what a later manifest says of a file.</summary>
    public void Take(string name, Manifest later)
    {
        SetLength(name, later.Lengths[name]);
        FreshStarts = later.FreshStarts.TryGetValue(name, out ImmutableList<FreshStart>? starts) ? FreshStarts.SetItem(name, starts) : FreshStarts.Remove(name);
        Parts = later.Parts.TryGetValue(name, out FilePart? part) ? Parts.SetItem(name, part) : Parts;
    }

    /// <summary>Counts a part in place of the staged rows that it was made of.</summary>
    public void Publish(string name, long length, FilePart part)
    {
        SetLength(name, length);
        Parts = Parts.SetItem(name, part);
        SetLength(part.Staged, 0);
        FreshStarts = FreshStarts.Remove(part.Staged);
    }

    /// <summary>This manifest with what changed since.</summary>
    /// <exception cref="StoreRefusedException">The changes are another manifest's.</exception>
    public Manifest With(Manifest changes, string path)
    {
        if (changes.LedgerId != LedgerId || changes.Revision > Revision)
        {
            throw new StoreRefusedException($"{path} is not of the {FileName} beside it. Restore both, or give the sink a new directory and name.");
        }
        if (changes.Revision < Revision)
        {
            return this;
        }
        Manifest all = this with { Logs = changes.Logs };
        foreach ((SourceKey key, SourceFact? fact) in changes.Sources)
        {
            all.Set(key, fact);
        }
        foreach (string name in changes.Lengths.Keys)
        {
            all.Take(name, changes);
        }
        return all;
    }

    public byte[] Encode() => Encode(Sources, Lengths);

    public byte[] EncodeChanges() => Encode(ChangedSources.Select(k => KeyValuePair.Create(k, Sources[k])), ChangedLengths.Select(n => KeyValuePair.Create(n, Lengths[n])));

    private byte[] Encode(IEnumerable<KeyValuePair<SourceKey, SourceFact>> sources, IEnumerable<KeyValuePair<string, long>> lengths)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Versions.Count > 1 ? VersionOfSeveral : Version);
            json.WriteNumber("revision", Revision);
            json.WriteString("ledger", LedgerId);
            json.WriteString("config", ConfigHash);
            json.WriteStartArray("versions");
            foreach (FilesVersion version in Versions)
            {
                version.Write(json);
            }
            json.WriteEndArray();
            json.WriteStartArray("logs");
            foreach (LedgerEntry log in Logs)
            {
                WriteLog(json, log);
            }
            json.WriteEndArray();
            json.WriteStartArray("sources");
            foreach ((SourceKey key, SourceFact? fact) in sources)
            {
                WriteSource(json, key, fact);
            }
            json.WriteEndArray();
            json.WriteStartObject("lengths");
            foreach ((string? path, long length) in lengths)
            {
                json.WriteNumber(path, length);
            }
            json.WriteEndObject();
            json.WriteStartObject("fresh_starts");
            foreach (string path in lengths.Select(length => length.Key).Where(FreshStarts.ContainsKey))
            {
                json.WriteStartArray(path);
                foreach (FreshStart start in FreshStarts[path])
                {
                    start.Write(json);
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
            json.WriteStartObject("parts");
            foreach (string path in lengths.Select(length => length.Key).Where(Parts.ContainsKey))
            {
                json.WritePropertyName(path);
                Parts[path].Write(json);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <exception cref="StoreRefusedException">The bytes are not a manifest of this version.</exception>
    public static Manifest Decode(ReadOnlyMemory<byte> bytes, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            JsonElement root = document.RootElement;
            // The first version knew no changes: it was always whole.
            if (root.GetProperty("version").GetInt32() is < 1 or > VersionOfSeveral)
            {
                throw new FormatException("its version is unknown");
            }
            return new Manifest
            {
                LedgerId = root.GetProperty("ledger").GetGuid(),
                ConfigHash = root.GetProperty("config").GetString()!,
                Revision = root.TryGetProperty("revision", out JsonElement revision) ? revision.GetInt64() : -1,
                Versions = root.TryGetProperty("versions", out JsonElement versions) ? [.. versions.EnumerateArray().Select(FilesVersion.Read)] : [],
                Logs = [.. root.GetProperty("logs").EnumerateArray().Select(ReadLog)],
                Sources = ImmutableSortedDictionary.CreateRange(root.GetProperty("sources").EnumerateArray().Select(ReadSource)),
                Lengths = ImmutableSortedDictionary.CreateRange(
                    StringComparer.Ordinal, root.GetProperty("lengths").EnumerateObject().Select(l => KeyValuePair.Create(l.Name, l.Value.GetInt64()))),
                FreshStarts = ReadFreshStarts(root),
                Parts = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, root.TryGetProperty("parts", out JsonElement parts)
                    ? parts.EnumerateObject().Select(part => KeyValuePair.Create(part.Name, FilePart.Read(part.Value))) : []),
            };
        }
        catch (Exception error) when (error is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StoreRefusedException($"{path} cannot be read: {error.Message} Restore it, or give the sink a new directory and name.", error);
        }
    }

    private static ImmutableSortedDictionary<string, ImmutableList<FreshStart>> ReadFreshStarts(JsonElement root) => ImmutableSortedDictionary.CreateRange(
        StringComparer.Ordinal, root.TryGetProperty("fresh_starts", out JsonElement starts)
            ? starts.EnumerateObject().Select(file => KeyValuePair.Create(file.Name, file.Value.EnumerateArray().Select(FreshStart.Read).ToImmutableList())) : []);

    private static void WriteLog(Utf8JsonWriter json, LedgerEntry log)
    {
        json.WriteStartObject();
        json.WriteNumber("id", log.Id);
        json.WriteString("sink", log.Log.Sink);
        json.WriteString("cluster", log.Log.ClusterId);
        json.WriteString("topic_id", log.Log.TopicId);
        json.WriteString("topic", log.Log.Topic);
        json.WriteNumber("partition", log.Log.Partition);
        json.WriteNumber("next_offset", log.NextOffset);
        json.WriteNumber("leader_epoch", log.LeaderEpoch);
        json.WriteString("owner", log.Owner.Value);
        json.WriteEndObject();
    }

    private static LedgerEntry ReadLog(JsonElement log) => new(
        log.GetProperty("id").GetInt32(),
        new LogIdentity(
            log.GetProperty("sink").GetString()!, log.GetProperty("cluster").GetString()!, log.GetProperty("topic_id").GetGuid(),
            log.GetProperty("topic").GetString()!, log.GetProperty("partition").GetInt32()),
        log.GetProperty("next_offset").GetInt64(), log.GetProperty("leader_epoch").GetInt32(), new OwnerToken(log.GetProperty("owner").GetGuid()));

    private static void WriteSource(Utf8JsonWriter json, SourceKey key, SourceFact fact)
    {
        json.WriteStartObject();
        json.WriteNumber("id", fact.Id);
        json.WriteString("agent", key.AgentId);
        json.WriteString("generation", key.GenerationText);
        json.WriteString("topic", key.Topic);
        json.WriteString("host", fact.Host);
        json.WriteString("file", fact.File);
        json.WriteString("stored", fact.Stored);
        json.WriteNumber("version", fact.Version);
        json.WriteEndObject();
    }

    private static KeyValuePair<SourceKey, SourceFact> ReadSource(JsonElement source)
    {
        ulong generation = ulong.Parse(source.GetProperty("generation").GetString()!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var key = new SourceKey(source.GetProperty("agent").GetGuid(), generation, source.GetProperty("topic").GetString()!);
        return KeyValuePair.Create(key, new SourceFact(
            source.GetProperty("id").GetInt32(), source.GetProperty("host").GetString()!, source.GetProperty("file").GetString()!,
            source.GetProperty("stored").GetString()!, source.GetProperty("version").GetInt64()));
    }
}

/// <summary>What a manifest keeps of a source.</summary>
internal sealed record SourceFact(int Id, string Host, string File, string Stored, long Version);
