using System.Buffers;
using System.Text;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Replaces the token behind the word "Bearer", as HTTP's header Authorization has it (RFC 6750).</summary>
internal sealed class BearerTokens : IRedaction
{
    private const int TokenMin = 4;

    private static readonly SearchValues<byte> Token = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="u8);

    private static ReadOnlySpan<byte> Word => "bearer "u8;

    public bool TryApply(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> to)
    {
        bool isFound = false;
        int written = 0;
        int at = 0;
        while (line[at..].IndexOfAny((byte)'b', (byte)'B') is >= 0 and int skip)
        {
            at += skip;
            if (line.Length - at < Word.Length || !Ascii.EqualsIgnoreCase(line.Slice(at, Word.Length), Word))
            {
                at++;
                continue;
            }
            at += Word.Length;
            int end = line[at..].IndexOfAnyExcept(Token);
            int length = end < 0 ? line.Length - at : end;
            if (length >= TokenMin)
            {
                to.Write(line[written..at]);
                to.Write("[token]"u8);
                at += length;
                (written, isFound) = (at, true);
            }
        }
        to.Write(isFound ? line[written..] : default);
        return isFound;
    }
}
