using LogPipeline.Files.Waiting;
using Polly;
using Polly.Retry;

namespace LogPipeline.Client;

/// <summary>
/// Repeats work that failed for a reason that passes, without a limit on the number of tries, with growing delays between them.
/// Everything resumes on the caller's synchronization context, by which agent, sinks and the simulator schedule.
/// </summary>
public sealed class RetryPolicy
{
    private readonly ResiliencePipeline _pipeline;

    /// <param name="time">The clock that the delays run on.</param>
    /// <param name="isPassing">Whether another try may succeed after this failure; any other failure is thrown at once.</param>
    /// <param name="delay">Returns the delay after so many failures, 0 being the first.</param>
    /// <param name="onRetry">Called before each delay with the failure and the delay.</param>
    public RetryPolicy(TimeProvider time, Func<Exception, bool> isPassing, Func<int, TimeSpan> delay, Action<Exception, TimeSpan>? onRetry = null)
    {
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = tried => ValueTask.FromResult(tried.Outcome.Exception is { } failure && isPassing(failure)),
                MaxRetryAttempts = int.MaxValue,
                DelayGenerator = tried => ValueTask.FromResult<TimeSpan?>(delay(tried.AttemptNumber)),
                OnRetry = tried =>
                {
                    onRetry?.Invoke(tried.Outcome.Exception!, tried.RetryDelay);
                    return default;
                },
            })
            .Build();
    }

    /// <summary>The same with the delays of <paramref name="backOff"/>, spread by <paramref name="chance"/>.</summary>
    public RetryPolicy(TimeProvider time, Func<Exception, bool> isPassing, BackOff backOff, Func<double> chance, Action<Exception, TimeSpan>? onRetry = null)
        : this(time, isPassing, failures => backOff.Delay(failures, chance()), onRetry)
    {
    }

    /// <summary>Runs the work until it succeeds; throws a failure that does not pass, or the cancellation.</summary>
    public async Task<T> RunAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellation)
    {
        ResilienceContext context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellation);
        try
        {
            return await _pipeline.ExecuteAsync(static (running, work) => work(running.CancellationToken), context, work);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
