using System.Buffers;
using LogPipeline.Agent.Sources;
using LogPipeline.Files.Waiting;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation.Sources;

/// <summary>
/// Syslog by UDP. Nobody waits for an answer, so a datagram that comes while no agent listens is lost, and one that finds no room must be counted.
/// One that an agent has accepted is taken once the spool says that it is durable.
/// </summary>
internal sealed class Datagrams(World world)
{
    public const string Counted = "what a source refuses is counted";

    private readonly Queue<Line> _arrived = new();
    private TaskCompletionSource? _signal;
    private bool _isOpen;

    /// <summary>A datagram arrives.</summary>
    public void Send(Line line)
    {
        if (_isOpen)
        {
            _arrived.Enqueue(line);
            _signal?.TrySetResult();
        }
    }

    /// <summary>An agent listens until it is stopped or dies.</summary>
    public async Task ListenAsync(Life life, Spool spool, CancellationToken stopped)
    {
        life.Enter("bind");
        _isOpen = true;
        life.AtDeath(Close);
        long refused = 0;
        try
        {
            while (true)
            {
                while (_arrived.TryDequeue(out Line? line))
                {
                    refused += TryTake(life, spool, line) ? 0 : 1;
                    if (spool.Dropped != refused)
                    {
                        world.Fail(Counted, $"{refused} datagrams were refused and {spool.Dropped} are counted");
                    }
                }
                _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await _signal.Task.OrCancelled(stopped);
            }
        }
        finally
        {
            Close();
        }
    }

    private static bool TryTake(Life life, Spool spool, Line line)
    {
        var message = new ArrayBufferWriter<byte>();
        SyslogFraming.Write([], line.Bytes, message);
        bool isAccepted = spool.TryAppend(message.WrittenSpan);
        if (isAccepted && life.IsAlive) // the write that this began may have been its last
        {
            NoteTaken(spool, line);
        }
        return isAccepted;
    }

    private static async void NoteTaken(Spool spool, Line line)
    {
        try
        {
            await spool.DurableAsync();
            line.Least = 1;
        }
        catch (Exception)
        {
            // The disk or the agent had its end before.
        }
    }

    private void Close()
    {
        _isOpen = false;
        _arrived.Clear();
    }
}
