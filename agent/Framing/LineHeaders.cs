using System.Buffers.Binary;
using System.Text;
using LogPipeline.Contract;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Framing;

/// <summary>The encoded headers of a file's records. Host, path, agent and generation are written once; a line changes 30 bytes.</summary>
internal sealed class LineHeaders
{
    private readonly byte[] _bytes;
    private readonly int _position;

    public LineHeaders(string host, string file, Guid agentId, ulong generation)
    {
        byte[] hostBytes = Encoding.UTF8.GetBytes(host);
        byte[] fileBytes = Encoding.UTF8.GetBytes(file);
        Span<byte> position = stackalloc byte[RecordPosition.Size];
        new RecordPosition(PositionFlags.None, agentId, generation, 0, 0, 0, 0, true).Write(position);
        _bytes = new byte[RecordHeaders.Size(PositionHeaders.Host.Length, hostBytes.Length)
            + RecordHeaders.Size(PositionHeaders.File.Length, fileBytes.Length)
            + RecordHeaders.Size(PositionHeaders.Position.Length, position.Length)];
        int at = RecordHeaders.Write(_bytes, PositionHeaders.Host, hostBytes);
        at += RecordHeaders.Write(_bytes.AsSpan(at), PositionHeaders.File, fileBytes);
        RecordHeaders.Write(_bytes.AsSpan(at), PositionHeaders.Position, position);
        _position = _bytes.Length - RecordPosition.Size;
        (Host, File, Count) = (hostBytes, fileBytes, 3);
    }

    private LineHeaders(byte[] bytes, LineHeaders like)
    {
        (_bytes, _position) = (bytes, bytes.Length - RecordPosition.Size);
        (Host, File, Count) = (like.Host, like.File, like.Count + 1);
    }

    /// <summary>How many headers a line has.</summary>
    public int Count { get; }

    public byte[] Host { get; }

    public byte[] File { get; }

    /// <summary>These headers with one more. The position stays the last, so that its fields stand at a fixed distance from the end.</summary>
    public LineHeaders With(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        int positionSize = RecordHeaders.Size(PositionHeaders.Position.Length, RecordPosition.Size);
        byte[] bytes = new byte[_bytes.Length + RecordHeaders.Size(name.Length, value.Length)];
        int at = _bytes.Length - positionSize;
        _bytes.AsSpan(0, at).CopyTo(bytes);
        at += RecordHeaders.Write(bytes.AsSpan(at), name, value);
        _bytes.AsSpan(_bytes.Length - positionSize).CopyTo(bytes.AsSpan(at));
        return new LineHeaders(bytes, this);
    }

    /// <summary>Bytes of the headers of a line.</summary>
    public int Length => _bytes.Length;

    /// <summary>The headers of one line that carries a file sum or none; good until the next call.</summary>
    public ReadOnlySpan<byte> For(in FramedLine line, long coveredBegin, int fileSum)
    {
        RecordPosition.WriteFileSum(_bytes.AsSpan(_position + RecordPosition.FileSumOffset), fileSum);
        return For(line, PositionFlags.None, coveredBegin);
    }

    /// <summary>The headers of one line; good until the next call.</summary>
    public ReadOnlySpan<byte> For(in FramedLine line, PositionFlags more, long coveredBegin)
    {
        Span<byte> position = _bytes.AsSpan(_position, RecordPosition.Size);
        position[RecordPosition.FlagsOffset] = (byte)(line.Flags | more);
        BinaryPrimitives.WriteInt64BigEndian(position[26..], coveredBegin);
        BinaryPrimitives.WriteInt64BigEndian(position[34..], line.LineBegin);
        BinaryPrimitives.WriteInt64BigEndian(position[42..], line.End);
        BinaryPrimitives.WriteInt32BigEndian(position[50..], line.Part);
        position[54] = line.IsLast ? (byte)1 : (byte)0;
        return _bytes;
    }
}
