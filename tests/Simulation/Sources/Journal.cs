using System.Globalization;
using System.Text;
using LogPipeline.Agent.Machine;
using LogPipeline.Agent.Sources;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Testing.Network;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Simulation.Sources;

/// <summary>systemd's journal, whose entries are on its disk for good, and the program that exports them from a cursor on, which may end at any time.</summary>
internal sealed class Journal
{
    private readonly List<string> _entries = [];
    private Export? _open;
    private int _exported;

    public int Count => _entries.Count;

    /// <summary>Whether an agent goes on behind the entry that it read last, spooled or not: a planted fault.</summary>
    public bool SavesCursorEarly { get; set; }

    /// <summary>The line that an agent makes of an entry.</summary>
    public static byte[] LineOf(int number, string message) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"__CURSOR\":\"s=7;i={number:x}\",\"PRIORITY\":\"6\",\"MESSAGE\":\"{message}\"}}"));

    public void Add(string message)
    {
        _entries.Add(string.Create(CultureInfo.InvariantCulture, $"__CURSOR=s=7;i={_entries.Count:x}\nPRIORITY=6\nMESSAGE={message}\n\n"));
        _open?.Serve();
    }

    /// <summary>The source of an agent's life.</summary>
    public ILineSource SourceOf(Life life, ILogger logger) => new Source(this, life, logger);

    private int Next(Spool spool) => SavesCursorEarly ? _exported
        : JournalExport.CursorOf(spool.LastLine()) is string cursor ? 1 + int.Parse(cursor[(cursor.LastIndexOf('=') + 1)..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : 0;

    private sealed class Source(Journal journal, Life life, ILogger logger) : RetriedSource("journal", life.Time, logger)
    {
        protected override bool IsPassing(Exception fault) => fault is IOException;

        protected override async Task<string> FeedAsync(Spool spool, CancellationToken stopped)
        {
            life.Enter("start");
            using Export export = journal._open = new Export(journal, life, journal.Next(spool));
            await StreamFeed.RunAsync(export, new JournalExport(), spool, stopped);
            return "journalctl has ended";
        }
    }

    private sealed class Export(Journal journal, Life life, int next) : ConnectionStream
    {
        private byte[] _rest = [];
        private TaskCompletionSource<int>? _waiting;
        private Memory<byte> _target;

        private bool IsEmpty => _rest.Length == 0 && next >= journal.Count;

        private World World => life.World;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            (_target, _waiting) = (buffer, new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
            Serve();
            return new ValueTask<int>(_waiting.Task);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new NotSupportedException("the agent reads only");

        public void Serve()
        {
            if (_waiting is not null && !IsEmpty)
            {
                World.After(World.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(5)), life, Give);
            }
        }

        private void Give()
        {
            if (_waiting is not { } waiting || IsEmpty)
            {
                return;
            }
            _waiting = null;
            if (World.Chance(0.02))
            {
                waiting.TrySetResult(0);
                return;
            }
            while (next < journal.Count && _rest.Length < 4096)
            {
                _rest = [.. _rest, .. Encoding.ASCII.GetBytes(journal._entries[next++])];
            }
            int count = Math.Min(_target.Length, World.Random.Next(1, _rest.Length + 1));
            _rest.AsSpan(0, count).CopyTo(_target.Span);
            _rest = _rest[count..];
            journal._exported = next;
            waiting.TrySetResult(count);
        }
    }
}
