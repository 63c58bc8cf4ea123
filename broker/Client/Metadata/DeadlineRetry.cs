using System.Net.Sockets;
using LogPipeline.Protocol;

namespace LogPipeline.Client.Metadata;

/// <summary>
/// Repeats a request that failed for a passing reason (no broker, a broken connection, a retriable error code) until a deadline. Then it
/// throws the last failure, or <see cref="BrokerUnreachableException"/> when the first attempt is still waiting. Any other failure is thrown
/// at once.
/// </summary>
internal sealed class DeadlineRetry(ClientOptions options, TimeProvider time, Func<double> chance)
{
    private readonly RetryPolicy _policy = new(time, IsTransient, options.BackOff, chance);

    /// <summary>Whether trying again may help.</summary>
    public static bool IsTransient(Exception? exception) =>
        exception is IOException or SocketException || exception is BrokerErrorException { Code: var code } && code.IsRetriable();

    /// <summary>Runs <paramref name="attempt"/>, which receives its number from 0, until it succeeds or <paramref name="limit"/> has passed.</summary>
    public async ValueTask<T> RunAsync<T>(Func<int, CancellationToken, ValueTask<T>> attempt, TimeSpan limit, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        Exception? last = null;
        int number = 0;
        try
        {
            return await _policy.RunAsync(
                async inner =>
                {
                    try
                    {
                        return await attempt(number++, inner);
                    }
                    catch (Exception e) when (IsTransient(e))
                    {
                        last = e;
                        throw;
                    }
                },
                either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw last ?? new BrokerUnreachableException($"no answer within {limit.TotalSeconds:0.###} s");
        }
    }
}
