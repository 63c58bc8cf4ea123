using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace LogPipeline.Sinks.Rows;

/// <summary>
/// Turns a line's bytes into text that a database takes: NUL becomes U+2400, broken UTF-8 becomes U+FFFD. Nearly every line is
/// clean and passes as it is. One owner; its scratch grows to the longest dirty line.
/// </summary>
public sealed class LineText : IDisposable
{
    private byte[] _scratch = [];

    /// <summary>The text of a value; valid until the next call. Where <paramref name="exact"/> is false the bytes must be kept too.</summary>
    public ReadOnlySpan<byte> Clean(ReadOnlySpan<byte> value, out bool exact)
    {
        exact = !value.Contains((byte)0) && Utf8.IsValid(value);
        return exact ? value : Replace(value);
    }

    public void Dispose()
    {
        if (_scratch.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_scratch);
        }
        _scratch = [];
    }

    private ReadOnlySpan<byte> Replace(ReadOnlySpan<byte> value)
    {
        int needed = checked(value.Length * 3); // a byte becomes at most a three-byte mark
        if (_scratch.Length < needed)
        {
            Dispose();
            _scratch = ArrayPool<byte>.Shared.Rent(needed);
        }
        int written = 0;
        while (!value.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(value, out Rune rune, out int consumed);
            if (status == OperationStatus.Done && rune.Value == 0)
            {
                rune = new Rune(0x2400);
            }
            written += rune.EncodeToUtf8(_scratch.AsSpan(written));
            value = value[consumed..];
        }
        return _scratch.AsSpan(0, written);
    }
}
