using System.Net;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Network;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Files;

namespace LogPipeline.Broker;

/// <summary>A broker on one or several TCP addresses, in this process.</summary>
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

    /// <summary>Where its first listener listens, with the port in use.</summary>
    public IPEndPoint Endpoint => _server.Endpoints[0].Endpoint;

    /// <summary>Where each listener listens, by its name.</summary>
    public IReadOnlyDictionary<string, IPEndPoint> Endpoints =>
        _server.Endpoints.ToDictionary(entry => entry.Listener.Name, entry => entry.Endpoint);

    /// <summary>The cluster's id.</summary>
    public string ClusterId => _core.ClusterId;

    /// <summary>What keeps it from doing all it should, in one line; null when all is well.</summary>
    public string? Problem => _core.Problem;

    /// <summary>Starts a broker; it serves on return.</summary>
    /// <exception cref="BrokerStartException">One line that says why not: a wrong setting, a port in use, the directory locked …</exception>
    public static async Task<Broker> StartAsync(BrokerOptions options, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        TimeProvider time = TimeProvider.System;
        // The addresses first: a listener that cannot be had must not cost the data directory a recovery and a leader epoch.
        IReadOnlyList<Listener> listeners = ListenerSettings.Read(new BrokerSettings(options.Settings), options);
        IReadOnlyList<Acceptor> acceptors = Acceptor.BindAll(listeners, time, BrokerCore.LoggerOf(options));
        BrokerCore? core = null;
        SocketServer? server = null;
        try
        {
            core = BrokerCore.Open(options, new OsFileSystem(), time, new Random(Seed()));
            server = new SocketServer(core, acceptors, time, BrokerCore.OnFatalOf(options));
            server.Start();
            core.Logger.Serving(string.Join(", ", server.Endpoints.Select(Describe)), options.DataDirectory, core.ClusterId, core.Topics.All.Count);
            return new Broker(core, server);
        }
        catch
        {
            await (server?.DisposeAsync() ?? Acceptor.CloseAllAsync(acceptors));
            core?.Dispose();
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

    private static string Describe((Listener Listener, IPEndPoint Endpoint) served) => $"{served.Listener.Name}://{served.Endpoint}";

    private static int Seed() => BitConverter.ToInt32(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4));
}
