using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests.Golden;

/// <summary>
/// Fills a message in wire order by one counter: each value takes the next number n. int8 n % 100 + 1, int16 1000 + n, int32
/// 100000 + n, int64 10^10 + n, text "s" + n, bytes n, n + 1, n + 2, uuid (7, n), bool true; arrays get two elements. The maker
/// of the golden bytes walked Kafka's schemas by the same rule.
/// </summary>
/// <param name="version">The version filled for.</param>
/// <param name="flexible">Whether it has tag sections.</param>
/// <param name="nulls">Null wherever the version allows it; that takes no number.</param>
public struct GoldenFill(short version, bool flexible, bool nulls) : IWire
{
    private int _n;

    public readonly short Version => version;

    public void Bool(ref bool value)
    {
        _n++;
        value = true;
    }

    public void Int8(ref sbyte value) => value = (sbyte)((++_n % 100) + 1);

    public void Int16(ref short value) => value = (short)(1000 + ++_n);

    public void Error(ref ErrorCode value) => value = (ErrorCode)(1000 + ++_n);

    public void Int32(ref int value) => value = 100000 + ++_n;

    public void Int64(ref long value) => value = 10000000000L + ++_n;

    public void Uuid(ref Guid value)
    {
        byte[] bytes = new byte[16];
        bytes[7] = 7;
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), ++_n);
        value = new Guid(bytes, bigEndian: true);
    }

    public void String(ref string value) => value = $"s{++_n}";

    public void NullableString(ref string? value, short from = 0, short to = short.MaxValue) =>
        value = IsNull(from, to) ? null : $"s{++_n}";

    public void Bytes(ref ReadOnlyMemory<byte> value) => value = Three();

    public void NullableBytes(ref ReadOnlyMemory<byte>? value) => value = nulls ? null : Three();

    public void Records(ref RecordSet value) => value = new RecordSet(Three());

    public void Int8Array(ref List<sbyte> value)
    {
        sbyte a = 0, b = 0;
        Int8(ref a);
        Int8(ref b);
        value = [a, b];
    }

    public void Int32Array(ref List<int> value)
    {
        int a = 0, b = 0;
        Int32(ref a);
        Int32(ref b);
        value = [a, b];
    }

    public void NullableInt32Array(ref List<int>? value)
    {
        value = nulls ? null : [];
        if (value is not null)
        {
            Int32Array(ref value);
        }
    }

    public void Int64Array(ref List<long> value)
    {
        long a = 0, b = 0;
        Int64(ref a);
        Int64(ref b);
        value = [a, b];
    }

    public void StringArray(ref List<string> value) => value = [$"s{++_n}", $"s{++_n}"];

    public void NullableStringArray(ref List<string>? value) => value = nulls ? null : [$"s{++_n}", $"s{++_n}"];

    public void Array<T>(ref List<T> value)
        where T : class, IWireStruct, new()
    {
        value = [new T(), new T()];
        value[0].Transfer(ref this);
        value[1].Transfer(ref this);
    }

    public void NullableArray<T>(ref List<T>? value, short from = 0, short to = short.MaxValue)
        where T : class, IWireStruct, new()
    {
        value = IsNull(from, to) ? null : [];
        if (value is not null)
        {
            Array(ref value);
        }
    }

    public void NullableStruct<T>(ref T? value)
        where T : class, IWireStruct, new()
    {
        value = nulls ? null : new T();
        value?.Transfer(ref this);
    }

    public readonly void End()
    {
    }

    /// <summary>Fills the tagged fields that the version has: a field that is not written after filling takes no number.</summary>
    public void End(ITaggedFields fields)
    {
        for (int tag = 0; flexible && tag < fields.TagCount; tag++)
        {
            int before = _n;
            fields.TransferTag(tag, ref this);
            _n = fields.HasTag(tag, version) ? _n : before;
        }
    }

    private readonly bool IsNull(short from, short to) => nulls && version >= from && version <= to;

    private byte[] Three()
    {
        _n++;
        return [(byte)_n, (byte)(_n + 1), (byte)(_n + 2)];
    }
}
