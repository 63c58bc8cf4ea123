using System.Buffers;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>Each record's bytes and a line feed: a part of a line above the agent's limit is a line of its own.</summary>
internal sealed class RawFormat : IRowFormat
{
    public string Extension => ".log";

    public ReadOnlySpan<byte> Header => [];

    public void Write(ArrayBufferWriter<byte> to, LogIdentity log, RowBatch rows, int index)
    {
        to.Write(rows.Value(rows.Rows[index]));
        to.Write("\n"u8);
    }
}
