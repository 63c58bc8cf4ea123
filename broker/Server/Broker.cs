using System.Net;
using LogPipeline.Broker.Network;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Files;

namespace LogPipeline.Broker;

/// <summary>A broker on a TCP address, in this process.</summary>
/// <example><code>
/// await using var broker = await Broker.StartAsync(new BrokerOptions { DataDirectory = "data", Listen = "127.0.0.1:0" });
/// Console.WriteLine(broker.Endpoint);
/// </code></example>
public sealed class Broker : IAsyncDisposable
{
    private readonly BrokerCore _core;
    private readonly SocketServer _server;

    private Broker(BrokerCore core, SocketServer server)
    {
        _core = core;
        _server = server;
    }

    /// <summary>Where it listens, with the port in use.</summary>
    public IPEndPoint Endpoint => _server.Endpoint;

    /// <summary>The cluster's id.</summary>
    public string ClusterId => _core.ClusterId;

    /// <summary>Starts a broker; it serves on return.</summary>
    /// <exception cref="BrokerStartException">One line that says why not: a wrong setting, the port in use, the directory locked …</exception>
    public static Task<Broker> StartAsync(BrokerOptions options, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        TimeProvider time = TimeProvider.System;
        var random = new Random(Seed());
        BrokerCore core = BrokerCore.Open(options, new OsFileSystem(), time, random);
        try
        {
            IPEndPoint address = HostPort.Parse(core.Settings.Listeners ?? options.Listen).Resolve();
            Action<Exception> onFatal = options.OnFatal ?? (static e => Environment.FailFast("The broker cannot go on.", e));
            var server = new SocketServer(core, address, time, onFatal);
            server.Start();
            core.Logger.Serving(server.Endpoint, options.DataDirectory, core.ClusterId, core.Topics.All.Count);
            return Task.FromResult(new Broker(core, server));
        }
        catch
        {
            core.Dispose();
            throw;
        }
    }

    /// <summary>Stops serving, flushes and leaves the mark of a clean stop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _core.CloseAsync();
        _core.Logger.Stopped();
        _core.Dispose();
    }

    private static int Seed() => BitConverter.ToInt32(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));
}
