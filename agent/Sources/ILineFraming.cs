using System.Buffers;

namespace LogPipeline.Agent.Sources;

/// <summary>Takes lines out of a stream of bytes, which comes in pieces of any length.</summary>
internal interface ILineFraming
{
    /// <summary>Adds bytes of the stream, and the lines that are whole now to <paramref name="lines"/>, with their line feeds.</summary>
    /// <exception cref="InvalidDataException">This is no such stream, and what follows cannot be told apart; what was whole before is added.</exception>
    void Add(ReadOnlySpan<byte> bytes, IBufferWriter<byte> lines);

    /// <summary>The stream has ended: adds what is left of it, where that is worth a line.</summary>
    void End(IBufferWriter<byte> lines);
}
