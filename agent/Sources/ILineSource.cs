namespace LogPipeline.Agent.Sources;

/// <summary>Something that gives lines and cannot be asked for them again. What it gives is appended to its spool.</summary>
internal interface ILineSource
{
    /// <summary>Feeds the spool, on the agent's context, until there is nothing more to come or it is stopped. What fails and may pass it tries again itself.</summary>
    Task RunAsync(Spool spool, CancellationToken stopped);
}
