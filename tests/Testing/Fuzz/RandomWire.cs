using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Records;

namespace LogPipeline.Testing.Fuzz;

/// <summary>Fills a message with values that a broker might stumble over: edges, known and unknown names, batches sound and not.</summary>
internal struct RandomWire(Random random, short version) : IWire
{
    private static readonly string[] Names =
        ["t", "t", "t", "u", "g", "consumer", "range", "", ".", "__consumer_offsets", "bad name", new string('n', 300), "test-1", "2", "\u00e9\ud83d\ude00"];

    private int _depth;

    public readonly short Version => version;

    public readonly void Bool(ref bool value) => value = random.Next(2) == 0;

    public readonly void Int8(ref sbyte value) => value = (sbyte)Number(sbyte.MinValue, sbyte.MaxValue);

    public readonly void Int16(ref short value) => value = (short)Number(short.MinValue, short.MaxValue);

    public readonly void Error(ref ErrorCode value) => value = (ErrorCode)random.Next(-1, 100);

    public readonly void Int32(ref int value) => value = (int)Number(int.MinValue, int.MaxValue);

    public readonly void Int64(ref long value) => value = Number(long.MinValue, long.MaxValue);

    public readonly void Uuid(ref Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        value = random.Next(2) == 0 ? Guid.Empty : new Guid(bytes);
    }

    public readonly void String(ref string value) => value = Name();

    public readonly void NullableString(ref string? value, short from = 0, short to = short.MaxValue) =>
        value = version >= from && version <= to && random.Next(4) == 0 ? null : Name();

    public readonly void Bytes(ref ReadOnlyMemory<byte> value) => value = Blob();

    public readonly void NullableBytes(ref ReadOnlyMemory<byte>? value)
    {
        value = null;
        if (random.Next(3) > 0)
        {
            value = Blob();
        }
    }

    public readonly void Records(ref RecordSet value) => value = new RecordSet(random.Next(5) switch
    {
        0 => Blob(),
        1 => Damaged(Batch(random.Next(1, 4))),
        2 => MessageSet(),
        3 => Damaged(MessageSet()),
        _ => Batch(random.Next(1, 4), random.Next(3) == 0 ? random.Next(3) : -1, 0, random.Next(3)),
    });

    private readonly byte[] MessageSet()
    {
        byte[] message = OldMessages.Message(random.Next(2), "k", new string('v', random.Next(300)));
        return random.Next(2) == 0 ? [.. message, .. message] : OldMessages.Wrapper(message[16], message, message);
    }

    public readonly void Int8Array(ref List<sbyte> value) => value = [.. Enumerable.Range(0, random.Next(4)).Select(i => (sbyte)i)];

    public readonly void Int32Array(ref List<int> value)
    {
        value = [];
        for (int count = random.Next(5); count > 0; count--)
        {
            value.Add((int)Number(int.MinValue, int.MaxValue));
        }
    }

    public readonly void NullableInt32Array(ref List<int>? value)
    {
        if (random.Next(4) == 0)
        {
            value = null;
            return;
        }
        List<int> numbers = [];
        Int32Array(ref numbers);
        value = numbers;
    }

    public readonly void Int64Array(ref List<long> value) => value = [random.NextInt64()];

    public readonly void StringArray(ref List<string> value)
    {
        value = [];
        for (int count = random.Next(4); count > 0; count--)
        {
            value.Add(Name());
        }
    }

    public readonly void NullableStringArray(ref List<string>? value)
    {
        if (random.Next(4) == 0)
        {
            value = null;
            return;
        }
        List<string> names = [];
        StringArray(ref names);
        value = names;
    }

    public void Array<T>(ref List<T> value)
        where T : class, IWireStruct, new()
    {
        value = [];
        _depth++;
        for (int count = _depth > 4 ? 0 : random.Next(4); count > 0; count--)
        {
            var item = new T();
            item.Transfer(ref this);
            value.Add(item);
        }
        _depth--;
    }

    public void NullableArray<T>(ref List<T>? value, short from = 0, short to = short.MaxValue)
        where T : class, IWireStruct, new()
    {
        if (version >= from && version <= to && random.Next(4) == 0)
        {
            value = null;
            return;
        }
        List<T> items = [];
        Array(ref items);
        value = items;
    }

    public void NullableStruct<T>(ref T? value)
        where T : class, IWireStruct, new()
    {
        value = random.Next(2) == 0 ? null : new T();
        value?.Transfer(ref this);
    }

    public readonly void End()
    {
    }

    public void End(ITaggedFields fields)
    {
        for (int tag = 0; tag < fields.TagCount; tag++)
        {
            if (random.Next(2) == 0)
            {
                fields.TransferTag(tag, ref this);
            }
        }
    }

    // Mostly what works, so that a request gets past its first check.
    private readonly long Number(long min, long max) => random.Next(10) switch
    {
        0 => -1,
        1 => -2,
        2 => min,
        3 => max,
        4 => random.Next(100_000) is var large && large <= max ? large : 1,
        5 => random.Next(2, 5),
        6 => 1,
        _ => 0,
    };

    private readonly string Name() => Names[random.Next(Names.Length)];

    private readonly byte[] Blob()
    {
        byte[] bytes = new byte[random.Next(40)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Batch(int records, long producerId = -1, short epoch = -1, int sequence = -1)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        for (int i = 0; i < records; i++)
        {
            builder.TryAppend(OldMessages.Time + i, new byte[10]);
        }
        return builder.Build(producerId, epoch, sequence).ToArray();
    }

    private readonly byte[] Damaged(byte[] bytes)
    {
        bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }
}
