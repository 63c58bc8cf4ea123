using LogPipeline.Agent.Resending;
using LogPipeline.Client;
using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation.Parts;

/// <summary>
/// Somebody on an application server who has lines sent again, of any file and any stretch of it, whatever the agent does meanwhile: what a topic and a
/// table have of them they have once all the same.
/// </summary>
internal sealed class ResendPart
{
    private readonly AgentPart _agent;
    private readonly SimNetwork _network;
    private readonly TimeSpan _until;

    /// <param name="agent">Whose lines are sent again.</param>
    /// <param name="network">The network.</param>
    /// <param name="until">When it is done with, so that everything can drain.</param>
    public ResendPart(AgentPart agent, SimNetwork network, TimeSpan until)
    {
        (_agent, _network, _until) = (agent, network, until);
        Part = new Part(agent.Part.Machine, $"resend by {agent.Part.Name}", RunAsync);
    }

    public Part Part { get; }

    /// <summary>How often lines were sent again in this run.</summary>
    public int Sent { get; private set; }

    private async Task RunAsync(Life life)
    {
        try
        {
            await SendNowAndThenAsync(life);
        }
        catch (OperationCanceledException) when (life.Stopping.IsCancellationRequested)
        {
            // told to stop
        }
    }

    private async Task SendNowAndThenAsync(Life life)
    {
        IFileSystem files = Part.Machine.Attach(life);
        while (Part.World.Now < _until)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(3000)), life.Time, life.Stopping);
            try
            {
                await SendAsync(life, files);
            }
            catch (Exception refused) when (refused is ResendRefusedException or BrokerErrorException or IOException)
            {
                Part.World.Trace.Say(Part, refused.Message);
            }
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, life.Time, life.Stopping);
    }

    private async Task SendAsync(Life life, IFileSystem files)
    {
        List<DirectoryEntry> there = [.. files.List(AppServer.Logs).Where(static entry => !entry.IsDirectory)];
        if (there.Count == 0)
        {
            return;
        }
        long? from = life.Random.Next(2) == 0 ? null : life.Random.Next(2000);
        long? to = life.Random.Next(2) == 0 ? null : (from ?? 0) + life.Random.Next(1, 2000);
        var request = new ResendRequest($"{AppServer.Logs}/{there[life.Random.Next(there.Count)].Name}", from, to);
        await Resend.RunAsync(_agent.Options, request, files, new SimConnector(_network, life), life.Time, life.Random, Tell, life.Stopping);
    }

    private void Tell(string line)
    {
        Part.World.Trace.Say(Part, line);
        Sent += line.StartsWith("sent ", StringComparison.Ordinal) ? 1 : 0;
    }
}
