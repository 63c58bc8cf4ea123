using System.Text;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests.Golden;

/// <summary>
/// Fills every field of a message that exists in a version, in wire order: arrays with two elements, the k-th primitive with a
/// value made from k. The golden bytes were made by the same rule from another implementation's schemas.
/// </summary>
internal ref struct GoldenFiller(short version, bool flexible) : IWire
{
    private int _k;

    public readonly short Version => version;

    public void Bool(ref bool value) => value = ++_k > 0;

    public void Int8(ref sbyte value) => value = (sbyte)((++_k % 100) + 1);

    public void Int16(ref short value) => value = (short)(300 + ++_k);

    public void Error(ref ErrorCode value) => value = (ErrorCode)(300 + ++_k);

    public void Int32(ref int value) => value = 100_000 + ++_k;

    public void Int64(ref long value) => value = 10_000_000_000 + ++_k;

    public void Uuid(ref Guid value)
    {
        int k = ++_k;
        value = new Guid([.. Enumerable.Range(0, 16).Select(i => (byte)(k + i))], bigEndian: true);
    }

    public void String(ref string value) => value = $"s{++_k}";

    public void NullableString(ref string? value, short from = 0, short to = short.MaxValue) => value = $"s{++_k}";

    public void Bytes(ref ReadOnlyMemory<byte> value) => value = Encoding.ASCII.GetBytes($"b{++_k}");

    public void NullableBytes(ref ReadOnlyMemory<byte>? value) => value = Encoding.ASCII.GetBytes($"b{++_k}");

    public void Records(ref RecordSet value) => value = new RecordSet(Encoding.ASCII.GetBytes($"b{++_k}"));

    public void Int8Array(ref List<sbyte> value) => value = [(sbyte)((++_k % 100) + 1), (sbyte)((++_k % 100) + 1)];

    public void Int32Array(ref List<int> value) => value = [100_000 + ++_k, 100_000 + ++_k];

    public void Int64Array(ref List<long> value) => value = [10_000_000_000 + ++_k, 10_000_000_000 + ++_k];

    public void StringArray(ref List<string> value) => value = [$"s{++_k}", $"s{++_k}"];

    public void NullableStringArray(ref List<string>? value) => value = [$"s{++_k}", $"s{++_k}"];

    public void Array<T>(ref List<T> value)
        where T : class, IWireStruct, new() => value = [Fill<T>(), Fill<T>()];

    public void NullableArray<T>(ref List<T>? value, short from = 0, short to = short.MaxValue)
        where T : class, IWireStruct, new() => value = [Fill<T>(), Fill<T>()];

    public readonly void End()
    {
    }

    /// <summary>Tags that the version does not have are filled too, but not counted: they are not written.</summary>
    public void End(ITaggedFields fields)
    {
        for (int tag = 0; flexible && tag < fields.TagCount; tag++)
        {
            int before = _k;
            fields.TransferTag(tag, ref this);
            if (!fields.HasTag(tag, version))
            {
                _k = before;
            }
        }
    }

    private T Fill<T>()
        where T : class, IWireStruct, new()
    {
        var item = new T();
        item.Transfer(ref this);
        return item;
    }
}
