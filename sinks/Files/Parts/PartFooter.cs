using System.Buffers;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>
/// Puts right what the library says of columns in a Parquet file's footer. It writes the least and greatest time in milliseconds into columns of
/// microseconds, and compares texts by UTF-16: a reader that leaves row groups out by them would miss rows. Times get theirs, texts get none.
/// </summary>
/// <remarks>
/// The footer is a struct of Thrift's compact protocol. Statistics lie in its field 4 (row groups), 1 (columns), 3 (metadata), 12; all else is copied
/// as it is. Their places in the footer are of no meaning to anything, so their length may change.
/// </remarks>
internal ref struct PartFooter
{
    private static readonly int[] PathToStatistics = [4, 1, 3, 12];

    private readonly ReadOnlySpan<byte> _footer;
    private readonly IReadOnlyList<PartStatistics?> _statistics;
    private readonly ArrayBufferWriter<byte> _corrected = new();
    private int _at;
    private int _copied;
    private int _column;

    private PartFooter(ReadOnlySpan<byte> footer, IReadOnlyList<PartStatistics?> statistics)
    {
        _footer = footer;
        _statistics = statistics;
    }

    /// <param name="footer">Without its length and the mark behind it.</param>
    /// <param name="statistics">Of each column of each row group, in order; null: as the library has them.</param>
    public static ReadOnlySpan<byte> Correct(ReadOnlySpan<byte> footer, IReadOnlyList<PartStatistics?> statistics)
    {
        var walk = new PartFooter(footer, statistics);
        walk.Struct(0);
        if (walk._column != statistics.Count)
        {
            throw new InvalidDataException($"the footer tells of {walk._column} columns, {statistics.Count} were written");
        }
        walk._corrected.Write(footer[walk._copied..]);
        return walk._corrected.WrittenSpan;
    }

    /// <param name="depth">How much of the path to the statistics was taken; -1 off it.</param>
    private void Struct(int depth)
    {
        int field = 0;
        while (_footer[_at++] is not 0 and byte header)
        {
            field = header >> 4 == 0 ? (int)(Number() >> 1) : field + (header >> 4);
            bool isOnPath = depth >= 0 && PathToStatistics[depth] == field;
            Value(header & 0x0f, isOnPath ? depth + 1 : -1, isElement: false);
        }
    }

    private void Value(int type, int depth, bool isElement)
    {
        switch (type)
        {
            case 1 or 2: // a boolean: the field's header is its value
                _at += isElement ? 1 : 0;
                break;
            case 3:
                _at++;
                break;
            case 4 or 5 or 6:
                Number();
                break;
            case 7:
                _at += sizeof(double);
                break;
            case 8:
                int length = (int)Number();
                _at += length;
                break;
            case 9 or 10:
                List(depth);
                break;
            case 12 when depth == PathToStatistics.Length:
                Statistics();
                break;
            case 12:
                Struct(depth);
                break;
            default:
                throw new InvalidDataException($"the footer has a value of type {type}");
        }
    }

    private void List(int depth)
    {
        byte header = _footer[_at++];
        int count = header >> 4 == 15 ? (int)Number() : header >> 4;
        for (int i = 0; i < count; i++)
        {
            Value(header & 0x0f, depth, isElement: true);
        }
    }

    private void Statistics()
    {
        int begin = _at;
        Struct(-1);
        if (_statistics[_column++] is { } right)
        {
            _corrected.Write(_footer[_copied..begin]);
            right.Write(_corrected);
            _copied = _at;
        }
    }

    private ulong Number()
    {
        ulong number = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = _footer[_at++];
            number |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return number;
            }
        }
    }
}
