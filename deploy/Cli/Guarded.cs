using System.Net.Sockets;
using LogPipeline.Broker;
using LogPipeline.Client;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Parts;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Cli;

/// <summary>
/// Runs a verb until it is done or a signal asks it to stop, and turns what people can mend into one line on standard error and an
/// exit status.
/// </summary>
internal static class Guarded
{
    /// <summary>For a verb that has an end. One that a signal cut short has not done what it was asked: a script must not take a `verify` that was stopped for a yes.</summary>
    public static Task<int> RunAsync(string verb, Func<CancellationToken, Task<int>> run) => RunAsync(verb, signals => run(signals.Token), signals => signals.Status);

    /// <summary>For a verb whose usual end is a signal. SIGHUP may ask it to reload its configuration.</summary>
    public static Task<int> ServeAsync(string verb, Func<StopSignals, Task<int>> run) => RunAsync(verb, run, _ => Exit.Done);

    private static async Task<int> RunAsync(string verb, Func<StopSignals, Task<int>> run, Func<StopSignals, int> stopped)
    {
        using var signals = new StopSignals();
        try
        {
            return await run(signals);
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return stopped(signals);
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.Shutdown } || e.HResult == StandardOutputStream.BrokenPipe)
        {
            return Exit.Done; // the reader of our output has enough, as in `logpipe consume … | head`
        }
        catch (Exception e)
        {
            return Tell(verb, e);
        }
    }

    /// <summary>Prints what went wrong and gives the exit status for it.</summary>
    public static int Tell(string verb, Exception e)
    {
        (int status, string? text) = Explain(e);
        // `logpipe broker` need not say once more that it is the broker that has the problem.
        if (e is PartFailedException { BeforeReady: true } failed && verb.EndsWith($" {failed.Part}", StringComparison.Ordinal) && text.StartsWith($"{failed.Part}: ", StringComparison.Ordinal))
        {
            text = text[(failed.Part.Length + 2)..];
        }
        Console.Error.WriteLine($"{verb}: {text}");
        return status;
    }

    private static (int Status, string Text) Explain(Exception e) => e switch
    {
        PartFailedException failed => Explain(failed),
        ConfigurationException or SinkConfigurationException or BrokerStartException or QueryException or ArgumentException { ParamName: null }
            => (Exit.Usage, e.Message),
        StoreRefusedException or LogUnreadableException => (Exit.Usage, e.Message),
        StoreUnavailableException or BrokerUnreachableException or BrokerConnectionException or DeliveryTimeoutException => (Exit.Unreachable, e.Message),
        BrokerErrorException or UnsupportedApiException => (Exit.Usage, e.Message),
        PostgresException { SqlState: "28P01" or "28000" or "3D000" } refused
            => (Exit.Usage, $"PostgreSQL refuses the login: {refused.MessageText}; check the connection in the sink's postgres section"),
        NpgsqlException => (Exit.Unreachable, $"PostgreSQL cannot be used: {e.InnerException?.Message ?? e.Message}"),
        UnauthorizedAccessException or IOException => (Exit.Usage, e.Message),
        _ => (Exit.Defect, $"this is a defect of logpipe, please report it:{Environment.NewLine}{e}"),
    };

    private static (int Status, string Text) Explain(PartFailedException failed)
    {
        (int status, string? reason) = Explain(failed.InnerException!);
        // A reason often begins with the part it is about.
        bool named = reason.StartsWith(failed.Part, StringComparison.OrdinalIgnoreCase);
        return (status, failed.BeforeReady ? (named ? reason : $"{failed.Part}: {reason}") : $"{failed.Part} stopped: {reason}");
    }
}
