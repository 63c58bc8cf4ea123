namespace LogPipeline.Protocol.Wire;

/// <summary>
/// One pass over a message, in field order, either way: a reader fills the fields it is given, a writer emits them. So a message
/// is described once for reading, writing and all its versions. Byte forms: kafka protocol guide, "Protocol Primitive Types".
/// </summary>
/// <remarks>
/// Flexible versions (KIP-482) use compact lengths and end every struct with a tag section; the codec knows, the message only
/// says where a struct ends. A reader throws <see cref="MalformedMessageException"/>; a writer never fails on valid fields.
/// </remarks>
public interface IWire
{
    /// <summary>The API version that is read or written.</summary>
    short Version { get; }

    void Bool(ref bool value);

    void Int8(ref sbyte value);

    void Int16(ref short value);

    /// <summary>An error code, an Int16 on the wire; codes unknown to us pass through.</summary>
    void Error(ref ErrorCode value);

    void Int32(ref int value);

    void Int64(ref long value);

    void Uuid(ref Guid value);

    void String(ref string value);

    /// <summary>A string that may be null from version <paramref name="from"/> up to <paramref name="to"/>.</summary>
    void NullableString(ref string? value, short from = 0, short to = short.MaxValue);

    /// <summary>Bytes; a reader returns a slice of the frame, valid as long as the frame's buffer.</summary>
    void Bytes(ref ReadOnlyMemory<byte> value);

    /// <summary>Bytes or null.</summary>
    void NullableBytes(ref ReadOnlyMemory<byte>? value);

    /// <summary>Record batches; a reader returns a slice of the frame and reads null as empty, a writer may splice a file in.</summary>
    void Records(ref RecordSet value);

    void Int8Array(ref List<sbyte> value);

    void Int32Array(ref List<int> value);

    void NullableInt32Array(ref List<int>? value);

    void Int64Array(ref List<long> value);

    void StringArray(ref List<string> value);

    void NullableStringArray(ref List<string>? value);

    void Array<T>(ref List<T> value)
        where T : class, IWireStruct, new();

    /// <summary>An array that may be null from version <paramref name="from"/> up to <paramref name="to"/>.</summary>
    void NullableArray<T>(ref List<T>? value, short from = 0, short to = short.MaxValue)
        where T : class, IWireStruct, new();

    /// <summary>A struct or null, which a byte before it says: 1 or -1.</summary>
    void NullableStruct<T>(ref T? value)
        where T : class, IWireStruct, new();

    /// <summary>The end of a struct without tagged fields of ours; unknown ones are skipped.</summary>
    void End();

    /// <summary>The end of a struct with tagged fields.</summary>
    void End(ITaggedFields fields);
}

/// <summary>A message or a part of one.</summary>
public interface IWireStruct
{
    /// <summary>Passes every field of <c>wire.Version</c> in wire order and ends with <c>wire.End</c>.</summary>
    void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct;
}

/// <summary>A struct with tagged fields, numbered from 0 without holes.</summary>
public interface ITaggedFields
{
    /// <summary>How many tags are known.</summary>
    int TagCount { get; }

    /// <summary>Whether the field differs from its default and exists in this version, so that it is to be written.</summary>
    bool HasTag(int tag, short version);

    /// <summary>Passes the one field.</summary>
    void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct;
}

/// <summary>The body of a request; its response is <typeparamref name="TResponse"/>.</summary>
public interface IRequest<TResponse> : IWireStruct
    where TResponse : class, IWireStruct, new()
{
    /// <summary>Key, versions and first flexible version.</summary>
    static abstract Api Api { get; }
}
