using System.Buffers.Binary;
using System.Text;

namespace LogPipeline.Protocol.Wire;

/// <summary>Writes a message into a frame.</summary>
public ref struct WireWriter(FrameBuffer frame, short version, bool flexible) : IWire
{
    /// <summary>Records up to this size are copied into the frame: one send is cheaper than three.</summary>
    private const int CopyBelow = 4096;

    public readonly short Version => version;

    public readonly void Bool(ref bool value) => frame.Append(1)[0] = value ? (byte)1 : (byte)0;

    public readonly void Int8(ref sbyte value) => frame.Append(1)[0] = (byte)value;

    public readonly void Int16(ref short value) => BinaryPrimitives.WriteInt16BigEndian(frame.Append(2), value);

    public readonly void Error(ref ErrorCode value) => BinaryPrimitives.WriteInt16BigEndian(frame.Append(2), (short)value);

    public readonly void Int32(ref int value) => BinaryPrimitives.WriteInt32BigEndian(frame.Append(4), value);

    public readonly void Int64(ref long value) => BinaryPrimitives.WriteInt64BigEndian(frame.Append(8), value);

    public readonly void Uuid(ref Guid value) => value.TryWriteBytes(frame.Append(16), bigEndian: true, out _);

    public readonly void String(ref string value) => Text(value);

    public readonly void NullableString(ref string? value, short from = 0, short to = short.MaxValue) =>
        Text(value ?? (version < from || version > to ? "" : null));

    public readonly void Bytes(ref ReadOnlyMemory<byte> value)
    {
        Length32(value.Length);
        value.Span.CopyTo(frame.Append(value.Length));
    }

    public readonly void NullableBytes(ref ReadOnlyMemory<byte>? value)
    {
        Length32(value?.Length ?? -1);
        value?.Span.CopyTo(frame.Append(value.Value.Length));
    }

    public readonly void Records(ref RecordSet value)
    {
        Length32(value.Length);
        if (value.Source is not null || value.Length > CopyBelow)
        {
            frame.AppendSplice(value);
        }
        else
        {
            value.Memory.Span.CopyTo(frame.Append(value.Length));
        }
    }

    public readonly void Int8Array(ref List<sbyte> value)
    {
        Length32(value.Count);
        foreach (sbyte item in value)
        {
            frame.Append(1)[0] = (byte)item;
        }
    }

    public readonly void Int32Array(ref List<int> value)
    {
        Length32(value.Count);
        foreach (int item in value)
        {
            BinaryPrimitives.WriteInt32BigEndian(frame.Append(4), item);
        }
    }

    public readonly void NullableInt32Array(ref List<int>? value)
    {
        if (value is null)
        {
            Length32(-1);
        }
        else
        {
            Int32Array(ref value);
        }
    }

    public readonly void Int64Array(ref List<long> value)
    {
        Length32(value.Count);
        foreach (long item in value)
        {
            BinaryPrimitives.WriteInt64BigEndian(frame.Append(8), item);
        }
    }

    public readonly void StringArray(ref List<string> value) => Strings(value);

    public readonly void NullableStringArray(ref List<string>? value) => Strings(value);

    public void Array<T>(ref List<T> value)
        where T : class, IWireStruct, new() => Structs(value);

    public void NullableArray<T>(ref List<T>? value, short from = 0, short to = short.MaxValue)
        where T : class, IWireStruct, new() => Structs(value ?? (version < from || version > to ? [] : null));

    public void NullableStruct<T>(ref T? value)
        where T : class, IWireStruct, new()
    {
        frame.Append(1)[0] = value is null ? (byte)0xff : (byte)1;
        value?.Transfer(ref this);
    }

    public readonly void End()
    {
        if (flexible)
        {
            frame.Append(1)[0] = 0;
        }
    }

    public readonly void End(ITaggedFields fields)
    {
        if (!flexible)
        {
            return;
        }
        int count = 0;
        for (int tag = 0; tag < fields.TagCount; tag++)
        {
            count += fields.HasTag(tag, version) ? 1 : 0;
        }
        Unsigned(count);
        for (int tag = 0; count > 0 && tag < fields.TagCount; tag++)
        {
            if (fields.HasTag(tag, version))
            {
                WriteTag(fields, tag);
            }
        }
    }

    /// <summary>A tagged field says its size first, so it is written aside and then copied; they are rare.</summary>
    private readonly void WriteTag(ITaggedFields fields, int tag)
    {
        using var aside = new FrameBuffer();
        var field = new WireWriter(aside, version, flexible: true);
        fields.TransferTag(tag, ref field);
        Unsigned(tag);
        Unsigned(aside.Length);
        aside.Bytes.Span.CopyTo(frame.Append(aside.Length));
    }

    private readonly void Text(string? value)
    {
        int length = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        if (flexible)
        {
            Unsigned(length + 1);
        }
        else
        {
            BinaryPrimitives.WriteInt16BigEndian(frame.Append(2), checked((short)length));
        }
        if (length > 0)
        {
            Encoding.UTF8.GetBytes(value!, frame.Append(length));
        }
    }

    private readonly void Strings(List<string>? value)
    {
        Length32(value?.Count ?? -1);
        foreach (string item in value ?? [])
        {
            Text(item);
        }
    }

    private void Structs<T>(List<T>? value)
        where T : class, IWireStruct, new()
    {
        Length32(value?.Count ?? -1);
        foreach (T item in value ?? [])
        {
            item.Transfer(ref this);
        }
    }

    private readonly void Length32(int length)
    {
        if (flexible)
        {
            Unsigned(length + 1);
        }
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(frame.Append(4), length);
        }
    }

    private readonly void Unsigned(int value) =>
        Varint.WriteUnsigned(frame.Append(Varint.UnsignedSize((ulong)value)), (ulong)value);
}
