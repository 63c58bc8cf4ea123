using System.Buffers;
using System.IO.Hashing;
using LogPipeline.Sinks.Files;
using LogPipeline.Sinks.Files.Parts;

namespace LogPipeline.Sinks.Verification.Outputs;

/// <summary>
/// The lines of files and of rendered rows as hashes. A line ends with its line feed: a row that has one within it is several lines, on both sides
/// alike, so no format needs to be read back.
/// </summary>
internal static class LineHashes
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Takes a line of a file.</summary>
    /// <param name="stretch">In which it is.</param>
    /// <param name="number">Counts from 1 within the file.</param>
    /// <param name="hash">Of its bytes.</param>
    public delegate void Visitor(OutputStretch stretch, long number, ulong hash);

    /// <summary>Walks the lines of rendered rows.</summary>
    public static void OfRow(ReadOnlySpan<byte> row, List<ulong> into)
    {
        while (row.IndexOf((byte)'\n') is >= 0 and int feed)
        {
            into.Add(Of(row[..feed]));
            row = row[(feed + 1)..];
        }
    }

    /// <summary>Walks the committed lines of a file, in the memory of a row group at most; notes where it cannot be read on.</summary>
    public static async Task OfFileAsync(OutputFile file, Func<Stream> open, Visitor visit, CancellationToken cancellation)
    {
        try
        {
            using Stream stream = FileCompressions.Of(file.Name).Unpack(open());
            if (file.IsPart)
            {
                long number = 0;
                await PartReader.ReadAsync(stream, line => visit(file.Stretches[0], ++number, Of(line.Span)), cancellation);
            }
            else
            {
                OfText(file, stream, visit);
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            file.Damage = error.Message; // the readers of compressed files and of Parquet throw what they come upon
        }
    }

    private static void OfText(OutputFile file, Stream stream, Visitor visit)
    {
        var walk = new Walk(file, visit);
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            while (stream.Read(chunk) is > 0 and int read)
            {
                walk.Add(chunk.AsSpan(0, read));
            }
            walk.End();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private static ulong Of(ReadOnlySpan<byte> line) => XxHash3.HashToUInt64(line);

    /// <summary>Cuts a file's bytes into lines and stretches.</summary>
    private sealed class Walk(OutputFile file, Visitor visit)
    {
        private readonly ArrayBufferWriter<byte> _line = new(); // the begin of one that goes on in the next chunk
        private long _position;
        private long _number;
        private int _stretch;
        private int _headerSeen;
        private bool _isInHeader = file.Header.Length > 0;

        private long StretchEnd => _stretch < file.Starts.Count ? file.Starts[_stretch].At : long.MaxValue;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                SkipToStretch(ref bytes);
                int length = (int)Math.Min(bytes.Length, StretchEnd - _position);
                AddWithin(bytes[..length]);
                _position += length;
                bytes = bytes[length..];
            }
        }

        public void End()
        {
            if (_line.WrittenCount > 0 && _position < StretchEnd && !file.IsShort)
            {
                Visit([]); // a line without its end: nothing that the sink wrote
            }
        }

        /// <summary>Behind a stretch that was cut within a line the sink wrote a line feed, and the rest of that line is nobody's.</summary>
        private void SkipToStretch(ref ReadOnlySpan<byte> bytes)
        {
            while (_position == StretchEnd)
            {
                _stretch++;
                if (_line.WrittenCount > 0 && bytes[0] == (byte)'\n')
                {
                    bytes = bytes[1..];
                    _position++;
                    _number++;
                }
                _line.ResetWrittenCount();
            }
        }

        private void AddWithin(ReadOnlySpan<byte> bytes)
        {
            while (bytes.IndexOf((byte)'\n') is >= 0 and int feed)
            {
                Visit(bytes[..feed]);
                bytes = bytes[(feed + 1)..];
            }
            _line.Write(bytes);
        }

        private void Visit(ReadOnlySpan<byte> rest)
        {
            _number++;
            if (_line.WrittenCount > 0)
            {
                _line.Write(rest);
                rest = _line.WrittenSpan;
            }
            if (!IsHeader(rest))
            {
                visit(file.Stretches[_stretch], _number, Of(rest));
            }
            _line.ResetWrittenCount();
        }

        private bool IsHeader(ReadOnlySpan<byte> line)
        {
            _isInHeader = _isInHeader && file.Header.AsSpan(_headerSeen).StartsWith(line);
            _headerSeen += line.Length + 1;
            bool isHeader = _isInHeader;
            _isInHeader &= _headerSeen < file.Header.Length;
            return isHeader;
        }
    }
}
