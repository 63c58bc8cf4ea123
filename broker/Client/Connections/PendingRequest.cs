using System.Buffers.Binary;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Connections;

/// <summary>One request from its queueing to its answer. Its state is guarded by the pipeline's lock.</summary>
internal abstract class PendingRequest(Api api, short version, int correlationId, FrameBuffer frame)
{
    /// <summary>Where it stands.</summary>
    public enum Phase
    {
        Queued,
        Writing,
        Sent,
    }

    public Api Api { get; } = api;

    public short Version { get; } = version;

    public int CorrelationId { get; } = correlationId;

    public FrameBuffer Frame { get; } = frame;

    public Phase State { get; set; }

    /// <summary>Whether its caller has stopped waiting; its answer is read and dropped.</summary>
    public bool IsCancelled { get; set; }

    /// <summary>Whether its answer is here: it cannot be overdue any more.</summary>
    public bool IsAnswered { get; set; }

    /// <summary>In the time provider's timestamps.</summary>
    public long Deadline { get; init; }

    public TimeSpan Timeout { get; init; }

    /// <summary>False for produce requests with acks 0: done when written.</summary>
    public bool ExpectsAnswer { get; init; } = true;

    /// <summary>Whether the answer's bytes are handed out in a lease.</summary>
    public virtual bool TakesLease => false;

    /// <summary>Takes the answer; <paramref name="lease"/> is given exactly if <see cref="TakesLease"/>.</summary>
    public abstract void Complete(ReadOnlyMemory<byte> answer, FrameLease? lease);

    public abstract void Fail(Exception reason);

    public abstract void Cancel(CancellationToken ct);

    /// <summary>The version of the answer: a broker that does not know the ApiVersions version asked for answers error 35 in version 0.</summary>
    protected short AnswerVersion(ReadOnlyMemory<byte> answer) =>
        Api.Key == ApiKey.ApiVersions && answer.Length >= 6
        && (ErrorCode)BinaryPrimitives.ReadInt16BigEndian(answer.Span[4..]) == ErrorCode.UnsupportedVersion
            ? (short)0
            : Version;
}

/// <summary>A request whose answer owns its bytes.</summary>
internal sealed class PendingRequest<TResponse>(Api api, short version, int correlationId, FrameBuffer frame)
    : PendingRequest(api, version, correlationId, frame)
    where TResponse : class, IWireStruct, new()
{
    private readonly TaskCompletionSource<TResponse> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TResponse> Answer => _answer.Task;

    public override void Complete(ReadOnlyMemory<byte> answer, FrameLease? lease) =>
        _answer.TrySetResult(ExpectsAnswer ? Frames.ReadResponse<TResponse>(Api, answer, AnswerVersion(answer)) : new TResponse());

    public override void Fail(Exception reason) => _answer.TrySetException(reason);

    public override void Cancel(CancellationToken ct) => _answer.TrySetCanceled(ct);
}

/// <summary>A request whose answer is slices of a pooled frame.</summary>
internal sealed class LeasedRequest<TResponse>(Api api, short version, int correlationId, FrameBuffer frame)
    : PendingRequest(api, version, correlationId, frame)
    where TResponse : class, IWireStruct, new()
{
    private readonly TaskCompletionSource<Leased<TResponse>> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<Leased<TResponse>> Answer => _answer.Task;

    public override bool TakesLease => true;

    public override void Complete(ReadOnlyMemory<byte> answer, FrameLease? lease)
    {
        TResponse response = Frames.ReadResponse<TResponse>(Api, answer, Version);
        lease!.Retain();
        if (!_answer.TrySetResult(new Leased<TResponse>(response, lease)))
        {
            lease.Release();
        }
    }

    public override void Fail(Exception reason) => _answer.TrySetException(reason);

    public override void Cancel(CancellationToken ct) => _answer.TrySetCanceled(ct);
}
