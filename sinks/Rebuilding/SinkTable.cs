using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>A table and the name of the sink whose ledger rows speak of it.</summary>
internal sealed record SinkTable(string Sink, TableName Table);
