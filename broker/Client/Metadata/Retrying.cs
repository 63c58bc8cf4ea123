using System.Net.Sockets;
using LogPipeline.Protocol;
using Polly;
using Polly.Retry;

namespace LogPipeline.Client.Metadata;

/// <summary>
/// Repeats what may succeed later (no broker, a broken connection, a retriable error code) with exponential delay and jitter until
/// a time limit, and then throws the last failure, or <see cref="BrokerUnreachableException"/> when the first attempt is still waiting.
/// Anything else passes at once.
/// </summary>
internal sealed class Retrying
{
    private readonly ResiliencePipeline _pipeline;
    private readonly TimeProvider _time;

    public Retrying(ClientOptions options, TimeProvider time, Func<double> random)
    {
        _time = time;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = static args => ValueTask.FromResult(IsTransient(args.Outcome.Exception)),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.RetryDelay,
                MaxDelay = options.RetryDelayMax,
                MaxRetryAttempts = int.MaxValue,
                Randomizer = random,
            })
            .Build();
    }

    /// <summary>Whether trying again may help.</summary>
    public static bool IsTransient(Exception? exception) =>
        exception is IOException or SocketException || exception is BrokerErrorException { Code: var code } && code.IsRetriable();

    /// <summary>Runs <paramref name="attempt"/>, given its number from 0, until it succeeds or the limit passes.</summary>
    public async ValueTask<T> RunAsync<T>(Func<int, CancellationToken, ValueTask<T>> attempt, TimeSpan limit, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        ResilienceContext context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, either.Token);
        Exception? last = null;
        int number = 0;
        try
        {
            return await _pipeline.ExecuteAsync(
                async inner =>
                {
                    try
                    {
                        return await attempt(number++, inner.CancellationToken);
                    }
                    catch (Exception e) when (IsTransient(e))
                    {
                        last = e;
                        throw;
                    }
                },
                context);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw last ?? new BrokerUnreachableException($"no answer within {limit.TotalSeconds:0.###} s");
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
