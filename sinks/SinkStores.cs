using LogPipeline.Files;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Sinks;

/// <summary>Makes the store that a sink's options name.</summary>
public static class SinkStores
{
    public static ISinkStore Create(SinkOptions options, IFileSystem files, TimeProvider time, Random random) => throw new NotImplementedException();

    /// <summary>A reader of the view that the sink fills.</summary>
    /// <exception cref="SinkConfigurationException">Files have no view to query.</exception>
    public static ILogReader CreateReader(SinkOptions options, TimeProvider time) => throw new NotImplementedException();
}
