using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>Writes rows in one format, as they come.</summary>
internal interface IRowWriter
{
    void Write(LogRow row);

    /// <summary>The next row has to be waited for: writes what it held back.</summary>
    void Pause()
    {
    }

    /// <summary>Writes what stands after the last row.</summary>
    void End();
}
