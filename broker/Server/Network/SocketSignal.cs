using System.Threading.Tasks.Sources;

namespace LogPipeline.Broker.Network;

/// <summary>One awaiter at a time, released by <see cref="Set"/> on the caller's thread; used over and over without allocation.</summary>
internal sealed class SocketSignal : IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _core;

    public ValueTask<int> Arm()
    {
        _core.Reset();
        return new ValueTask<int>(this, _core.Version);
    }

    public void Set(int value) => _core.SetResult(value);

    public void Fail(Exception cause) => _core.SetException(cause);

    int IValueTaskSource<int>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
