using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>The path of each row of one batch. Neighbours nearly always go to the same file.</summary>
internal sealed class RowPaths(FilePathTemplate template, LogIdentity log, RowBatch rows, int version)
{
    private string _path = "";
    private long _slot = long.MinValue;
    private int _source = int.MinValue;

    public string Of(in Row row)
    {
        long slot = Math.Max(row.EventTime, 0) / template.Width;
        if (slot != _slot || (template.UsesHost && row.Source != _source))
        {
            (_slot, _source) = (slot, row.Source);
            _path = template.PathOf(log, row.EventTime, _source >= 0 ? rows.Sources[_source].Host : "", version);
        }
        return _path;
    }
}
