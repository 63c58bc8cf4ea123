using System.Globalization;
using System.Text.Json;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>
/// Makes Parquet files of staged rows once there are enough of them, or the first is old enough. Works in the store's turn.
/// </summary>
/// <remarks>
/// The part is written beside and synced, its name noted as a flush's new files are, and the file renamed to it; then one manifest counts the part and no
/// staged rows. A crash before that leaves the rows staged and the noted name is removed; after it the staged file is cut. Nobody ever sees half a part.
/// </remarks>
internal sealed class PartPublisher(FileStore store, FilesOptions options, TimeProvider time)
{
    private static readonly TimeSpan CheckIntervalMax = TimeSpan.FromSeconds(30);

    private readonly PublishOptions _publish = options.Publish ?? new PublishOptions();

    /// <summary>When rows were first seen in a staged file, by its name.</summary>
    private readonly Dictionary<string, long> _since = [];

    public TimeSpan CheckInterval => _publish.Interval / 4 < CheckIntervalMax ? _publish.Interval / 4 : CheckIntervalMax;

    /// <param name="isByAge">Whether those are due too whose first row is old.</param>
    /// <param name="cancellation">Ends it between two files.</param>
    public async ValueTask PublishDueAsync(bool isByAge, CancellationToken cancellation)
    {
        Manifest manifest = store.Guard(() => store.Manifest);
        foreach ((string name, long length) in manifest.Lengths.Where(file => file.Value > 0 && StagedFormat.IsStaged(file.Key)))
        {
            cancellation.ThrowIfCancellationRequested();
            _since.TryAdd(name, time.GetTimestamp());
            if (length >= _publish.BytesMax || (isByAge && time.GetElapsedTime(_since[name]) >= _publish.Interval))
            {
                await PublishAsync(name, length, cancellation);
                _since.Remove(name);
            }
        }
    }

    /// <summary>Publishes all that is staged.</summary>
    public async ValueTask PublishAllAsync(CancellationToken cancellation)
    {
        foreach ((string name, long length) in store.Guard(() => store.Manifest).Lengths.Where(file => file.Value > 0 && StagedFormat.IsStaged(file.Key)))
        {
            await PublishAsync(name, length, cancellation);
            _since.Remove(name);
        }
    }

    private async ValueTask PublishAsync(string staged, long length, CancellationToken cancellation)
    {
        try
        {
            IFileSystem files = store.FileSystem;
            string path = Path.Combine(store.Root, staged);
            long? found = files.Stat(path)?.Length;
            if ((found ?? 0) < length)
            {
                length = store.BeginAnew(staged, length, found);
            }
            if (length == 0)
            {
                return;
            }
            string temporary = Path.Combine(store.Root, StagedFormat.Directory, "part" + AtomicFile.TemporarySuffix);
            long bytes;
            (FilePart Part, string Log, long Offset)? made;
            using (IFile to = files.Open(temporary, FileOpenMode.ReadWrite))
            {
                to.SetLength(0);
                await using var from = new FileView(files.Open(path, FileOpenMode.Read), length);
                made = await PartWriter.WriteAsync(from, staged, store.Manifest.FreshStarts.GetValueOrDefault(staged) ?? [], to, options.Codec, cancellation);
                to.Flush();
                bytes = to.Length;
            }
            if (made is var (part, log, offset))
            {
                Publish(temporary, NameOf(staged, log, offset), bytes, part);
                files.Delete(path);
            }
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException)
        {
            throw new StoreRefusedException($"{Path.Combine(store.Root, staged)} has rows on their way to Parquet and was changed: {error.Message} Mend or remove the line; removing the file loses its rows.", error);
        }
        catch (Exception error) when (store.Translate(error) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>A name that no part has had. Offsets come again where a topic is made anew, and where files hold several logs.</summary>
    private string NameOf(string staged, string log, long offset)
    {
        string mark = string.Create(CultureInfo.InvariantCulture, $"{offset:D12}");
        string name = StagedFormat.PartOf(staged, store.Paths.UsesLog ? mark : $"{log}-{mark}");
        for (int again = 2; store.Manifest.Lengths.ContainsKey(name); again++)
        {
            name = StagedFormat.PartOf(staged, string.Create(CultureInfo.InvariantCulture, $"{log}-{mark}-{again}"));
        }
        return name;
    }

    private void Publish(string temporary, string name, long bytes, FilePart part)
    {
        string path = Path.Combine(store.Root, name);
        string directory = Path.GetDirectoryName(path)!;
        store.FileSystem.CreateDirectory(directory);
        store.NoteNew([name]);
        store.FileSystem.Rename(temporary, path);
        store.FileSystem.FlushDirectory(directory);
        Manifest next = store.Manifest.Copy();
        next.Publish(name, bytes, part with { LastLog = next.Logs.Count });
        store.Replace(next);
    }
}
