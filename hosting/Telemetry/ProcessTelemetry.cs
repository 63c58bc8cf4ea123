using System.Net;
using System.Net.Sockets;
using LogPipeline.Hosting.Admin;
using LogPipeline.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>Everything a process shows of itself: metrics at <c>/metrics</c>, health at <c>/healthz</c>, and a push by OTLP where one is wanted.</summary>
public sealed class ProcessTelemetry : IAsyncDisposable
{
    private readonly ProcessMetrics _process;
    private readonly MetricsCollector? _collector;
    private readonly ServiceProvider? _push;
    private readonly AdminServer? _admin;

    private ProcessTelemetry(TelemetryOptions options, Health health, AdminPage? page)
    {
        if (options.AdminListen is not null)
        {
            _collector = new MetricsCollector(meter => meter.Name.StartsWith("LogPipeline.", StringComparison.Ordinal));
            try
            {
                _admin = Listen(options.AdminListen, request => AnswerAsync(request, health, page));
            }
            catch
            {
                _collector.Dispose();
                throw;
            }
        }
        _push = OpenTelemetryWiring.IsWanted(options) ? new ServiceCollection().AddLogPipelineTelemetry(options).BuildServiceProvider() : null;
        _process = new ProcessMetrics();
    }

    /// <summary>Where <c>/metrics</c> is served, or null.</summary>
    public IPEndPoint? AdminEndpoint => _admin?.Endpoint;

    /// <param name="options">What is shown, and where.</param>
    /// <param name="health">What <c>/healthz</c> answers from.</param>
    /// <param name="page">Answers what is neither <c>/metrics</c> nor <c>/healthz</c>.</param>
    /// <exception cref="ConfigurationException">The admin address is not an address and a port.</exception>
    /// <exception cref="AddressTakenException">The admin address cannot be served.</exception>
    public static async Task<ProcessTelemetry> StartAsync(TelemetryOptions options, Health health, AdminPage? page = null)
    {
        var started = new ProcessTelemetry(options, health, page);
        foreach (IHostedService service in started._push?.GetServices<IHostedService>() ?? [])
        {
            await service.StartAsync(CancellationToken.None);
        }
        return started;
    }

    /// <summary>
    /// Like <see cref="StartAsync"/>, but if the admin address is taken, it logs that and goes on without: processes on one machine may share one
    /// configuration file, admin address included, and the second one has to work too.
    /// </summary>
    public static async Task<ProcessTelemetry> StartOrGoWithoutAsync(
        TelemetryOptions options, Health health, ILogger logger, AdminPage? page = null)
    {
        try
        {
            ProcessTelemetry started = await StartAsync(options, health, page);
            if (started.AdminEndpoint is { } endpoint)
            {
                logger.AdminServes(endpoint.ToString());
            }
            return started;
        }
        catch (AddressTakenException e)
        {
            logger.AdminMissing(e.Message);
            return await StartAsync(options with { AdminListen = null }, health);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await _admin.DisposeAsync();
        }
        _collector?.Dispose();
        if (_push is not null)
        {
            await _push.DisposeAsync(); // pushes what is left
        }
        _process.Dispose();
    }

    private async ValueTask<AdminResponse?> AnswerAsync(AdminRequest request, Health health, AdminPage? page)
    {
        switch (request.Path)
        {
            case "/metrics":
                return new AdminResponse(200, PrometheusText.ContentType, _collector!.Text());
            case "/healthz":
                (bool isWell, string? text) = health.Report();
                return new AdminResponse(isWell ? 200 : 503, "text/plain; charset=utf-8", text);
            default:
                return page is null ? null : await page(request);
        }
    }

    private static AdminServer Listen(string address, Func<AdminRequest, ValueTask<AdminResponse?>> answer)
    {
        if (!IPEndPoint.TryParse(address.Replace("localhost", "127.0.0.1"), out IPEndPoint? endpoint))
        {
            throw new ConfigurationException($"admin.listen should be an address and a port such as 127.0.0.1:9600, not '{address}'");
        }
        try
        {
            return new AdminServer(endpoint, answer);
        }
        catch (SocketException e)
        {
            throw new AddressTakenException($"admin.listen: {address} cannot be served ({e.Message}); stop what uses it, or set admin.listen to another port", e);
        }
    }
}

/// <summary>Answers a request for a page that a part of the process shows; null where there is no such page.</summary>
public delegate ValueTask<AdminResponse?> AdminPage(AdminRequest request);

/// <summary>Another process listens on the address, or it does not belong to this machine.</summary>
public sealed class AddressTakenException(string message, Exception inner) : Exception(message, inner);
