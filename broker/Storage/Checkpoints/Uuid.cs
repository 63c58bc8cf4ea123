using System.Buffers.Text;

namespace LogPipeline.Storage.Checkpoints;

/// <summary>Kafka's way to write 16 bytes: 22 characters of base64url, big-endian.</summary>
internal static class Uuid
{
    public static string Format(Guid id) => Base64Url.EncodeToString(id.ToByteArray(bigEndian: true));

    public static Guid Parse(string text, string path)
    {
        Span<byte> bytes = stackalloc byte[16];
        return text.Length == 22 && Base64Url.TryDecodeFromChars(text, bytes, out int count) && count == 16
            ? new Guid(bytes, bigEndian: true)
            : throw new InvalidDataException($"{path}: {text} is not an id of 22 characters.");
    }

    /// <summary>A random one that does not begin with a dash: command lines would take it for an option.</summary>
    public static Guid Next(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        do
        {
            random.NextBytes(bytes);
        }
        while (bytes[0] >> 2 == 62);
        return new Guid(bytes, bigEndian: true);
    }
}
