using LogPipeline.Client;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Simulation.Parts;

/// <summary>Somebody who runs <c>logpipe verify</c> on a sink of files.</summary>
internal sealed class VerifyPart
{
    private readonly OutputHost _host;
    private readonly SimNetwork _network;

    public VerifyPart(OutputHost host, SimNetwork network)
    {
        (_host, _network) = (host, network);
        Part = new Part(host.Machine, "verify", RunAsync);
    }

    public Part Part { get; }

    public bool IsDone { get; private set; }

    /// <summary>Null until it is done, and where the topic lost records meanwhile.</summary>
    public VerifyReport? Report { get; private set; }

    private async Task RunAsync(Life life)
    {
        var verifier = new Verifier(_host.Options, new SimConnector(_network, life), Part.Machine.Attach(life), life.Time, life.Random);
        try
        {
            Report = await verifier.RunAsync(null, life.Stopping);
        }
        catch (StoreRefusedException refused) when (refused.InnerException is PositionOutOfRangeException)
        {
            Part.World.Trace.Say(Part, refused.Message);
        }
        IsDone = true;
    }
}
