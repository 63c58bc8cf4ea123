using LogPipeline.Protocol.Wire;

namespace LogPipeline.Agent.Tests.Scripted;

/// <summary>A frame with its record sets in one piece.</summary>
internal static class FlatFrame
{
    public static byte[] Of(FrameBuffer frame)
    {
        var bytes = new List<byte>();
        int at = 0;
        foreach (FrameBuffer.Splice splice in frame.Splices)
        {
            bytes.AddRange(frame.Bytes[at..splice.Position].Span);
            bytes.AddRange(splice.Records.Memory.Span);
            at = splice.Position;
        }
        bytes.AddRange(frame.Bytes[at..].Span);
        return [.. bytes];
    }
}
