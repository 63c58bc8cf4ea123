using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>
/// A line's bytes as text that a database takes: NUL becomes U+2400, broken UTF-8 becomes U+FFFD. Nearly every line is clean and
/// passes as it is.
/// </summary>
internal static class LineText
{
    private const int BytesMax = 3; // that a byte becomes

    public static bool IsClean(ReadOnlySpan<byte> value) => !value.Contains((byte)0) && Utf8.IsValid(value);

    /// <summary>Appends the text of a value that is not clean.</summary>
    public static void Clean(ReadOnlySpan<byte> value, PooledBytes into)
    {
        Span<byte> to = into.Reserve(checked(value.Length * BytesMax));
        int written = 0;
        while (!value.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(value, out Rune rune, out int consumed);
            if (status == OperationStatus.Done && rune.Value == 0)
            {
                rune = new Rune(0x2400);
            }
            written += rune.EncodeToUtf8(to[written..]);
            value = value[consumed..];
        }
        into.Used += written;
    }
}
