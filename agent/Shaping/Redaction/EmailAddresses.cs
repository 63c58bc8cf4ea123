using System.Buffers;

namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>Finds what looks like <c>name@host.domain</c>.</summary>
internal sealed class EmailAddresses : IRedaction
{
    private static readonly SearchValues<byte> Local = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-"u8);
    private static readonly SearchValues<byte> Domain = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"u8);

    public ReadOnlyMemory<byte> Replacement { get; } = "[email]"u8.ToArray();

    public void Find(ReadOnlySpan<byte> line, ICollection<RedactionMatch> matches)
    {
        int searched = 0;
        int at = 0;
        while (line[at..].IndexOf((byte)'@') is >= 0 and int skip)
        {
            at += skip;
            int begin = searched + line[searched..at].LastIndexOfAnyExcept(Local) + 1;
            int domain = DomainLength(line[(at + 1)..]);
            if (begin < at && domain > 0)
            {
                at += 1 + domain;
                matches.Add(new RedactionMatch(begin, begin, at));
                searched = at;
            }
            else
            {
                at++;
            }
        }
    }

    private static int DomainLength(ReadOnlySpan<byte> text)
    {
        int length = text.IndexOfAnyExcept(Domain);
        ReadOnlySpan<byte> domain = (length < 0 ? text : text[..length]).TrimEnd(".-"u8);
        int dot = domain.LastIndexOf((byte)'.');
        return dot > 0 && domain.Length - dot > 2 ? domain.Length : 0;
    }
}
