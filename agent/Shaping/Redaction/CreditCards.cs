namespace LogPipeline.Agent.Shaping.Redaction;

/// <summary>
/// Finds numbers of 13 to 19 digits, alone or in groups behind single spaces or hyphens, whose check digit is right (Luhn) and that begin as
/// card numbers do.
/// </summary>
internal sealed class CreditCards : IRedaction
{
    private const int DigitsMin = 13;
    private const int DigitsMax = 19;

    public ReadOnlyMemory<byte> Replacement { get; } = "[credit_card]"u8.ToArray();

    public void Find(ReadOnlySpan<byte> line, ICollection<RedactionMatch> matches)
    {
        int at = 0;
        while (line[at..].IndexOfAnyInRange((byte)'0', (byte)'9') is >= 0 and int skip)
        {
            at += skip;
            int length = CardAt(line[at..]);
            if (length > 0)
            {
                matches.Add(new RedactionMatch(at, at, at + length));
                at += length;
            }
            else
            {
                // A number that is no card is passed over whole: no part of it is one.
                int rest = line[at..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
                at = rest < 0 ? line.Length : at + rest;
            }
        }
    }

    /// <summary>Bytes of the longest card number that begins here; 0 where none does.</summary>
    private static int CardAt(ReadOnlySpan<byte> text)
    {
        if (text[0] is < (byte)'2' or > (byte)'6')
        {
            return 0;
        }
        Span<byte> digits = stackalloc byte[DigitsMax];
        int count = 0;
        int found = 0;
        for (int at = 0; at < text.Length && count <= DigitsMax; at++)
        {
            bool isDigit = char.IsAsciiDigit((char)text[at]);
            if (isDigit && count == DigitsMax)
            {
                break;
            }
            if (isDigit)
            {
                digits[count++] = (byte)(text[at] - '0');
            }
            bool isEnd = at + 1 == text.Length || !char.IsAsciiDigit((char)text[at + 1]);
            if (isDigit && isEnd && count >= DigitsMin && HasCheckDigit(digits[..count]))
            {
                found = at + 1;
            }
            bool isSeparator = text[at] is (byte)' ' or (byte)'-' && !isEnd;
            if (!isDigit && !isSeparator)
            {
                break;
            }
        }
        return found;
    }

    private static bool HasCheckDigit(ReadOnlySpan<byte> digits)
    {
        int sum = 0;
        for (int i = 0; i < digits.Length; i++)
        {
            int digit = digits[digits.Length - 1 - i];
            int doubled = 2 * digit;
            sum += i % 2 == 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
        }
        return sum % 10 == 0;
    }
}
