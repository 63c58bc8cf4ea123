using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>Writes rows in one format, as they come.</summary>
internal interface IRowWriter
{
    void Write(LogRow row);

    /// <summary>Writes what stands after the last row.</summary>
    void End();
}
