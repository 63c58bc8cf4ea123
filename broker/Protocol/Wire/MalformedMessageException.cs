namespace LogPipeline.Protocol.Wire;

/// <summary>Bytes that are not what the protocol says; nothing was allocated beyond what the bytes themselves pay for.</summary>
public sealed class MalformedMessageException(string what, int position) : FormatException($"{what} at byte {position} of the message")
{
    public int Position { get; } = position;
}
