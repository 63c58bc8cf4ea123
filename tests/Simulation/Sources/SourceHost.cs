using System.Globalization;
using System.Text;
using LogPipeline.Agent;
using LogPipeline.Agent.Sources;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Workload;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Simulation.Sources;

/// <summary>
/// What an agent reads on its machine beside files: a pipe at its standard input, syslog by TCP and UDP, the journal. It knows of each line whether the agent
/// has taken it, so that it must arrive, once.
/// </summary>
internal sealed class SourceHost
{
    private readonly Machine _machine;
    private readonly List<Line> _lines;
    private readonly Pipe _input;
    private readonly Pipe _connection;
    private readonly Datagrams _datagrams;
    private readonly List<Line>[] _streams = [[], [], [], []];
    private bool _isCalm;

    public SourceHost(Machine machine, List<Line> lines)
    {
        (_machine, _lines) = (machine, lines);
        _input = new Pipe(machine, breaksWithReader: false);
        _connection = new Pipe(machine, breaksWithReader: true);
        _datagrams = new Datagrams(machine.World);
        Journal = new Journal();
    }

    public Journal Journal { get; }

    /// <summary>The lines of each input, in the order in which they were written.</summary>
    public IReadOnlyList<IReadOnlyList<Line>> Streams => _streams;

    /// <summary>Whether an agent has read all that was written to it.</summary>
    public bool IsEmpty => _input.IsEmpty && _connection.IsEmpty;

    private World World => _machine.World;

    /// <summary>Inputs for the agent's next life: in some of them the configuration has one less.</summary>
    public IEnumerable<InputOptions> Inputs()
    {
        List<SourceOptions> sources =
        [
            new StdinSourceOptions(),
            new SyslogSourceOptions { Transport = SyslogTransport.Tcp, Port = 601 },
            new SyslogSourceOptions { Transport = SyslogTransport.Udp, Port = 514 },
            new JournalSourceOptions(),
        ];
        if (!_isCalm && World.Chance(0.2))
        {
            sources.RemoveAt(World.Random.Next(sources.Count));
        }
        return sources.Select(static source => new InputOptions { Source = source, Topic = Story.Topic, MaxLineBytes = Parts.AgentPart.LineBytesMax });
    }

    public ILineSource Make(SourceOptions options, Life life, ILogger logger) => options switch
    {
        StdinSourceOptions => new Scripted((spool, stopped) => StreamFeed.RunAsync(_input.Open(life, spool), new LineCutter(1 << 20), spool, stopped)),
        SyslogSourceOptions { Transport: SyslogTransport.Tcp } => new Scripted((spool, stopped) => AcceptAsync(life, spool, stopped)),
        SyslogSourceOptions => new Scripted((spool, stopped) => _datagrams.ListenAsync(life, spool, stopped)),
        _ => Journal.SourceOf(life, logger),
    };

    /// <summary>Writes until <paramref name="until"/>.</summary>
    public void Run(TimeSpan until)
    {
        if (World.Now >= until)
        {
            return;
        }
        if (_machine.IsUp)
        {
            for (int i = World.Random.Next(1, 5); i > 0; i--)
            {
                Write(World.Random.Next(_streams.Length));
            }
        }
        World.After(World.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), () => Run(until));
    }

    /// <summary>From here on nothing is written, and the configuration names all inputs; that of the running agent may lack one.</summary>
    public void Finish(Life? running)
    {
        _isCalm = true;
        running?.RequestStop();
    }

    /// <summary>The agent has stopped cleanly.</summary>
    public void Stopped()
    {
        _input.Stopped();
        _connection.Stopped();
    }

    private async Task AcceptAsync(Life life, Spool spool, CancellationToken stopped)
    {
        while (true)
        {
            try
            {
                await StreamFeed.RunAsync(_connection.Open(life, spool), new SyslogFraming(), spool, stopped);
            }
            catch (IOException)
            {
                // The sender comes back.
            }
        }
    }

    private void Write(int stream)
    {
        switch (stream)
        {
            case 0 when _input.HasRoom:
                Line line = Add(stream, Line.Make(_lines.Count, World.Random));
                _input.Write(line, [.. line.Bytes, (byte)'\n']);
                break;
            case 1 when _connection.HasRoom:
                Line message = Add(stream, Line.Make(_lines.Count, World.Random));
                byte[] counted = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.Bytes.Length} ")), .. message.Bytes];
                if (World.Chance(0.1))
                {
                    _connection.Write(null, counted[..^1]); // the sender dies in the middle of a message
                    _connection.HangUp();
                }
                else
                {
                    _connection.Write(message, message.Bytes.Contains((byte)0) || World.Chance(0.5) ? counted : [.. message.Bytes, (byte)'\n']);
                }
                break;
            case 2:
                _datagrams.Send(Add(stream, Line.Make(_lines.Count, World.Random)));
                break;
            case 3:
                string text = string.Create(CultureInfo.InvariantCulture, $"L{_lines.Count:D6} {new string('j', World.Random.Next(300))}$");
                Add(stream, new Line(_lines.Count, Journal.LineOf(Journal.Count, text))).Least = 1; // the journal has it for good
                Journal.Add(text);
                break;
            default:
                break;
        }
    }

    private Line Add(int stream, Line line)
    {
        line.Least = 0;
        line.Story = $"it came by stream {stream}";
        _lines.Add(line);
        _streams[stream].Add(line);
        return line;
    }

    private sealed class Scripted(Func<Spool, CancellationToken, Task> run) : ILineSource
    {
        public Task RunAsync(Spool spool, CancellationToken stopped) => run(spool, stopped);
    }
}
