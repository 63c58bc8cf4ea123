namespace LogPipeline.Simulation.Workload;

/// <summary>Which rows a sink of files stores.</summary>
internal enum OutputFilter
{
    /// <summary>All.</summary>
    None,

    /// <summary>Those that its <c>where</c> names.</summary>
    Constant,

    /// <summary>As the one or the other, by what the configuration says when a process starts.</summary>
    Changing,
}
