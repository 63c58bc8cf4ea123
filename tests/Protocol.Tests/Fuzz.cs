using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;
using LogPipeline.Protocol.Tests.Golden;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests;

/// <summary>
/// The fuzz entry point: feeds bytes to every reader of the protocol. Only the exceptions that say "these bytes are wrong" may
/// come out, and nothing may be allocated beyond what the bytes pay for. Random damage of valid bytes is enough here: guided by coverage
/// (SharpFuzz) the same readers came to 2,142 branches in a minute, without guidance to 2,137.
/// </summary>
public static class Fuzz
{
    private delegate void Reader(ReadOnlyMemory<byte> bytes);

    private static readonly List<(ApiKey Key, bool IsRequest, short Version, Reader Read)> MessageReaders = [.. ReadersOfMessages()];
    private static readonly Reader[] Readers =
        [.. MessageReaders.Select(static reader => reader.Read), ReadBatch, ReadMessageSet, static bytes => Frames.ReadRequestHeader(bytes, out _)];

    /// <summary>How many readers there are: the first two bytes of the input pick one.</summary>
    public static int ReaderCount => Readers.Length;

    /// <summary>The reader of record batches.</summary>
    public static int BatchReader => MessageReaders.Count;

    /// <summary>The reader of message sets of format 0 and 1.</summary>
    public static int MessageSetReader => BatchReader + 1;

    /// <summary>The reader of a message.</summary>
    public static int ReaderOf(ApiKey key, bool isRequest, short version) =>
        MessageReaders.FindIndex(reader => reader.Key == key && reader.IsRequest == isRequest && reader.Version == version);

    /// <summary>Runs one input.</summary>
    public static void One(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2)
        {
            return;
        }
        One(input[0] | (input[1] << 8), input[2..].ToArray());
    }

    /// <summary>Runs one input through one reader.</summary>
    public static void One(int reader, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            Readers[reader % Readers.Length](bytes);
        }
        catch (Exception e) when (e is MalformedMessageException or CorruptRecordException or InvalidRecordException or UnsupportedCompressionException)
        {
            // What the readers promise for bytes that are wrong.
        }
    }

    private static IEnumerable<(ApiKey Key, bool IsRequest, short Version, Reader Read)> ReadersOfMessages()
    {
        foreach ((Type request, Type response, Api api) in MessageCatalog.All)
        {
            foreach (bool isRequest in (bool[])[true, false])
            {
                IMessageCodec codec = MessageCatalog.CodecOf(isRequest ? request : response);
                for (short version = api.MinVersion; version <= api.MaxVersion; version++)
                {
                    short v = version;
                    yield return (api.Key, isRequest, v, bytes => codec.Read(bytes, v, api.IsFlexible(v), out _));
                }
            }
        }
    }

    private static void ReadBatch(ReadOnlyMemory<byte> bytes)
    {
        if (!BatchHeader.TryParse(bytes.Span, out BatchHeader header))
        {
            return;
        }
        using var decoder = new BatchDecoder();
        ReadOnlySpan<byte> plain = decoder.Records(bytes.Span, header, 1 << 20);
        string? problem = RecordScan.Problem(plain, in header, out _);
        ConvertBatch(bytes.Span, in header);
        try
        {
            var records = new RecordReader(plain, header);
            while (records.Read())
            {
                records.TryGetHeader("pos"u8, out _);
            }
        }
        catch (CorruptRecordException e) when (problem is null && header.LastOffsetDelta == header.RecordCount - 1)
        {
            throw new InvalidOperationException("the scan took records that no reader can read", e);
        }
    }

    private static void ConvertBatch(ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        try
        {
            using var down = new DownConverter();
            down.TryAppend(batch, in header, magic: (sbyte)(batch[^1] & 1), fromOffset: 0, 1 << 20, 1 << 20);
        }
        catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException)
        {
            // As of any reader.
        }
    }

    // To format 2, and what it became back to its own format: what was taken once must not be refused then.
    private static void ReadMessageSet(ReadOnlyMemory<byte> bytes)
    {
        using var up = new UpConverter();
        Memory<byte> batch = up.Convert(bytes.Span, codec: null, level: null, new ConversionLimits(1 << 20, 1 << 20));
        if (!BatchHeader.TryParse(batch.Span, out BatchHeader header))
        {
            throw new InvalidOperationException("a message set became no batch");
        }
        using var down = new DownConverter();
        if (!down.TryAppend(batch.Span, in header, magic: (sbyte)bytes.Span[16], fromOffset: 0, int.MaxValue, 1 << 20) || down.Length == 0)
        {
            throw new InvalidOperationException("a batch made of a message set became none again");
        }
    }
}
