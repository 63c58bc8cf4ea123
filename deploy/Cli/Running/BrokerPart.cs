using LogPipeline.Broker;
using LogPipeline.Hosting.Parts;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>The broker in this process.</summary>
internal sealed class BrokerPart(BrokerOptions options, ILoggerFactory loggers) : IPart
{
    private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Broker.Broker? _broker;

    public string Name => "broker";

    public Task Running => _died.Task;

    public string? Problem => _broker?.Problem;

    public async Task<string> StartAsync(CancellationToken stop)
    {
        _broker = await Broker.Broker.StartAsync(options with { LoggerFactory = loggers, OnFatal = e => _died.TrySetException(e) }, stop);
        return $"broker on {_broker.Endpoint}";
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
    }
}
