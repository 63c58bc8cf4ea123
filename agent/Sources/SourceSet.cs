using LogPipeline.Agent.State;
using LogPipeline.Agent.Tailing;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Sources;

/// <summary>The inputs that are no files: their spools, the loops that feed them, and the end of spooled files that are acked. Owned by the agent's loop.</summary>
internal sealed class SourceSet : IDisposable
{
    private readonly List<(InputOptions Input, Spool Spool)> _spools = [];
    private long _bytes;
    private long _dropped;
    private Task _feeding = Task.CompletedTask;

    /// <param name="options">Which inputs there are.</param>
    /// <param name="files">The disk.</param>
    /// <param name="known">The generations that the registry has.</param>
    /// <param name="pauseOf">Makes what a disk that refuses means for a source's spool.</param>
    public SourceSet(AgentOptions options, IFileSystem files, IReadOnlyList<Generation> known, Func<string, DiskPause> pauseOf)
    {
        foreach (InputOptions input in options.Inputs)
        {
            if (input.Source is SourceOptions source)
            {
                string directory = source.SpoolIn(options.StateDirectory, input.Topic);
                _spools.Add((input, new Spool(files, directory, options.SpoolBytesMax, pauseOf(source.Name), source.IsWhole, known.Select(static generation => generation.FirstPath))
                {
                    FreeBytesMin = options.InflightBytesMax,
                }));
            }
        }
    }

    public bool IsEmpty => _spools.Count == 0;

    public IReadOnlyList<Spool> Spools => _spools.ConvertAll(static source => source.Spool);

    /// <summary>Bytes of all spools at the last look; any thread may ask.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Lines that were dropped since the start, as <see cref="Bytes"/>.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>What keeps sources from giving lines, all or some.</summary>
    public IEnumerable<string> Problems => _spools.Where(static source => (source.Spool.Trouble ?? source.Spool.Limitation) is not null)
        .Select(static source => $"{source.Input.Source!.Name}: {source.Spool.Trouble ?? source.Spool.Limitation}")
        .Concat(_spools.Where(static source => source.Spool.Pause.IsPaused).Select(static source => $"{source.Input.Source!.Name}: its spool cannot be written: {source.Spool.Pause.Reason}"));

    /// <summary>Whether a disk refuses what sources have given.</summary>
    public bool IsPaused => _spools.Exists(static source => source.Spool.Pause.IsPaused);

    /// <summary>Whether every source has ended, and all that they gave is acked.</summary>
    public bool IsSent { get; private set; }

    /// <summary>Feeds the spools until all sources have ended or are stopped.</summary>
    public Task RunAsync(Func<SourceOptions, ILineSource> make, ILogger logger, CancellationToken stopped)
    {
        return _feeding = Task.WhenAll(_spools.Select(async source =>
        {
            logger.SourceOpened(source.Input.Source!.Name, source.Input.Topic);
            await make(source.Input.Source).RunAsync(source.Spool, stopped);
            source.Spool.End();
        }));
    }

    /// <summary>The sources were told to stop: ends when they have, and all that they gave is durable.</summary>
    public async Task SettleAsync()
    {
        _spools.ForEach(static source => source.Spool.UseLastRoom());
        try
        {
            await _feeding;
        }
        catch (OperationCanceledException)
        {
            // how a source ends that is stopped
        }
        foreach ((_, Spool spool) in _spools)
        {
            await spool.DurableAsync();
        }
    }

    /// <summary>The agent ends: tells what sources gave that no disk has, and that cannot be had again.</summary>
    public void TellLost(ILogger logger)
    {
        foreach ((InputOptions input, Spool spool) in _spools)
        {
            if (spool.UndurableBytes > 0 && input.Source!.IsWhole is null)
            {
                logger.SourceLost(input.Source.Name, spool.UndurableBytes, spool.Pause.Reason);
            }
        }
    }

    /// <summary>Deletes the spooled files all of which is acked, and durably known to be.</summary>
    public async Task TidyAsync(FileTable table, AgentState state)
    {
        List<(Spool Spool, string Path)> acked = [];
        foreach ((InputOptions input, Spool spool) in _spools)
        {
            foreach ((string path, long length) in spool.Whole())
            {
                if (length == 0 || table.At(path, input.Topic)?.Generation is { IsDurable: true } generation && generation.Acked.Position >= length)
                {
                    acked.Add((spool, path));
                }
            }
        }
        if (acked.Count > 0)
        {
            await state.SavedAsync();
            acked.ForEach(static file => file.Spool.Delete(file.Path));
        }
        foreach ((InputOptions input, Spool spool) in _spools)
        {
            spool.NoteAcked(path => table.At(path, input.Topic)?.Generation is { IsDurable: true } generation ? generation.Acked.Position : 0);
        }
        Volatile.Write(ref _bytes, _spools.Sum(static source => source.Spool.Bytes));
        Volatile.Write(ref _dropped, _spools.Sum(static source => source.Spool.Dropped));
        IsSent = _spools.Count > 0 && _spools.TrueForAll(static source => source.Spool.IsEmpty && source.Spool.IsOver);
    }

    public void Dispose() => _spools.ForEach(static source => source.Spool.Dispose());
}
