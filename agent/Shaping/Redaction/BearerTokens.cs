using System.Buffers;
using System.Text;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Finds the token behind the word "Bearer", as HTTP's header Authorization has it (RFC 6750).</summary>
internal sealed class BearerTokens : IRedaction
{
    private const int TokenMin = 4;

    private static readonly SearchValues<byte> Token = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/="u8);

    private static ReadOnlySpan<byte> Word => "bearer "u8;

    public ReadOnlyMemory<byte> Replacement { get; } = "[token]"u8.ToArray();

    public void Find(ReadOnlySpan<byte> line, ICollection<RedactionMatch> matches)
    {
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
                matches.Add(new RedactionMatch(at - Word.Length, at, at + length));
                at += length;
            }
        }
    }
}
