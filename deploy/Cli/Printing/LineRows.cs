using LogPipeline.Hosting;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>The lines alone, as they were written; on a terminal without what could take it over.</summary>
internal sealed class LineRows(TextWriter output) : IRowWriter
{
    private readonly bool _screen = !Console.IsOutputRedirected;

    public void Write(LogRow row) => output.Write((_screen ? ControlCharacters.Show(row.Line ?? "") : row.Line) + "\n");

    public void End()
    {
    }
}
