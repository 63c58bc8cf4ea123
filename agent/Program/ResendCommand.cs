using LogPipeline.Agent;
using LogPipeline.Agent.Resending;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Hosting;

namespace LogPipeline.AgentProgram;

/// <summary><c>logpipe-agent resend PATH</c>: sends acked lines again, for a topic that lost them.</summary>
internal static class ResendCommand
{
    private const int Done = 0;
    private const int Refused = 1;
    private const int Unreachable = 3;

    public static async Task<int> RunAsync(AgentArguments arguments, AgentOptions options)
    {
        var request = new ResendRequest(Path.GetFullPath(arguments.Path), arguments.From, arguments.To, arguments.IsDry);
        using var signals = new StopSignals();
        try
        {
            bool isTaken = await Resend.RunAsync(
                options, request, new OsFileSystem(), new TcpConnector(), TimeProvider.System, new Random(), Console.WriteLine, signals.Token);
            return isTaken ? Done : Refused;
        }
        catch (Exception fault) when (fault is ResendRefusedException or BrokerErrorException)
        {
            Console.Error.WriteLine($"logpipe-agent: {fault.Message}");
            return Refused;
        }
        catch (BrokerUnreachableException away)
        {
            Console.Error.WriteLine($"logpipe-agent: no broker can be reached: {away.Message}");
            return Unreachable;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            Console.Error.WriteLine("logpipe-agent: stopped; what was sent until then stays, and may be sent again");
            return Refused;
        }
    }
}
