using System.Buffers.Binary;
using System.Text;

namespace LogPipeline.Protocol.Wire;

/// <summary>
/// Reads a message from one frame. Every length is checked against the bytes that are left before anything is allocated; byte
/// fields are slices of the frame.
/// </summary>
/// <param name="frame">The message's bytes.</param>
/// <param name="version">Which version of the API they are in.</param>
/// <param name="flexible">Whether that version uses compact lengths and tags.</param>
/// <param name="elementsMax">
/// How many array elements the message may have in all. An element of two bytes becomes an object of fifty or more, so a bound on
/// the bytes alone bounds no memory.
/// </param>
public ref struct WireReader(ReadOnlyMemory<byte> frame, short version, bool flexible, int elementsMax = int.MaxValue) : IWire
{
    private readonly ReadOnlyMemory<byte> _frame = frame;
    private readonly ReadOnlySpan<byte> _bytes = frame.Span;
    private int _position;
    private int _elementsLeft = elementsMax;

    public readonly short Version => version;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _bytes.Length - _position;

    public void Bool(ref bool value) => value = Take(1)[0] != 0;

    public void Int8(ref sbyte value) => value = (sbyte)Take(1)[0];

    public void Int16(ref short value) => value = BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public void Error(ref ErrorCode value) => value = (ErrorCode)BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public void Int32(ref int value) => value = BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public void Int64(ref long value) => value = BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public void Uuid(ref Guid value) => value = new Guid(Take(16), bigEndian: true);

    public void String(ref string value) => value = Text(Length16()) ?? throw Malformed("null string");

    public void NullableString(ref string? value, short from = 0, short to = short.MaxValue)
    {
        value = Text(Length16());
        if (value is null && (version < from || version > to))
        {
            throw Malformed("null string");
        }
    }

    public void Bytes(ref ReadOnlyMemory<byte> value) => value = Slice(Length32()) ?? throw Malformed("null bytes");

    public void NullableBytes(ref ReadOnlyMemory<byte>? value) => value = Slice(Length32());

    public void Records(ref RecordSet value) => value = new RecordSet(Slice(Length32()) ?? default);

    public void Int8Array(ref List<sbyte> value)
    {
        int count = Count(1);
        value = new List<sbyte>(count);
        for (int i = 0; i < count; i++)
        {
            value.Add((sbyte)Take(1)[0]);
        }
    }

    public void Int32Array(ref List<int> value) => value = Ints(Length32()) ?? throw Malformed("null array");

    public void NullableInt32Array(ref List<int>? value) => value = Ints(Length32());

    public void Int64Array(ref List<long> value)
    {
        int count = Count(8);
        value = new List<long>(count);
        for (int i = 0; i < count; i++)
        {
            value.Add(BinaryPrimitives.ReadInt64BigEndian(Take(8)));
        }
    }

    public void StringArray(ref List<string> value) => value = Strings(Length32()) ?? throw Malformed("null array");

    public void NullableStringArray(ref List<string>? value) => value = Strings(Length32());

    public void Array<T>(ref List<T> value)
        where T : class, IWireStruct, new() => value = Structs<T>(Length32()) ?? throw Malformed("null array");

    public void NullableArray<T>(ref List<T>? value, short from = 0, short to = short.MaxValue)
        where T : class, IWireStruct, new()
    {
        value = Structs<T>(Length32());
        if (value is null && (version < from || version > to))
        {
            throw Malformed("null array");
        }
    }

    public void NullableStruct<T>(ref T? value)
        where T : class, IWireStruct, new()
    {
        value = (sbyte)Take(1)[0] < 0 ? null : new T();
        value?.Transfer(ref this);
    }

    public void End() => SkipTags(0, null);

    public void End(ITaggedFields fields) => SkipTags(fields.TagCount, fields);

    /// <summary>Reads a tag section, giving known fields to their struct and stepping over the others.</summary>
    private void SkipTags(int known, ITaggedFields? fields)
    {
        if (!flexible)
        {
            return;
        }
        int count = Unsigned();
        for (int previous = -1; count > 0; count--)
        {
            int tag = Unsigned();
            int size = Unsigned();
            if (tag <= previous)
            {
                throw Malformed("tags out of order");
            }
            previous = tag;
            if (size > Remaining)
            {
                throw Malformed($"tagged field of {size} bytes where {Remaining} are left");
            }
            if (tag < known)
            {
                var field = new WireReader(_frame.Slice(_position, size), version, flexible: true, _elementsLeft);
                fields!.TransferTag(tag, ref field);
                _elementsLeft = field._elementsLeft;
            }
            _position += size;
        }
    }

    /// <summary>The length of a string: -1 for null.</summary>
    private int Length16() => flexible ? Unsigned() - 1 : BinaryPrimitives.ReadInt16BigEndian(Take(2));

    /// <summary>The length of bytes or the count of an array: -1 for null.</summary>
    private int Length32() => flexible ? Unsigned() - 1 : BinaryPrimitives.ReadInt32BigEndian(Take(4));

    private int Count(int elementSize) => Counted(Length32(), elementSize);

    private int Counted(int count, int elementSize)
    {
        if (count < 0 || count > Remaining / elementSize)
        {
            throw Malformed($"array of {count} elements where {Remaining} bytes are left");
        }
        Spend(count);
        return count;
    }

    private void Spend(int elements)
    {
        _elementsLeft -= elements;
        if (_elementsLeft < 0)
        {
            throw Malformed("more array elements in one message than are allowed");
        }
    }

    private int Unsigned()
    {
        if (!Varint.TryReadUnsigned(_bytes[_position..], out ulong value, out int size) || value > int.MaxValue)
        {
            throw Malformed("bad varint");
        }
        _position += size;
        return (int)value;
    }

    private string? Text(int length) => length == -1 ? null : Encoding.UTF8.GetString(Take(length));

    private ReadOnlyMemory<byte>? Slice(int length)
    {
        if (length == -1)
        {
            return null;
        }
        Take(length);
        return _frame.Slice(_position - length, length);
    }

    private List<int>? Ints(int length)
    {
        if (length == -1)
        {
            return null;
        }
        int count = Counted(length, 4);
        var list = new List<int>(count);
        for (int i = 0; i < count; i++)
        {
            list.Add(BinaryPrimitives.ReadInt32BigEndian(Take(4)));
        }
        return list;
    }

    private List<string>? Strings(int count)
    {
        if (!IsArray(count))
        {
            return null;
        }
        var list = new List<string>(Math.Min(count, 64));
        for (; count > 0; count--)
        {
            list.Add(Text(Length16()) ?? throw Malformed("null string"));
        }
        return list;
    }

    private List<T>? Structs<T>(int count)
        where T : class, IWireStruct, new()
    {
        if (!IsArray(count))
        {
            return null;
        }
        var list = new List<T>(Math.Min(count, 64));
        for (; count > 0; count--)
        {
            var item = new T();
            item.Transfer(ref this);
            list.Add(item);
        }
        return list;
    }

    /// <summary>False for null. An element takes a byte at least, so a count beyond the bytes left is a lie.</summary>
    private bool IsArray(int count)
    {
        if (count == -1)
        {
            return false;
        }
        if (count < 0 || count > Remaining)
        {
            throw Malformed($"array of {count} elements where {Remaining} bytes are left");
        }
        Spend(count);
        return true;
    }

    private ReadOnlySpan<byte> Take(int size)
    {
        if ((uint)size > (uint)Remaining)
        {
            throw Malformed($"{size} bytes wanted where {Remaining} are left");
        }
        _position += size;
        return _bytes.Slice(_position - size, size);
    }

    private readonly MalformedMessageException Malformed(string what) => new(what, _position);
}
