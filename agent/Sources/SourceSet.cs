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

    public SourceSet(AgentOptions options, IFileSystem files, StatePause pause)
    {
        foreach (InputOptions input in options.Inputs)
        {
            if (input.Source is SourceOptions source)
            {
                _spools.Add((input, new Spool(files, source.SpoolIn(options.StateDirectory, input.Topic), options.SpoolBytesMax, pause)));
            }
        }
    }

    public bool IsEmpty => _spools.Count == 0;

    public IReadOnlyList<Spool> Spools => _spools.ConvertAll(static source => source.Spool);

    /// <summary>Bytes of all spools at the last look; any thread may ask.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Lines that were dropped since the start, as <see cref="Bytes"/>.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>What keeps sources from giving lines.</summary>
    public IEnumerable<string> Problems => _spools.Where(static source => source.Spool.Trouble is not null)
        .Select(static source => $"{source.Input.Source!.Name}: {source.Spool.Trouble}");

    /// <summary>Whether every source has ended, and all that they gave is acked.</summary>
    public bool IsSent { get; private set; }

    /// <summary>Feeds the spools until all sources have ended or are stopped.</summary>
    public async Task RunAsync(Func<SourceOptions, ILineSource> make, ILogger logger, CancellationToken stopped)
    {
        await Task.WhenAll(_spools.Select(async source =>
        {
            logger.SourceOpened(source.Input.Source!.Name, source.Input.Topic);
            await make(source.Input.Source).RunAsync(source.Spool, stopped);
            source.Spool.End();
        }));
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
        Volatile.Write(ref _bytes, _spools.Sum(static source => source.Spool.Bytes));
        Volatile.Write(ref _dropped, _spools.Sum(static source => source.Spool.Dropped));
        IsSent = _spools.Count > 0 && _spools.TrueForAll(static source => source.Spool.IsEmpty && source.Spool.IsOver);
    }

    public void Dispose() => _spools.ForEach(static source => source.Spool.Dispose());
}
