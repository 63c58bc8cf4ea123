using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DeleteTopics: by name, from version 6 by id.</summary>
public sealed class DeleteTopicsRequest : IRequest<DeleteTopicsResponse>
{
    public static Api Api { get; } = new(ApiKey.DeleteTopics, 0, 6, 4);

    /// <summary>Up to version 5.</summary>
    public List<string> TopicNames = [];
    /// <summary>Version 6 and later.</summary>
    public List<Topic> Topics = [];
    public int TimeoutMs;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version <= 5)
        {
            wire.StringArray(ref TopicNames);
        }
        if (wire.Version >= 6)
        {
            wire.Array(ref Topics);
        }
        wire.Int32(ref TimeoutMs);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Version 6 and later.</summary>
        public string? Name;
        /// <summary>Version 6 and later.</summary>
        public Guid TopicId;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.NullableString(ref Name);
            wire.Uuid(ref TopicId);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="DeleteTopicsRequest"/>.</summary>
public sealed class DeleteTopicsResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    public List<Response> Responses = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Array(ref Responses);
        wire.End();
    }

    public sealed class Response : IWireStruct
    {
        public string? Name;
        /// <summary>Version 6 and later.</summary>
        public Guid TopicId;
        public ErrorCode ErrorCode;
        /// <summary>Version 5 and later.</summary>
        public string? ErrorMessage;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.NullableString(ref Name, from: 6);
            if (wire.Version >= 6)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Error(ref ErrorCode);
            if (wire.Version >= 5)
            {
                wire.NullableString(ref ErrorMessage);
            }
            wire.End();
        }
    }
}
