using System.Buffers;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>How rows become bytes of a file. One owner: it may keep a buffer.</summary>
internal interface IRowFormat
{
    string Extension { get; }

    /// <summary>What a file begins with.</summary>
    ReadOnlySpan<byte> Header { get; }

    /// <summary>Adds one row.</summary>
    /// <param name="to">Takes the bytes.</param>
    /// <param name="log">Where the row comes from.</param>
    /// <param name="rows">Parsed.</param>
    /// <param name="index">Of the row.</param>
    void Write(ArrayBufferWriter<byte> to, LogIdentity log, RowBatch rows, int index);
}
