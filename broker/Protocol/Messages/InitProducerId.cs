using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>InitProducerId: an id and epoch for an idempotent or transactional producer.</summary>
public sealed class InitProducerIdRequest : IRequest<InitProducerIdResponse>
{
    public static Api Api { get; } = new(ApiKey.InitProducerId, 0, 5, 2);

    public string? TransactionalId;
    public int TransactionTimeoutMs;
    /// <summary>Version 3 and later.</summary>
    public long ProducerId = -1;
    /// <summary>Version 3 and later.</summary>
    public short ProducerEpoch = -1;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.NullableString(ref TransactionalId);
        wire.Int32(ref TransactionTimeoutMs);
        if (wire.Version >= 3)
        {
            wire.Int64(ref ProducerId);
            wire.Int16(ref ProducerEpoch);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="InitProducerIdRequest"/>.</summary>
public sealed class InitProducerIdResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public long ProducerId = -1;
    public short ProducerEpoch;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Error(ref ErrorCode);
        wire.Int64(ref ProducerId);
        wire.Int16(ref ProducerEpoch);
        wire.End();
    }
}
