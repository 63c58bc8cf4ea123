namespace LogPipeline.Simulation;

/// <summary>Who takes part.</summary>
internal enum Cast
{
    /// <summary>Servers with agents, broker, sinks.</summary>
    Whole,

    /// <summary>Broker and sinks, and in the agents' place a shipper that never dies.</summary>
    BrokerAndSink,
}
