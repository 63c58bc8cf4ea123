using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Tests.Golden;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests;

/// <summary>
/// The fuzz entry point: feeds bytes to every reader of the protocol. Only the exceptions that say "these bytes are wrong" may
/// come out, and nothing may be allocated beyond what the bytes pay for.
/// </summary>
public static class Fuzz
{
    private delegate void Reader(ReadOnlyMemory<byte> bytes);

    private static readonly Reader[] Readers = [.. MessageReaders(), ReadBatch, bytes => Frames.ReadRequestHeader(bytes, out _)];

    /// <summary>How many readers there are: the first byte of the input picks one.</summary>
    public static int ReaderCount => Readers.Length;

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
        catch (Exception e) when (e is MalformedMessageException or CorruptRecordException or UnsupportedCompressionException)
        {
            // What the readers promise for bytes that are wrong.
        }
    }

    private static IEnumerable<Reader> MessageReaders()
    {
        foreach ((Type request, Type response, Api api) in MessageCatalog.All)
        {
            foreach (IMessageCodec codec in (IMessageCodec[])[MessageCatalog.CodecOf(request), MessageCatalog.CodecOf(response)])
            {
                for (short version = api.MinVersion; version <= api.MaxVersion; version++)
                {
                    short v = version;
                    yield return bytes => codec.Read(bytes, v, api.IsFlexible(v), out _);
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
        var records = new RecordReader(decoder.Records(bytes.Span, header, 1 << 20), header);
        while (records.Read())
        {
            records.TryGetHeader("pos"u8, out _);
        }
    }
}
