using Microsoft.Win32.SafeHandles;

namespace LogPipeline.Protocol.Wire;

/// <summary>Record batches outside the frame that they are part of. The frame owns it: it is disposed with the frame.</summary>
public interface IRecordSource : IDisposable
{
    /// <summary>Bytes of the batches together.</summary>
    int Length { get; }

    /// <summary>Copies the batches to the start of <paramref name="to"/>: cheaper than sending them apart where they are short.</summary>
    /// <exception cref="IOException">The bytes cannot be had.</exception>
    void CopyTo(Span<byte> to);

    /// <summary>Sends the batches by whichever call of the sender suits where they are.</summary>
    /// <exception cref="IOException">The bytes cannot be had, or the connection broke.</exception>
    ValueTask SendAsync(IRecordSender sender);
}

/// <summary>A connection, as record batches see it.</summary>
public interface IRecordSender
{
    /// <summary>Sends bytes in memory; they must stay as they are until the task completes.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Sends a region of a file without copying it through the process, as sendfile(2) does.</summary>
    ValueTask SendFileAsync(SafeFileHandle file, long position, int length);
}
